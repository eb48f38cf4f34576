#pragma once

#include <algorithm>
#include <cstddef>
#include <type_traits>

#include "lacuna/autograd/graph.hpp"

namespace lacuna::ops {

/// @brief Into how many runs rows are cut where their sums must not depend on the number of threads.
inline int summing_runs(std::size_t rows) { return static_cast<int>(std::clamp<std::size_t>(rows / 256, 1, 16)); }

/// @brief sums (width) += what `add(range of rows, sums of a run)`, or add(range, sums, run), adds for each run; the runs' sums
/// start at zero and are joined in order, so the result does not depend on the number of threads.
template <class T, class Add>
void sum_over_rows(Graph<T>& graph, std::size_t rows, T* sums, std::size_t width, const Add& add) {
  const int runs = summing_runs(rows);
  T* partial = graph.take(static_cast<std::size_t>(runs) * width);
  if (!graph.dry()) {
    parallel_for(graph.device().threads(), runs, [&](int run) {
      T* own = partial + static_cast<std::size_t>(run) * width;
      std::fill_n(own, width, T(0));
      if constexpr (std::is_invocable_v<Add, Range, T*, int>)
        add(share(rows, runs, run), own, run);
      else
        add(share(rows, runs, run), own);
    });
    for (int run = 0; run < runs; ++run)
      for (std::size_t i = 0; i < width; ++i) sums[i] += partial[static_cast<std::size_t>(run) * width + i];
  }
  graph.give(partial, static_cast<std::size_t>(runs) * width);
}

/// @brief sums (width) += the rows of x in a range.
template <class T>
void add_rows(const T* x, Range rows, std::size_t width, T* sums) {
  for (std::size_t i = rows.begin; i < rows.end; ++i)
    for (std::size_t c = 0; c < width; ++c) sums[c] += x[i * width + c];
}

/// @brief sums (columns) += the sums of x (rows, columns) over its rows: the gradient of a bias.
template <class T>
void add_column_sums(Graph<T>& graph, const T* x, std::size_t rows, int columns, T* sums) {
  const auto width = static_cast<std::size_t>(columns);
  sum_over_rows(graph, rows, sums, width, [&](Range r, T* own) { add_rows(x, r, width, own); });
}

}  // namespace lacuna::ops
