#pragma once

#include "kernels/linear_attention.cuh"
#include "lacuna/cuda/ops/attention.hpp"
#include "lacuna/ops/linear_attention.hpp"

namespace lacuna::cuda {

template <class T, class S>
void linear_attention_forward(Graph& graph, const ops::AttentionOperands<S>& operands, S* y, T* states) {
  AttentionProjections(graph, operands).forward(y, [&](const S* qkv, S* o) {
    const auto a = position_attention<S>(operands, qkv, nullptr, o, nullptr);
    const Workspace<float> workspace(graph, kernels::LinearAttentionPlan::of(a).forward_workspace());
    if (!graph.dry()) kernels::linear_attention_forward(stream_of(graph), a, states, workspace);
  });
}
template <class T, class S>
void linear_attention_backward(Graph& graph, const ops::AttentionOperands<S>& operands, T* states, const S* grad_y, S* grad_x) {
  AttentionProjections(graph, operands).backward(grad_y, grad_x, [&](const S* qkv, const S* grad_o, S* o, S* grad_qkv) {
    const auto a = position_attention(operands, qkv, grad_o, o, grad_qkv);
    const Workspace<float> workspace(graph, kernels::LinearAttentionPlan::of(a).backward_workspace());
    if (!graph.dry()) kernels::linear_attention_backward(stream_of(graph), a, states, workspace);
  });
}

}  // namespace lacuna::cuda
