#pragma once

#include <algorithm>

#include "lacuna/autograd/graph.hpp"
#include "lacuna/core/lanes.hpp"

namespace lacuna::ops {

/// @brief Operands of the norm over a run of positions: images in S, what belongs to channels in T.
template <class S, class T = S>
struct LayerNormRows {
  const S* x;       // (rows, C)
  const T* gain;    // (C)
  const S* grad_y;  // (rows, C); null forward
  S* result;        // (rows, C): y, or the gradient of x
  T* grad_gain;     // (C), added to; null forward
  int channels;
  std::size_t rows;
};

/// Mean and 1 / deviation of one position's channels.
template <class Lane>
struct LayerNormMoments {
  simd::Scalar<Lane> mean, inverse;
  template <class S>
  LACUNA_INLINE LayerNormMoments(const S* x, int channels) {
    using T = simd::Scalar<Lane>;
    constexpr int w = simd::width<Lane>;
    Lane sums = simd::zero_lane<Lane>(), squares = simd::zero_lane<Lane>();
    for (int j = 0; j < channels; j += w) sums += simd::load_lane<Lane>(x + j);
    mean = simd::sum(sums) / static_cast<T>(channels);
    for (int j = 0; j < channels; j += w) {
      const Lane d = simd::load_lane<Lane>(x + j) - mean;
      squares += d * d;
    }
    inverse = T(1) / simd::square_root(simd::sum(squares) / static_cast<T>(channels) + T(1e-5));
  }
};

template <class Lane, class S, class T>
LACUNA_INLINE void layer_norm_forward_row(const LayerNormRows<S, T>& r, std::size_t row) {
  const std::size_t at = row * static_cast<std::size_t>(r.channels);
  const LayerNormMoments<Lane> m(r.x + at, r.channels);
  for (int j = 0; j < r.channels; j += simd::width<Lane>)
    simd::store_lane<Lane>(r.result + at + j,
                           (simd::load_lane<Lane>(r.x + at + j) - m.mean) * m.inverse * simd::load_lane<Lane>(r.gain + j));
}

/// With u = (x - mean) / deviation and h = grad_y gain: grad_x = (h - mean(h) - u mean(h u)) / deviation.
template <class Lane, class S, class T>
LACUNA_INLINE void layer_norm_backward_row(const LayerNormRows<S, T>& r, std::size_t row) {
  constexpr int w = simd::width<Lane>;
  const std::size_t at = row * static_cast<std::size_t>(r.channels);
  const S *x = r.x + at, *grad_y = r.grad_y + at;
  const LayerNormMoments<Lane> m(x, r.channels);
  Lane sum_h = simd::zero_lane<Lane>(), sum_hu = simd::zero_lane<Lane>();
  for (int j = 0; j < r.channels; j += w) {
    const Lane u = (simd::load_lane<Lane>(x + j) - m.mean) * m.inverse, g = simd::load_lane<Lane>(grad_y + j);
    const Lane h = g * simd::load_lane<Lane>(r.gain + j);
    simd::store_lane<Lane>(r.grad_gain + j, simd::load_lane<Lane>(r.grad_gain + j) + g * u);
    sum_h += h;
    sum_hu += h * u;
  }
  const T mean_h = simd::sum(sum_h) / static_cast<T>(r.channels), mean_hu = simd::sum(sum_hu) / static_cast<T>(r.channels);
  for (int j = 0; j < r.channels; j += w) {
    const Lane u = (simd::load_lane<Lane>(x + j) - m.mean) * m.inverse;
    const Lane h = simd::load_lane<Lane>(grad_y + j) * simd::load_lane<Lane>(r.gain + j);
    simd::store_lane<Lane>(r.result + at + j, (h - mean_h - u * mean_hu) * m.inverse);
  }
}

template <class S, class T>
void layer_norm_run(const LayerNormRows<S, T>& rows) {
  simd::run_lanes<T>(rows.channels % simd::lanes == 0, [&rows](auto lane) LACUNA_KERNEL {
    using Lane = decltype(lane);
    const LayerNormRows<S, T> r = rows;
    for (std::size_t i = 0; i < r.rows; ++i)
      r.grad_y == nullptr ? layer_norm_forward_row<Lane>(r, i) : layer_norm_backward_row<Lane>(r, i);
  });
}

/// @brief The positions of x in as many runs, whatever the threads: sums (layer_norm_runs, C), or null forward, add up in one
/// order.
inline constexpr int layer_norm_runs = 16;
template <class T, class S>
void for_layer_norm_runs(Graph<T>& graph, Parameter gain, const Variable<S>& x, const S* grad_y, S* result, T* sums) {
  const auto channels = static_cast<std::size_t>(x.shape.channels);
  const T* gains = graph.parameters().value(gain);
  parallel_for(graph.device().threads(), layer_norm_runs, [&](int run) {
    const auto [begin, end] = share(x.shape.cells(), layer_norm_runs, run);
    layer_norm_run<S, T>({x.data + begin * channels, gains, grad_y != nullptr ? grad_y + begin * channels : nullptr,
                          result + begin * channels, sums != nullptr ? sums + static_cast<std::size_t>(run) * channels : nullptr,
                          x.shape.channels, end - begin});
  });
}

template <class T, class S>
void layer_norm_forward(Graph<T>& graph, Parameter gain, const Variable<S>& x, S* y) {
  if (!graph.dry()) for_layer_norm_runs<T, S>(graph, gain, x, nullptr, y, nullptr);
}
/// grad_x: overwritten.
template <class T, class S>
void layer_norm_backward(Graph<T>& graph, Parameter gain, const Variable<S>& x, const S* grad_y, S* grad_x) {
  const std::size_t size = layer_norm_runs * gain.size;
  T* sums = graph.take(size);
  if (!graph.dry()) {
    std::fill_n(sums, size, T(0));
    for_layer_norm_runs<T, S>(graph, gain, x, grad_y, grad_x, sums);
    T* grad_gain = graph.parameters().gradient(gain);
    for (std::size_t i = 0; i < size; ++i) grad_gain[i % gain.size] += sums[i];
  }
  graph.give(sums, size);
}

/// @brief y = (x - mean(x)) / sqrt(var(x) + 1e-5) * gain over the channels of each position (biased variance, no shift).
///
/// Shapes: x, y (B,T,H,W,C) | gain (C). Gradient: handed to x; gain's accumulates. NaN: propagates within its position.
/// bfloat16: x, y and their gradients; statistics and sums are float.
/// Determinism: fixed runs of positions summed in order, whatever the threads. Cost: forward reads x and writes y once, backward
/// reads x and grad_y and writes grad_x once; nothing is stored. Throws: ShapeError on a channel mismatch.
/// Source: Ba, Kiros and Hinton 2016, arXiv:1607.06450, as the paper's networks use it.
template <class T, class D, class S>
Variable<S> layer_norm(Graph<T, D>& graph, Parameter gain, const Variable<S>& x) {
  require<ShapeError>(gain.size == static_cast<std::size_t>(x.shape.channels), "layer_norm: x has shape ", x.shape, ", expected ",
                      gain.size, " channels");
  const auto scope = graph.template op<S>("layer_norm", {.forward = 2 * x.shape.size(), .backward = 3 * x.shape.size()});
  const auto y = graph.template make<S>(x.shape);
  layer_norm_forward<T, S>(graph, gain, x, y.data);
  graph.record([&graph, gain, x, y] {
    S* grad_x = graph.template take<S>(x.shape.size());
    layer_norm_backward<T, S>(graph, gain, x, y.node->gradient, grad_x);
    graph.contribute(x, grad_x);
    graph.finish(y);
  });
  return y;
}

}  // namespace lacuna::ops
