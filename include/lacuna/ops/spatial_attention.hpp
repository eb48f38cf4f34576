#pragma once

#include "lacuna/ops/attention.hpp"

namespace lacuna::ops {

/// @brief One image of full spatial attention: queries in tiles, so that scores (tile, positions) are all that is quadratic.
template <class T>
class SpatialAttentionImage {
 public:
  static constexpr int tile = 64;

  /// Scalars of workspace: q, k, v and their gradients, o and its gradient, k and v transposed, two tiles of scores.
  static std::size_t workspace(const AttentionParameters& l, int positions) {
    const auto n = static_cast<std::size_t>(positions), w = static_cast<std::size_t>(l.width());
    return n * w * 8 + static_cast<std::size_t>(padded(positions)) * 2 * (tile + static_cast<std::size_t>(l.features));
  }

  SpatialAttentionImage(const AttentionParameters& layer, int positions, const T* qkv, const T* qkv_transposed, T* space)
      : l_(layer),
        w_(layer.width()),
        positions_(positions),
        columns_(padded(positions)),
        qkv_weight_(qkv),
        qkv_transposed_(qkv_transposed),
        qkv_(space),
        grad_qkv_(qkv_ + offset(3 * w_)),
        o_(grad_qkv_ + offset(3 * w_)),
        grad_o_(o_ + offset(w_)),
        keys_(grad_o_ + offset(w_)),
        values_(keys_ + static_cast<std::ptrdiff_t>(columns_) * layer.features),
        scores_(values_ + static_cast<std::ptrdiff_t>(columns_) * layer.features),
        grad_scores_(scores_ + static_cast<std::ptrdiff_t>(columns_) * tile) {}

  /// y += the output projection of attention.
  void forward(const T* x, const T* out_transposed, T* y) {
    project(x);
    for_tiles([&](int head, int first, int rows) { attend(head, first, rows); });
    tile_product<T>({o_, w_, 1, out_transposed, l_.channels, y, l_.channels, positions_, w_, l_.channels, true});
  }

  /// grad_x is overwritten, the sums are added to.
  void backward(const T* x, const T* out, const T* grad_y, T* grad_x, const AttentionSums<T>& sums) {
    const int c = l_.channels;
    project(x);
    std::fill_n(grad_qkv_, offset(3 * w_), T(0));
    tile_product<T>({grad_y, c, 1, out, w_, grad_o_, w_, positions_, c, w_});
    for_tiles([&](int head, int first, int rows) {
      attend(head, first, rows);
      backward_tile(head, first, rows);
    });
    tile_product<T>({o_, 1, w_, grad_y, c, sums.out, c, w_, positions_, c, true});
    tile_product<T>({grad_qkv_, 3 * w_, 1, qkv_weight_, c, grad_x, c, positions_, 3 * w_, c});
    tile_product<T>({grad_qkv_, 1, 3 * w_, x, c, sums.qkv, c, 3 * w_, positions_, c, true});
    if (l_.bias.size > 0) add_column_sums(grad_y, sums.bias, positions_, c);
  }

 private:
  static int padded(int n) { return (n + simd::lanes - 1) / simd::lanes * simd::lanes; }
  std::ptrdiff_t offset(int per_position) const { return static_cast<std::ptrdiff_t>(positions_) * per_position; }
  T scale() const { return T(1) / std::sqrt(static_cast<T>(l_.features)); }

  void project(const T* x) {
    tile_product<T>({x, l_.channels, 1, qkv_transposed_, 3 * w_, qkv_, 3 * w_, positions_, l_.channels, 3 * w_});
  }

  /// Visits the tiles of every head, with the head's keys (scaled) and values as columns.
  template <class Visit>
  void for_tiles(const Visit& visit) {
    const int f = l_.features;
    for (int head = 0; head < l_.heads; ++head) {
      std::fill_n(keys_, static_cast<std::ptrdiff_t>(columns_) * 2 * f, T(0));
      transpose_tile(qkv_ + w_ + head * f, 3 * w_, keys_, columns_, positions_, f, scale());
      transpose_tile(qkv_ + 2 * w_ + head * f, 3 * w_, values_, columns_, positions_, f);
      for (int first = 0; first < positions_; first += tile) visit(head, first, std::min(tile, positions_ - first));
    }
  }

