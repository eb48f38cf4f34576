#pragma once

#include <type_traits>

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

template <class T>
void unpack_frames_forward(Graph& graph, const T* x, const Shape& shape, const ops::FrameChannels& c, T* y) {
  if (!graph.dry()) kernels::unpack_frames(stream_of(graph), x, shape, c, y);
}
template <class T>
void pack_frames_forward(Graph& graph, const T* x, const Shape& shape, const ops::FrameChannels& c, T* y) {
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

/// @brief An image as kernels in float read it: itself, or of bfloat16 a copy for the length of a scope.
template <class S>
class Widened {
 public:
  Widened(Graph& graph, const S* image, std::size_t size) : image_(image), copy_(graph, narrow ? size : 0) {
    if constexpr (narrow) convert_all(graph, image, static_cast<float*>(copy_), size);
  }
  operator const float*() const {
    if constexpr (narrow)
      return copy_;
    else
      return image_;
  }

 private:
  static constexpr bool narrow = !std::is_same_v<S, float>;
  const S* image_;
  Workspace<float> copy_;
};
/// @brief Where kernels in float write an image: into itself, or of bfloat16 into a copy that finish() rounds.
template <class S>
class Rounded {
 public:
  Rounded(Graph& graph, S* image, std::size_t size)
      : graph_(graph), image_(image), size_(size), copy_(graph, narrow ? size : 0) {}

  operator float*() const {
    if constexpr (narrow)
      return copy_;
    else
      return image_;
  }
  void finish() const {
    if constexpr (narrow) convert_all(graph_, static_cast<const float*>(copy_), image_, size_);
  }

 private:
  static constexpr bool narrow = !std::is_same_v<S, float>;
  Graph& graph_;
  S* image_;
  std::size_t size_;
  Workspace<float> copy_;
};

/// @brief The projections of an attention layer on cuBLASLt, around what its kernels compute between them, all in float.
///
/// As on the CPU nothing of them is kept: q, k, v and o are computed again on the way back.
template <class S>
class AttentionProjections {
 public:
  AttentionProjections(Graph& graph, const ops::AttentionOperands<S>& operands)
      : graph_(graph),
        o_(operands),
        layer_(operands.layer),
        x_(graph, operands.x.data, operands.x.shape.size()),
        rows_(static_cast<int>(operands.x.shape.cells())),
        size_(operands.x.shape.cells() * static_cast<std::size_t>(operands.layer.width())) {}

  /// y = residual + W_out o (+ b) with o of core(qkv, o).
  template <class Core>
  void forward(S* y, const Core& core) const {
    const Rounded<S> result(graph_, y, o_.x.shape.size());
    {
      const Workspace<float> qkv(graph_, 3 * size_), o(graph_, size_);
      project(qkv);
      core(static_cast<const float*>(qkv), static_cast<float*>(o));
      multiply(graph_, {.rows = rows_, .columns = layer_.channels, .depth = layer_.width(), .transpose_b = true}, o,
               value(layer_.out), result);
    }
    const Widened<S> residual(graph_, o_.residual.data, o_.x.shape.size());
    const float* bias = layer_.bias.size > 0 ? value(layer_.bias) : nullptr;
    if (!graph_.dry())
      kernels::epilogue<ops::Identity, float>(stream_of(graph_), result, bias, residual, o_.x.shape.cells(), layer_.channels,
                                              result);
    result.finish();
  }

  /// Gradients of x (overwritten) and of the parameters, with those of qkv and again o of core(qkv, grad_o, o, grad_qkv).
  template <class Core>
  void backward(const S* grad_of_y, S* grad_of_x, const Core& core) const {
    const int width = layer_.width(), channels = layer_.channels;
    auto& p = graph_.parameters();
    if (layer_.bias.size > 0) add_column_sums(graph_, grad_of_y, o_.x.shape.cells(), channels, p.gradient(layer_.bias));
    const Widened<S> grad_y(graph_, grad_of_y, o_.x.shape.size());
    const Rounded<S> grad_x(graph_, grad_of_x, o_.x.shape.size());
    const Workspace<float> grad_qkv(graph_, 3 * size_);
    {
      const Workspace<float> qkv(graph_, 3 * size_), grad_o(graph_, size_), o(graph_, size_);
      project(qkv);
      multiply(graph_, {.rows = rows_, .columns = width, .depth = channels}, grad_y, value(layer_.out), grad_o);
      core(static_cast<const float*>(qkv), static_cast<const float*>(grad_o), static_cast<float*>(o),
           static_cast<float*>(grad_qkv));
      add_transposed_product(graph_, grad_y, channels, o, width, o_.x.shape.cells(), p.gradient(layer_.out));
    }
    add_transposed_product(graph_, grad_qkv, 3 * width, x_, channels, o_.x.shape.cells(), p.gradient(layer_.qkv));
    multiply(graph_, {.rows = rows_, .columns = channels, .depth = 3 * width}, grad_qkv, value(layer_.qkv), grad_x);
    grad_x.finish();
  }

 private:
  const float* value(Parameter p) const { return graph_.parameters().value(p); }
  void project(float* qkv) const {
    multiply(graph_, {.rows = rows_, .columns = 3 * layer_.width(), .depth = layer_.channels, .transpose_b = true}, x_,
             value(layer_.qkv), qkv);
  }
  Graph& graph_;
  const ops::AttentionOperands<S>& o_;
  const ops::AttentionParameters& layer_;
  Widened<S> x_;
  int rows_;
  std::size_t size_;  // of o
};

/// @brief Operands of the kernels of attention over positions; grad_o and grad_qkv are null forward.
template <class S>
kernels::PositionAttention<float> position_attention(const ops::AttentionOperands<S>& operands, const float* qkv,
                                                     const float* grad_o, float* o, float* grad_qkv) {
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
  AttentionProjections(graph, operands).forward(y, [&](const float* qkv, float* o) {
    const auto a = position_attention(operands, qkv, nullptr, o, nullptr);
    const Workspace<float> workspace(graph, kernels::LinearAttentionPlan::of(a).forward_workspace());
    if (!graph.dry()) kernels::linear_attention_forward(stream_of(graph), a, states, workspace);
  });
}
template <class T, class S>
void linear_attention_backward(Graph& graph, const ops::AttentionOperands<S>& operands, T* states, const S* grad_y, S* grad_x) {
  AttentionProjections(graph, operands)
      .backward(grad_y, grad_x, [&](const float* qkv, const float* grad_o, float* o, float* grad_qkv) {
        const auto a = position_attention(operands, qkv, grad_o, o, grad_qkv);
        const Workspace<float> workspace(graph, kernels::LinearAttentionPlan::of(a).backward_workspace());
        if (!graph.dry()) kernels::linear_attention_backward(stream_of(graph), a, states, workspace);
      });
}

template <class T, class S>
void spatial_attention_forward(Graph& graph, const ops::AttentionOperands<S>& operands, S* y) {
  AttentionProjections(graph, operands).forward(y, [&](const float* qkv, float* o) {
    if (!graph.dry())
      kernels::spatial_attention_forward(stream_of(graph), position_attention(operands, qkv, nullptr, o, nullptr));
  });
}
template <class T, class S>
void spatial_attention_backward(Graph& graph, const ops::AttentionOperands<S>& operands, const S* grad_y, S* grad_x) {
  AttentionProjections(graph, operands)
      .backward(grad_y, grad_x, [&](const float* qkv, const float* grad_o, float* o, float* grad_qkv) {
        const auto a = position_attention(operands, qkv, grad_o, o, grad_qkv);
        const Workspace<float> statistics(graph, kernels::SpatialStatistics::size(a));
        if (!graph.dry()) kernels::spatial_attention_backward(stream_of(graph), a, statistics);
      });
}

/// @brief What the temporal attention's kernels read beside q, k and v: the angles of the rotary embedding, computed anew at each
/// pass, and the biases.
class TemporalPositions {
 public:
  template <class S>
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
  const kernels::TemporalAttention& operands() const { return operands_; }
  kernels::TemporalAttention forward(const float* qkv, float* o) const {
    auto t = operands_;
    t.qkv = qkv;
    t.result = o;
    return t;
  }

 private:
  Workspace<float> angles_;
  kernels::TemporalAttention operands_;
};

template <class T, class S>
void temporal_attention_forward(Graph& graph, const ops::AttentionOperands<S>& operands, const ops::TimePositions& positions,
                                S* y) {
  const TemporalPositions tables(graph, operands, positions);
  AttentionProjections(graph, operands).forward(y, [&](const float* qkv, float* o) {
    if (!graph.dry()) kernels::temporal_attention_forward(stream_of(graph), tables.forward(qkv, o));
  });
}
template <class T, class S>
void temporal_attention_backward(Graph& graph, const ops::AttentionOperands<S>& operands, const ops::TimePositions& positions,
                                 const S* grad_y, S* grad_x) {
  const TemporalPositions tables(graph, operands, positions);
  AttentionProjections(graph, operands)
      .backward(grad_y, grad_x, [&](const float* qkv, const float* grad_o, float* o, float* grad_qkv) {
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
