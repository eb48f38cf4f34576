#pragma once

#include <algorithm>
#include <cstddef>

#include "lacuna/autograd/graph.hpp"
#include "lacuna/ops/wide_copies.hpp"

namespace lacuna::ops {

/// @brief Positions that one task takes: their channels stay in the cache.
inline constexpr std::size_t rows_of_a_task = 256;

/// @brief task(range of rows) over all rows; runs of rows_of_a_task on as many threads as there are.
template <class T, class Task>
void for_rows(Graph<T>& graph, std::size_t rows, const Task& task) {
  if (graph.dry()) return;
  const auto tasks = static_cast<int>((rows + rows_of_a_task - 1) / rows_of_a_task);
  parallel_for(graph.device().threads(), tasks, [&](int i) {
    const std::size_t begin = static_cast<std::size_t>(i) * rows_of_a_task;
    task(Range{begin, std::min(rows, begin + rows_of_a_task)});
  });
}

/// @brief task(range of rows, copies) likewise, with copies for so many values S of each row.
template <class S, class T, class Task>
void for_wide_rows(Graph<T>& graph, std::size_t rows, std::size_t values, const Task& task) {
  using Copies = WideCopies<T, S>;
  const int threads = graph.device().threads();
  const std::size_t own = Copies::size(rows_of_a_task * values), room = own * static_cast<std::size_t>(threads);
  T* copies = Copies::needed ? graph.take(room) : nullptr;
  if (!graph.dry()) {
    const auto tasks = static_cast<int>((rows + rows_of_a_task - 1) / rows_of_a_task), workers = std::min(threads, tasks);
    parallel_for(workers, workers, [&](int worker) {
      for (int i = worker; i < tasks; i += workers) {
        const std::size_t begin = static_cast<std::size_t>(i) * rows_of_a_task;
        task(Range{begin, std::min(rows, begin + rows_of_a_task)}, Copies(copies + own * static_cast<std::size_t>(worker)));
      }
    });
  }
  if constexpr (Copies::needed) graph.give(copies, room);
}

}  // namespace lacuna::ops
