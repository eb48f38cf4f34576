#pragma once

#include "kernels/position_attention.cuh"
#include "lacuna/cuda/epilogue.hpp"
#include "lacuna/cuda/ops/column_sums.hpp"
#include "lacuna/cuda/products.hpp"
#include "lacuna/ops/attention.hpp"

namespace lacuna::cuda {

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

}  // namespace lacuna::cuda
