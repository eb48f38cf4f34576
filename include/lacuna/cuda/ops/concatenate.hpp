#pragma once

#include "kernels/concatenate.cuh"
#include "lacuna/cuda/graph.hpp"
#include "lacuna/ops/concatenate.hpp"

namespace lacuna::cuda {

template <class T, class S>
void concatenate_forward(Graph& graph, const S* a, const S* b, std::size_t cells, int left, int right, S* y) {
  if (!graph.dry()) kernels::concatenate(stream_of(graph), a, b, cells, left, right, y);
}
template <class T, class S>
void concatenate_backward(Graph& graph, const S* grad_y, std::size_t cells, int left, int right, S* grad_a, S* grad_b) {
  if (!graph.dry()) kernels::split(stream_of(graph), grad_y, cells, left, right, grad_a, grad_b);
}

}  // namespace lacuna::cuda
