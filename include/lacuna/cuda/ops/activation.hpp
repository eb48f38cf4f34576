#pragma once

#include "kernels/activation.cuh"
#include "lacuna/cuda/graph.hpp"
#include "lacuna/ops/activation.hpp"

namespace lacuna::cuda {

template <class Function, class T, class S>
void activation_forward(Graph& graph, const Variable<S>& x, S* y) {
  if (!graph.dry()) kernels::activation<Function, S>(stream_of(graph), x.data, x.shape.size(), y);
}
template <class Function, class T, class S>
void activation_backward(Graph& graph, const Variable<S>& x, S* gradient) {
  if (!graph.dry()) kernels::activation_gradient<Function, S>(stream_of(graph), x.data, gradient, x.shape.size(), gradient);
}

}  // namespace lacuna::cuda
