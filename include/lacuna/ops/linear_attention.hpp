#pragma once

#include "lacuna/ops/attention.hpp"

namespace lacuna::ops {

/// @brief What the backward pass keeps of one image: the softmax of k over positions (peak, 1 / total) and k^T v.
template <class T>
struct LinearAttentionState {
  T *peak, *inverse;  // (W) of each feature
  T* context;         // (heads, F, F), k softmaxed

  static std::size_t size(const AttentionParameters& layer) {
    return static_cast<std::size_t>(layer.width()) * static_cast<std::size_t>(2 + layer.features);
  }
  LinearAttentionState(T* all, const AttentionParameters& layer, std::size_t image)
      : peak(all + size(layer) * image), inverse(peak + layer.width()), context(inverse + layer.width()) {}
};

/// @brief k = exp(k - peak) with a running peak of each column; totals and context (rows of F) are rescaled where it rises.
template <class T>
void linear_attention_keys(T* k, std::ptrdiff_t stride, int rows, int width, int features, T* peak, T* total, T* context) {
  simd::run_lanes<T>(width % simd::lanes == 0 && features % simd::lanes == 0, [=](auto lane) LACUNA_KERNEL {
    using Lane = decltype(lane);
    constexpr int w = simd::width<Lane>;
    for (int j = 0; j < width; j += w) {
      const Lane before = simd::load_lane<Lane>(peak + j);
      Lane now = before, sums = simd::zero_lane<Lane>();
      for (int i = 0; i < rows; ++i) now = simd::larger(now, simd::load_lane<Lane>(k + i * stride + j));
      const Lane factor = simd::exp(before - now);
      for (int i = 0; i < rows; ++i) {
        const Lane e = simd::exp(simd::load_lane<Lane>(k + i * stride + j) - now);
        sums += e;
        simd::store_lane<Lane>(k + i * stride + j, e);
      }
      simd::store_lane<Lane>(peak + j, now);
      simd::store_lane<Lane>(total + j, simd::load_lane<Lane>(total + j) * factor + sums);
      T factors[w];
      simd::store_lane<Lane>(factors, factor);
      for (int d = 0; d < w; ++d)
        for (int e = 0; e < features; e += w) {
          T* at = context + static_cast<std::ptrdiff_t>(j + d) * features + e;
          simd::store_lane<Lane>(at, simd::load_lane<Lane>(at) * factors[d]);
        }
    }
  });
}

/// @brief k = exp(k - peak) inverse: the softmax, once its peak and total are known.
template <class T>
void linear_attention_softmax(T* k, std::ptrdiff_t stride, int rows, int width, const T* peak, const T* inverse) {
  simd::run_lanes<T>(width % simd::lanes == 0, [=](auto lane) LACUNA_KERNEL {
    using Lane = decltype(lane);
    for (int i = 0; i < rows; ++i)
      for (int j = 0; j < width; j += simd::width<Lane>) {
        T* at = k + i * stride + j;
        simd::store_lane<Lane>(
            at, simd::exp(simd::load_lane<Lane>(at) - simd::load_lane<Lane>(peak + j)) * simd::load_lane<Lane>(inverse + j));
      }
  });
}

/// @brief One image of spatial linear attention, in tiles of positions that stay in cache.
template <class T>
class LinearAttentionImage {
 public:
  static constexpr int tile = 64;

  /// Scalars of workspace: q or k and v with their gradients, o and its gradient of a tile; contexts and totals.
  static std::size_t workspace(const AttentionParameters& l, int) {
    const auto w = static_cast<std::size_t>(l.width()), f = static_cast<std::size_t>(l.features);
    return tile * w * 6 + 3 * w * f + w;
  }

  LinearAttentionImage(const AttentionParameters& layer, int positions, const T* qkv, const T* qkv_transposed, T* space)
      : l_(layer),
        w_(layer.width()),
        positions_(positions),
        qkv_(qkv),
        qkv_transposed_(qkv_transposed),
        qkv_tile_(space),
        grad_tile_(qkv_tile_ + tile * 2 * w_),
        o_(grad_tile_ + tile * 2 * w_),
        grad_o_(o_ + tile * w_),
        scaled_(grad_o_ + tile * w_),
        grad_context_(scaled_ + w_ * layer.features),
        grad_context_transposed_(grad_context_ + w_ * layer.features),
        total_(grad_context_transposed_ + w_ * layer.features) {}

