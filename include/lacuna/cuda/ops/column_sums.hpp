#pragma once

#include "kernels/column_sums.cuh"
#include "lacuna/cuda/graph.hpp"
#include "lacuna/ops/column_sums.hpp"

namespace lacuna::cuda {

/// @brief Adds the sums over rows of (rows, columns) to `sums`: the gradient of a bias.
template <class S>
void add_column_sums(Graph& graph, const S* x, std::size_t rows, int columns, float* sums) {
  const Workspace<float> partial(graph, kernels::column_sums_workspace<S>(rows, columns));
  if (!graph.dry()) kernels::column_sums(stream_of(graph), x, rows, columns, partial, sums);
}

}  // namespace lacuna::cuda
