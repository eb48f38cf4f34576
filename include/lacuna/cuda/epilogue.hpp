#pragma once

#include "kernels/epilogue.cuh"
#include "lacuna/cuda/graph.hpp"

namespace lacuna::cuda {

/// @brief y (cells, channels) += bias, in place.
template <class S>
void add_bias(Graph& graph, S* y, const float* bias, std::size_t cells, int channels) {
  if (!graph.dry()) kernels::epilogue<ops::Identity, S>(stream_of(graph), y, bias, nullptr, cells, channels, y);
}

}  // namespace lacuna::cuda