  /// y += the output projection of attention; leaves the state for the backward pass.
  void forward(const T* x, const T* out_transposed, T* y, const LinearAttentionState<T>& state) {
    const int f = l_.features;
    std::fill_n(state.peak, w_, std::numeric_limits<T>::lowest());
    std::fill_n(total_, w_, T(0));
    std::fill_n(state.context, w_ * f, T(0));
    for_tiles([&](int first, int rows) {
      project(x, first, rows, w_, 2 * w_);
      linear_attention_keys(qkv_tile_, 2 * w_, rows, w_, f, state.peak, total_, state.context);
      for (int h = 0; h < l_.heads; ++h)  // context += k^T v
        tile_product<T>(
            {qkv_tile_ + h * f, 1, 2 * w_, qkv_tile_ + w_ + h * f, 2 * w_, state.context + h * f * f, f, f, rows, f, true});
    });
    for (int j = 0; j < w_; ++j) {
      state.inverse[j] = T(1) / total_[j];
      for (int e = 0; e < f; ++e) state.context[j * f + e] *= state.inverse[j];
    }
    scale_context(state);
    for_tiles([&](int first, int rows) {
      queries_and_outputs(x, first, rows);
      tile_product<T>({o_, w_, 1, out_transposed, l_.channels, at(y, first), l_.channels, rows, w_, l_.channels, true});
    });
  }

  /// grad_x is overwritten, the sums are added to.
  void backward(const T* x, const T* out, const T* grad_y, T* grad_x, const LinearAttentionState<T>& state,
                const AttentionSums<T>& sums) {
    const int f = l_.features, c = l_.channels;
    std::fill_n(grad_context_, w_ * f, T(0));
    scale_context(state);
    for (int h = 0; h < l_.heads; ++h)  // the context, transposed, until the queries are done
      transpose_tile(state.context + h * f * f, f, grad_context_transposed_ + h * f * f, f, f, f);
    for_tiles([&](int first, int rows) {
      queries_and_outputs(x, first, rows);
      backward_queries(x, out, grad_y, grad_x, first, rows, sums);
      if (l_.bias.size > 0) add_column_sums(at(grad_y, first), sums.bias, rows, c);
    });
    for (int i = 0; i < w_ * f; ++i) grad_context_[i] *= scale();
    for (int h = 0; h < l_.heads; ++h)
      transpose_tile(grad_context_ + h * f * f, f, grad_context_transposed_ + h * f * f, f, f, f);
    // Through the softmax of k: sum over positions of k grad_k is, by feature, the row product of the contexts.
    for (int j = 0; j < w_; ++j) {
      T dot = 0;
      for (int e = 0; e < f; ++e) dot += grad_context_[j * f + e] * state.context[j * f + e];
      total_[j] = dot;
    }
    for_tiles([&](int first, int rows) { backward_keys(x, grad_x, first, rows, state, sums); });
  }

 private:
  template <class Visit>
  void for_tiles(const Visit& visit) const {
    for (int first = 0; first < positions_; first += tile) visit(first, std::min(tile, positions_ - first));
  }
  template <class P>
  P* at(P* rows, int first) const {
    return rows + static_cast<std::ptrdiff_t>(first) * l_.channels;
  }
  T scale() const { return T(1) / std::sqrt(static_cast<T>(l_.features)); }

  /// Rows begin .. begin + count of q, k, v of a tile, side by side in qkv_tile_.
  void project(const T* x, int first, int rows, int begin, int count) {
    tile_product<T>({at(x, first), l_.channels, 1, qkv_transposed_ + begin, 3 * w_, qkv_tile_, count, rows, l_.channels, count});
  }
  void scale_context(const LinearAttentionState<T>& state) {
    for (int i = 0; i < w_ * l_.features; ++i) scaled_[i] = scale() * state.context[i];
  }

  /// q = softmax over features (in qkv_tile_), o = q scaled context.
  void queries_and_outputs(const T* x, int first, int rows) {
    const int f = l_.features;
    project(x, first, rows, 0, w_);
    softmax_rows(qkv_tile_, w_, rows, l_.heads, f);
    for (int h = 0; h < l_.heads; ++h)
      tile_product<T>({qkv_tile_ + h * f, w_, 1, scaled_ + h * f * f, f, o_ + h * f, w_, rows, f, f});
  }

  void backward_queries(const T* x, const T* out, const T* grad_y, T* grad_x, int first, int rows, const AttentionSums<T>& sums) {
    const int f = l_.features, c = l_.channels;
    tile_product<T>({at(grad_y, first), c, 1, out, w_, grad_o_, w_, rows, c, w_});
    tile_product<T>({o_, 1, w_, at(grad_y, first), c, sums.out, c, w_, rows, c, true});
    for (int h = 0; h < l_.heads; ++h) {
      tile_product<T>({qkv_tile_ + h * f, 1, w_, grad_o_ + h * f, w_, grad_context_ + h * f * f, f, f, rows, f, true});
      tile_product<T>({grad_o_ + h * f, w_, 1, grad_context_transposed_ + h * f * f, f, grad_tile_ + h * f, w_, rows, f, f});
    }
    softmax_rows_backward(qkv_tile_, grad_tile_, w_, rows, l_.heads, f, scale());
    tile_product<T>({grad_tile_, w_, 1, qkv_, c, at(grad_x, first), c, rows, w_, c});
    tile_product<T>({grad_tile_, 1, w_, at(x, first), c, sums.qkv, c, w_, rows, c, true});
  }

