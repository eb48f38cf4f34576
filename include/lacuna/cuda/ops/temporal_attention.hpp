#pragma once

#include "kernels/temporal_attention.cuh"
#include "lacuna/cuda/ops/attention.hpp"
#include "lacuna/ops/temporal_attention.hpp"

namespace lacuna::cuda {

/// @brief What the temporal attention's kernels read beside q, k and v: the angles of the rotary embedding, computed anew at each
/// pass, and the biases.
template <class S>
class TemporalPositions {
 public:
  TemporalPositions(Graph& graph, const ops::AttentionOperands<S>& o, const ops::TimePositions& positions)
      : angles_(graph, static_cast<std::size_t>(o.x.shape.frames * o.layer.features)),
        operands_{.qkv = nullptr,
                  .cosine = angles_,
                  .sine = angles_ + o.x.shape.frames * o.layer.features / 2,
                  .bias = graph.parameters().value(positions.bias),
                  .grad_o = nullptr,
                  .result = nullptr,
                  .sums = nullptr,
                  .pixels = static_cast<std::size_t>(o.x.shape.pixels()),
                  .batch = o.x.shape.batch,
                  .frames = o.x.shape.frames,
                  .heads = o.layer.heads,
                  .features = o.layer.features} {
    if (!graph.dry())
      kernels::rotary_tables(stream_of(graph), graph.parameters().value(positions.frequencies), o.x.shape.frames,
                             o.layer.features / 2, angles_);
  }
  const kernels::TemporalAttention<S>& operands() const { return operands_; }
  kernels::TemporalAttention<S> forward(const S* qkv, S* o) const {
    auto t = operands_;
    t.qkv = qkv;
    t.result = o;
    return t;
  }

 private:
  Workspace<float> angles_;
  kernels::TemporalAttention<S> operands_;
};

template <class T, class S>
void temporal_attention_forward(Graph& graph, const ops::AttentionOperands<S>& operands, const ops::TimePositions& positions,
                                S* y) {
  const TemporalPositions<S> tables(graph, operands, positions);
  AttentionProjections(graph, operands).forward(y, [&](const S* qkv, S* o) {
    if (!graph.dry()) kernels::temporal_attention_forward(stream_of(graph), tables.forward(qkv, o));
  });
}
template <class T, class S>
void temporal_attention_backward(Graph& graph, const ops::AttentionOperands<S>& operands, const ops::TimePositions& positions,
                                 const S* grad_y, S* grad_x) {
  const TemporalPositions<S> tables(graph, operands, positions);
  AttentionProjections(graph, operands).backward(grad_y, grad_x, [&](const S* qkv, const S* grad_o, S* o, S* grad_qkv) {
    const Workspace<float> sums(graph, kernels::temporal_attention_sums(tables.operands()));
    if (graph.dry()) return;
    auto t = tables.forward(qkv, o);
    kernels::temporal_attention_forward(stream_of(graph), t);
    t.grad_o = grad_o;
    t.result = grad_qkv;
    t.sums = sums;
    kernels::temporal_attention_backward(stream_of(graph), t, graph.parameters().gradient(positions.bias));
  });
}

}  // namespace lacuna::cuda
