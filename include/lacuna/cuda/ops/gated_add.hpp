#pragma once

#include "kernels/gated_add.cuh"
#include "lacuna/cuda/norm_operands.hpp"
#include "lacuna/ops/gated_add.hpp"

namespace lacuna::cuda {

template <class T, class S>
void gated_add_forward(Graph& graph, Parameter gate, const Variable<S>& x, S* sum) {
  if (graph.dry()) return;
  auto operands = norm_operands(graph, gate, x);
  operands.result = sum;
  kernels::gated_add(stream_of(graph), operands);
}
template <class T, class S>
void gated_add_backward(Graph& graph, Parameter gate, const Variable<S>& x, const S* grad_sum, ops::GradientTarget<S> grad_x) {
  auto operands = norm_operands(graph, gate, x);
  const Workspace<float> sums(graph, norm_sums(operands));
  if (graph.dry()) return;
  operands.other = grad_sum;
  operands.result = grad_x.data;
  operands.sums = sums;
  kernels::gated_add_backward(stream_of(graph), operands, grad_x.into == ops::Into::added, graph.parameters().gradient(gate));
}

}  // namespace lacuna::cuda