  void backward_keys(const T* x, T* grad_x, int first, int rows, const LinearAttentionState<T>& state,
                     const AttentionSums<T>& sums) {
    const int f = l_.features, c = l_.channels, both = 2 * w_;
    project(x, first, rows, w_, both);
    linear_attention_softmax(qkv_tile_, both, rows, w_, state.peak, state.inverse);
    for (int h = 0; h < l_.heads; ++h) {
      const T *k = qkv_tile_ + h * f, *v = k + w_;
      T *grad_k = grad_tile_ + h * f, *grad_v = grad_k + w_;
      tile_product<T>({v, both, 1, grad_context_transposed_ + h * f * f, f, grad_k, both, rows, f, f});
      tile_product<T>({k, both, 1, grad_context_ + h * f * f, f, grad_v, both, rows, f, f});
    }
    for (int i = 0; i < rows; ++i)
      for (int j = 0; j < w_; ++j) grad_tile_[i * both + j] = qkv_tile_[i * both + j] * (grad_tile_[i * both + j] - total_[j]);
    tile_product<T>(
        {grad_tile_, both, 1, qkv_ + static_cast<std::ptrdiff_t>(w_) * c, c, at(grad_x, first), c, rows, both, c, true});
    tile_product<T>(
        {grad_tile_, 1, both, at(x, first), c, sums.qkv + static_cast<std::ptrdiff_t>(w_) * c, c, both, rows, c, true});
  }

  const AttentionParameters& l_;
  int w_, positions_;
  const T *qkv_, *qkv_transposed_;
  T *qkv_tile_, *grad_tile_, *o_, *grad_o_, *scaled_, *grad_context_, *grad_context_transposed_, *total_;
};

template <class T, class S>
void linear_attention_forward(Graph<T>& graph, const AttentionOperands<S>& o, S* y, T* states) {
  attend_images<LinearAttentionImage<T>>(graph, o, y, [&](auto& image, std::size_t i, const T* x, const T* out, T* to) {
    image.forward(x, out, to, LinearAttentionState<T>(states, o.layer, i));
  });
}
/// grad_x: overwritten.
template <class T, class S>
void linear_attention_backward(Graph<T>& graph, const AttentionOperands<S>& o, T* states, const S* grad_y, S* grad_x) {
  attend_images_backward<LinearAttentionImage<T>>(
      graph, o, grad_y, grad_x,
      [&](auto& image, std::size_t i, const T* x, const T* out, const T* grad, T* to, const AttentionSums<T>& sums) {
        image.backward(x, out, grad, to, LinearAttentionState<T>(states, o.layer, i), sums);
      });
}

/// @brief y = residual + W_out (q (k^T v)) + b per frame and head: q softmaxed over features and scaled by features^-1/2, k
/// softmaxed over the positions of the frame.
///
/// Shapes: x, residual, y (B,T,H,W,C). Gradient: handed to x and residual; parameters' accumulate. NaN: spreads in its frame.
/// bfloat16: x, residual, y and their gradients; within a frame all is float, but for q, k, v, o and their gradients on a GPU.
/// Determinism: independent of the number of threads. Cost: linear in positions; x is projected twice backward, so that forward
/// keeps (2 + features) numbers for each feature and frame beside x and y. Throws: ShapeError.
/// Source: Shen et al. 2018, arXiv:1812.01243; the paper's network, method section 8.
template <class T, class D, class S>
Variable<S> linear_attention(Graph<T, D>& graph, const AttentionParameters& layer, const Variable<S>& x,
                             const Variable<S>& residual) {
  require_attention("linear_attention", layer, x, residual);
  const auto scope = graph.template op<S>("linear_attention", {.forward = 3 * x.shape.size(), .backward = 3 * x.shape.size()});
  const auto y = graph.template make<S>(x.shape);
  const std::size_t state_size = LinearAttentionState<T>::size(layer) * static_cast<std::size_t>(x.shape.images());
  T* states = graph.take(state_size);
  const AttentionOperands<S> o{layer, x, residual};
  linear_attention_forward<T, S>(graph, o, y.data, states);
  if (!graph.recording()) graph.give(states, state_size);
  graph.record([&graph, o, y, states, state_size] {
    S* grad_x = graph.template take<S>(o.x.shape.size());
    linear_attention_backward<T, S>(graph, o, states, y.node->gradient, grad_x);
    graph.give(states, state_size);
    hand_over(graph, o.x, grad_x, o.residual, y);
  });
  return y;
}

}  // namespace lacuna::ops
