#pragma once

#include "kernels/frame_axis.cuh"
#include "kernels/layer_norm.cuh"
#include "kernels/linear_attention.cuh"
#include "kernels/spatial_attention.cuh"
#include "kernels/temporal_attention.cuh"
#include "lacuna/cuda/ops.hpp"
#include "lacuna/ops/frame_axis.hpp"
#include "lacuna/ops/layer_norm.hpp"
#include "lacuna/ops/linear_attention.hpp"
#include "lacuna/ops/spatial_attention.hpp"
#include "lacuna/ops/temporal_attention.hpp"

// What the space-time UNet's own ops compute on a GPU, as ops.hpp.

namespace lacuna::cuda {

template <class S>
void unpack_frames_forward(Graph& graph, const S* x, const Shape& shape, const ops::FrameChannels& c, S* y) {
  if (!graph.dry()) kernels::unpack_frames(stream_of(graph), x, shape, c, y);
}
template <class S>
void pack_frames_forward(Graph& graph, const S* x, const Shape& shape, const ops::FrameChannels& c, S* y) {
  if (!graph.dry()) kernels::pack_frames(stream_of(graph), x, shape, c, y);
}

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

/// @brief The projections of an attention layer on cuBLASLt, around what its kernels compute between them.
///
/// q, k, v, o and their gradients are in the images' scalar, whose matrix units multiply them; the gradients of the weights are
/// summed in float. As on the CPU nothing of them is kept: q, k, v and o are computed again on the way back.
template <class S>
class AttentionProjections {
 public:
  AttentionProjections(Graph& graph, const ops::AttentionOperands<S>& operands)
      : graph_(graph),
        o_(operands),
        layer_(operands.layer),
        rows_(static_cast<int>(operands.x.shape.cells())),
        size_(operands.x.shape.cells() * static_cast<std::size_t>(operands.layer.width())),
        to_qkv_(graph, graph.parameters().value(layer_.qkv), layer_.qkv.size),
        out_(graph, graph.parameters().value(layer_.out), layer_.out.size) {}

  /// y = residual + W_out o (+ b) with o of core(qkv, o).
  template <class Core>
  void forward(S* y, const Core& core) const {
    {
      const Workspace<S> qkv(graph_, 3 * size_), o(graph_, size_);
      project(qkv);
      core(static_cast<const S*>(qkv), static_cast<S*>(o));
      multiply<S>(graph_, {.rows = rows_, .columns = layer_.channels, .depth = layer_.width(), .transpose_b = true}, o, out_, y);
    }
    const float* bias = layer_.bias.size > 0 ? graph_.parameters().value(layer_.bias) : nullptr;
    if (!graph_.dry())
      kernels::epilogue<ops::Identity, S>(stream_of(graph_), y, bias, o_.residual.data, o_.x.shape.cells(), layer_.channels, y);
  }

  /// Gradients of x (overwritten) and of the parameters, with those of qkv and again o of core(qkv, grad_o, o, grad_qkv).
  template <class Core>
  void backward(const S* grad_y, S* grad_x, const Core& core) const {
    const int width = layer_.width(), channels = layer_.channels;
    const std::size_t cells = o_.x.shape.cells();
    auto& p = graph_.parameters();
    if (layer_.bias.size > 0) add_column_sums(graph_, grad_y, cells, channels, p.gradient(layer_.bias));
    const Workspace<S> grad_qkv(graph_, 3 * size_);
    {
      const Workspace<S> qkv(graph_, 3 * size_), grad_o(graph_, size_), o(graph_, size_);
      project(qkv);
      multiply<S>(graph_, {.rows = rows_, .columns = width, .depth = channels}, grad_y, out_, grad_o);
      core(static_cast<const S*>(qkv), static_cast<const S*>(grad_o), static_cast<S*>(o), static_cast<S*>(grad_qkv));
      add_transposed_product<S>(graph_, grad_y, channels, o, width, cells, p.gradient(layer_.out));
    }
    add_transposed_product<S>(graph_, grad_qkv, 3 * width, o_.x.data, channels, cells, p.gradient(layer_.qkv));
    multiply<S>(graph_, {.rows = rows_, .columns = channels, .depth = 3 * width}, grad_qkv, to_qkv_, grad_x);
  }

 private:
  void project(S* qkv) const {
    multiply<S>(graph_, {.rows = rows_, .columns = 3 * layer_.width(), .depth = layer_.channels, .transpose_b = true}, o_.x.data,
                to_qkv_, qkv);
  }

  Graph& graph_;
  const ops::AttentionOperands<S>& o_;
  const ops::AttentionParameters& layer_;
  int rows_;
  std::size_t size_;  // of o
  WeightIn<S> to_qkv_, out_;
};

/// @brief Operands of the kernels of attention over positions; grad_o and grad_qkv are null forward.
template <class S>
kernels::PositionAttention<S> position_attention(const ops::AttentionOperands<S>& operands, const S* qkv, const S* grad_o, S* o,
                                                 S* grad_qkv) {
  return {.qkv = qkv,
          .grad_o = grad_o,
          .o = o,
          .grad_qkv = grad_qkv,
          .images = static_cast<std::size_t>(operands.x.shape.images()),
          .positions = operands.x.shape.pixels(),
          .heads = operands.layer.heads,
          .features = operands.layer.features};
}

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
