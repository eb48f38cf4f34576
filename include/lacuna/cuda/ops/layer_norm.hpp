#pragma once

#include "kernels/layer_norm.cuh"
#include "lacuna/cuda/norm_operands.hpp"
#include "lacuna/ops/layer_norm.hpp"

namespace lacuna::cuda {

template <class T, class S>
void layer_norm_forward(Graph& graph, Parameter gain, const Variable<S>& x, S* y) {
  if (graph.dry()) return;
  auto norm = norm_operands(graph, gain, x);
  norm.result = y;
  kernels::layer_norm_forward(stream_of(graph), norm);
}
template <class T, class S>
void layer_norm_backward(Graph& graph, Parameter gain, const Variable<S>& x, const S* grad_y, S* grad_x) {
  auto norm = norm_operands(graph, gain, x);
  const Workspace<float> sums(graph, norm_sums(norm));
  if (graph.dry()) return;
  norm.other = grad_y;
  norm.result = grad_x;
  norm.sums = sums;
  kernels::layer_norm_backward(stream_of(graph), norm, graph.parameters().gradient(gain));
}

}  // namespace lacuna::cuda