  /// The softmax of a tile's scores, and its rows of o. Columns past the last position get no weight.
  void attend(int head, int first, int rows) {
    const int f = l_.features;
    tile_product<T>({qkv_ + offset_row(first) + head * f, 3 * w_, 1, keys_, columns_, scores_, columns_, rows, f, columns_});
    for (int i = 0; i < rows; ++i)
      std::fill(row(scores_, i) + positions_, row(scores_, i) + columns_, std::numeric_limits<T>::lowest());
    softmax_rows(scores_, columns_, rows, 1, columns_);
    tile_product<T>({scores_, columns_, 1, qkv_ + 2 * w_ + head * f, 3 * w_,
                     o_ + static_cast<std::ptrdiff_t>(first) * w_ + head * f, w_, rows, positions_, f});
  }

  void backward_tile(int head, int first, int rows) {
    const int f = l_.features, step = 3 * w_;
    const T *q = qkv_ + offset_row(first) + head * f, *k = qkv_ + w_ + head * f;
    const T* grad_o = grad_o_ + static_cast<std::ptrdiff_t>(first) * w_ + head * f;
    T *grad_q = grad_qkv_ + offset_row(first) + head * f, *grad_k = grad_qkv_ + w_ + head * f, *grad_v = grad_k + w_;
    tile_product<T>({grad_o, w_, 1, values_, columns_, grad_scores_, columns_, rows, f, columns_});
    softmax_rows_backward(scores_, grad_scores_, columns_, rows, 1, columns_, scale());
    tile_product<T>({grad_scores_, columns_, 1, k, step, grad_q, step, rows, positions_, f});
    tile_product<T>({grad_scores_, 1, columns_, q, step, grad_k, step, positions_, rows, f, true});
    tile_product<T>({scores_, 1, columns_, grad_o, w_, grad_v, step, positions_, rows, f, true});
  }

  std::ptrdiff_t offset_row(int first) const { return static_cast<std::ptrdiff_t>(first) * 3 * w_; }
  T* row(T* scores, int i) const { return scores + static_cast<std::ptrdiff_t>(i) * columns_; }

  const AttentionParameters& l_;
  int w_, positions_, columns_;
  const T *qkv_weight_, *qkv_transposed_;
  T *qkv_, *grad_qkv_, *o_, *grad_o_, *keys_, *values_, *scores_, *grad_scores_;
};

template <class T, class S>
void spatial_attention_forward(Graph<T>& graph, const AttentionOperands<S>& o, S* y) {
  attend_images<SpatialAttentionImage<T>>(
      graph, o, y, [](auto& image, std::size_t, const T* x, const T* out, T* to) { image.forward(x, out, to); });
}
/// grad_x: overwritten.
template <class T, class S>
void spatial_attention_backward(Graph<T>& graph, const AttentionOperands<S>& o, const S* grad_y, S* grad_x) {
  attend_images_backward<SpatialAttentionImage<T>>(graph, o, grad_y, grad_x,
                                                   [](auto& image, std::size_t, const T* x, const T* out, const T* grad, T* to,
                                                      const AttentionSums<T>& sums) { image.backward(x, out, grad, to, sums); });
}

/// @brief y = residual + W_out softmax(q k^T features^-1/2) v (+ b) over the positions of each frame.
///
/// Shapes: x, residual, y (B,T,H,W,C). Gradient: handed to x and residual; parameters' accumulate. NaN: spreads in its frame.
/// bfloat16: x, residual, y and their gradients; within a frame all is float, but for q, k, v, o and their gradients on a GPU.
/// Determinism: independent of the number of threads. Cost: 4 positions^2 W FLOPs a frame forward; nothing is kept, scores are
/// computed again backward. Throws: ShapeError. Source: Vaswani et al. 2017, arXiv:1706.03762; method section 8.
template <class T, class D, class S>
Variable<S> spatial_attention(Graph<T, D>& graph, const AttentionParameters& layer, const Variable<S>& x,
                              const Variable<S>& residual) {
  require_attention("spatial_attention", layer, x, residual);
  const auto scope = graph.template op<S>("spatial_attention", {.forward = 3 * x.shape.size(), .backward = 3 * x.shape.size()});
  const auto y = graph.template make<S>(x.shape);
  const AttentionOperands<S> o{layer, x, residual};
  spatial_attention_forward<T, S>(graph, o, y.data);
  graph.record([&graph, o, y] {
    S* grad_x = graph.template take<S>(o.x.shape.size());
    spatial_attention_backward<T, S>(graph, o, y.node->gradient, grad_x);
    hand_over(graph, o.x, grad_x, o.residual, y);
  });
  return y;
}

}  // namespace lacuna::ops
