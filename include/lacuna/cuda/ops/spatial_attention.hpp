#pragma once

#include "kernels/spatial_attention.cuh"
#include "lacuna/cuda/ops/attention.hpp"
#include "lacuna/ops/spatial_attention.hpp"

namespace lacuna::cuda {

template <class T, class S>
void spatial_attention_forward(Graph& graph, const ops::AttentionOperands<S>& operands, S* y) {
  AttentionProjections(graph, operands).forward(y, [&](const S* qkv, S* o) {
    if (!graph.dry())
      kernels::spatial_attention_forward(stream_of(graph), position_attention<S>(operands, qkv, nullptr, o, nullptr));
  });
}
template <class T, class S>
void spatial_attention_backward(Graph& graph, const ops::AttentionOperands<S>& operands, const S* grad_y, S* grad_x) {
  AttentionProjections(graph, operands).backward(grad_y, grad_x, [&](const S* qkv, const S* grad_o, S* o, S* grad_qkv) {
    const auto a = position_attention(operands, qkv, grad_o, o, grad_qkv);
    const Workspace<float> statistics(graph, kernels::SpatialStatistics::size(a));
    if (!graph.dry()) kernels::spatial_attention_backward(stream_of(graph), a, statistics);
  });
}

}  // namespace lacuna::cuda
