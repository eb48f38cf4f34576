#pragma once

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "lacuna/autograd/graph.hpp"
#include "lacuna/core/simd.hpp"

namespace lacuna::ops {

/// @brief Operands of the fused norm over a run of pixels of one sample: images in S, what belongs to channels in T.
template <class S, class T = S>
struct NormRow {
  const S* x;            // (pixels, C)
  const T* gain;         // (C)
  const T* scale_shift;  // (2 C) of this sample, or null
  const S* other;        // forward: residual (pixels, C) or null; backward: gradient of y
  S* result;             // forward: y; backward: gradient of x
  T* sums;               // backward: (2 C) sums of grad * normalised x, and of grad; null forward
  int channels;
  std::size_t pixels;
};

/// @brief The plain version, any scalar and any number of channels: what the vector kernels are tested against.
template <class S, class T>
void norm_forward_plain(const NormRow<S, T>& r) {
  const int c = r.channels;
  const T root = std::sqrt(static_cast<T>(c));
  for (std::size_t q = 0; q < r.pixels; ++q) {
    const std::size_t at = q * static_cast<std::size_t>(c);
    const auto x = [&](int j) { return static_cast<T>(r.x[at + static_cast<std::size_t>(j)]); };
    T square = 0;
    for (int j = 0; j < c; ++j) square += x(j) * x(j);
    const T inverse = T(1) / std::max(std::sqrt(square), T(1e-12));
    for (int j = 0; j < c; ++j) {
      T v = x(j) * inverse * root * r.gain[j];
      if (r.scale_shift != nullptr) v = v * (r.scale_shift[j] + T(1)) + r.scale_shift[c + j];
      const T y = v / (T(1) + std::exp(-v));
      const std::size_t k = at + static_cast<std::size_t>(j);
      r.result[k] = S(r.other != nullptr ? y + static_cast<T>(r.other[k]) : y);
    }
  }
}

template <class S, class T>
void norm_backward_plain(const NormRow<S, T>& r) {
  const int c = r.channels;
  const T root = std::sqrt(static_cast<T>(c));
  std::fill_n(r.sums, 2 * c, T(0));
  for (std::size_t q = 0; q < r.pixels; ++q) {
    const std::size_t at = q * static_cast<std::size_t>(c);
    const auto x = [&](int j) { return static_cast<T>(r.x[at + static_cast<std::size_t>(j)]); };
    T square = 0, dot = 0;
    for (int j = 0; j < c; ++j) square += x(j) * x(j);
    const T inverse = T(1) / std::max(std::sqrt(square), T(1e-12));
    const auto factor = [&](int j) { return root * r.gain[j] * (r.scale_shift != nullptr ? r.scale_shift[j] + T(1) : T(1)); };
    const auto grad_v = [&](int j) {
      const T v = x(j) * inverse * factor(j) + (r.scale_shift != nullptr ? r.scale_shift[c + j] : T(0));
      const T s = T(1) / (T(1) + std::exp(-v));
      return static_cast<T>(r.other[at + static_cast<std::size_t>(j)]) * s * (T(1) + v * (T(1) - s));
    };
    for (int j = 0; j < c; ++j) {
      const T m = x(j) * inverse, g = grad_v(j);
      r.sums[j] += g * m;
      r.sums[c + j] += g;
      dot += g * factor(j) * m;
    }
    for (int j = 0; j < c; ++j)
      r.result[at + static_cast<std::size_t>(j)] = S(inverse * (grad_v(j) * factor(j) - x(j) * inverse * dot));
  }
}

/// @brief Vector kernels for 16 V channels: the row's channels stay in registers, so each operand is read and written once.
template <int V, class S>
void norm_forward_vector(const NormRow<S, float>& row) {
  simd::run(
      [](const NormRow<S, float> r) LACUNA_KERNEL {
        using simd::Floats;
        constexpr int c = 16 * V;
        const float root = std::sqrt(static_cast<float>(c));
        Floats factor[V], shift[V], u[V];
        for (int j = 0; j < V; ++j) {
          factor[j] = root * simd::load(r.gain + 16 * j);
          shift[j] = simd::zero();
          if (r.scale_shift != nullptr) {
            factor[j] *= simd::load(r.scale_shift + 16 * j) + 1.0f;
            shift[j] = simd::load(r.scale_shift + c + 16 * j);
          }
        }
        for (std::size_t q = 0; q < r.pixels; ++q) {
          const std::size_t at = q * c;
          Floats squares = simd::zero();
          for (int j = 0; j < V; ++j) {
            u[j] = simd::load(r.x + at + 16 * j);
            squares += u[j] * u[j];
          }
          const float norm = __builtin_sqrtf(simd::sum(squares));
          const float inverse = 1.0f / (norm < 1e-12f ? 1e-12f : norm);
          for (int j = 0; j < V; ++j) {
            Floats v = u[j] * inverse * factor[j] + shift[j];
            v *= simd::sigmoid(v);
            if (r.other != nullptr) v += simd::load(r.other + at + 16 * j);
            simd::store(r.result + at + 16 * j, v);
          }
        }
      },
      row);
}

template <int V, class S>
void norm_backward_vector(const NormRow<S, float>& row) {
  simd::run(
      [](const NormRow<S, float> r) LACUNA_KERNEL {
        using simd::Floats;
        constexpr int c = 16 * V;
        const float root = std::sqrt(static_cast<float>(c));
        Floats factor[V], shift[V], m[V], h[V], sum_m[V], sum[V];
        for (int j = 0; j < V; ++j) {
          factor[j] = root * simd::load(r.gain + 16 * j);
          shift[j] = sum_m[j] = sum[j] = simd::zero();
          if (r.scale_shift != nullptr) {
            factor[j] *= simd::load(r.scale_shift + 16 * j) + 1.0f;
            shift[j] = simd::load(r.scale_shift + c + 16 * j);
          }
        }
        for (std::size_t q = 0; q < r.pixels; ++q) {
          const std::size_t at = q * c;
          Floats squares = simd::zero(), products = simd::zero();
          for (int j = 0; j < V; ++j) {
            m[j] = simd::load(r.x + at + 16 * j);
            squares += m[j] * m[j];
          }
          const float norm = __builtin_sqrtf(simd::sum(squares));
          const float inverse = 1.0f / (norm < 1e-12f ? 1e-12f : norm);
          for (int j = 0; j < V; ++j) {
            m[j] *= inverse;
            const Floats v = m[j] * factor[j] + shift[j], s = simd::sigmoid(v);
            const Floats grad_v = simd::load(r.other + at + 16 * j) * (s * (1.0f + v * (1.0f - s)));
            sum[j] += grad_v;
            sum_m[j] += grad_v * m[j];
            h[j] = grad_v * factor[j];
            products += h[j] * m[j];
          }
          const float dot = simd::sum(products);
          for (int j = 0; j < V; ++j) simd::store(r.result + at + 16 * j, inverse * (h[j] - m[j] * dot));
        }
        for (int j = 0; j < V; ++j) {
          simd::store(r.sums + 16 * j, sum_m[j]);
          simd::store(r.sums + c + 16 * j, sum[j]);
        }
      },
      row);
}

template <class S, class T>
void norm_forward(const NormRow<S, T>& r) {
  if constexpr (std::is_same_v<T, float>) {
    switch (r.channels) {
      case 16: return norm_forward_vector<1>(r);
      case 32: return norm_forward_vector<2>(r);
      case 48: return norm_forward_vector<3>(r);
      case 64: return norm_forward_vector<4>(r);
      case 96: return norm_forward_vector<6>(r);
      case 128: return norm_forward_vector<8>(r);
      default: break;
    }
  }
  norm_forward_plain(r);
}

template <class S, class T>
void norm_backward(const NormRow<S, T>& r) {
  if constexpr (std::is_same_v<T, float>) {
    switch (r.channels) {
      case 16: return norm_backward_vector<1>(r);
      case 32: return norm_backward_vector<2>(r);
      case 48: return norm_backward_vector<3>(r);
      case 64: return norm_backward_vector<4>(r);
      case 96: return norm_backward_vector<6>(r);
      case 128: return norm_backward_vector<8>(r);
      default: break;
    }
  }
  norm_backward_plain(r);
}

/// @brief Cuts every sample into the same runs of pixels, whatever the threads: partial sums add up in one fixed order.
struct NormRuns {
  static constexpr std::size_t target = 4096;  // pixels
  explicit NormRuns(const Shape& s)
      : pixels(s.cells() / static_cast<std::size_t>(s.batch)),
        per_sample(static_cast<int>(std::max<std::size_t>(1, pixels / target))),
        count(s.batch * per_sample) {}
  std::size_t pixels;
  int per_sample, count;
};

template <class S, class T>
NormRow<S, T> norm_row(const Variable<S>& x, const T* gain, const T* scale_shift, const S* other, S* result, T* sums,
                       const NormRuns& runs, int run) {
  const int sample = run / runs.per_sample, c = x.shape.channels;
  const auto [begin, end] = share(runs.pixels, runs.per_sample, run % runs.per_sample);
  const std::size_t at = (static_cast<std::size_t>(sample) * runs.pixels + begin) * static_cast<std::size_t>(c);
  return {x.data + at,
          gain,
          scale_shift != nullptr ? scale_shift + static_cast<std::ptrdiff_t>(sample) * 2 * c : nullptr,
          other != nullptr ? other + at : nullptr,
          result + at,
          sums != nullptr ? sums + static_cast<std::ptrdiff_t>(run) * 2 * c : nullptr,
          c,
          end - begin};
}

/// @brief Adds the runs' sums to the gradients of gain and of scale and shift: with a = root gain (1 + scale), v = m a + shift.
template <class T>
void norm_parameter_gradients(const T* sums, const T* gain, const T* scale_shift, T* grad_gain, T* grad_scale_shift,
                              const NormRuns& runs, int channels) {
  const T root = std::sqrt(static_cast<T>(channels));
  for (int run = 0; run < runs.count; ++run) {
    const T* own = sums + static_cast<std::ptrdiff_t>(run) * 2 * channels;
    const std::ptrdiff_t sample = static_cast<std::ptrdiff_t>(run / runs.per_sample) * 2 * channels;
    for (int j = 0; j < channels; ++j) {
      const T scale = scale_shift != nullptr ? scale_shift[sample + j] + T(1) : T(1);
      grad_gain[j] += own[j] * root * scale;
      if (grad_scale_shift == nullptr) continue;
      grad_scale_shift[sample + j] += own[j] * root * gain[j];
      grad_scale_shift[sample + channels + j] += own[channels + j];
    }
  }
}

/// @brief Operands of the fused norm; scale_shift and residual may be absent (null).
template <class T, class S>
struct NormOperands {
  Parameter gain;
  Variable<S> x;
  Variable<T> scale_shift;
  Variable<S> residual;
};

template <class T, class S>
void rms_norm_silu_forward(Graph<T>& graph, const NormOperands<T, S>& o, S* y) {
  if (graph.dry()) return;
  const NormRuns runs(o.x.shape);
  parallel_for(graph.device().threads(), runs.count, [&](int run) {
    norm_forward(
        norm_row<S, T>(o.x, graph.parameters().value(o.gain), o.scale_shift.data, o.residual.data, y, nullptr, runs, run));
  });
}
/// grad_scale_shift: overwritten; null where there is none.
template <class T, class S>
void rms_norm_silu_backward(Graph<T>& graph, const NormOperands<T, S>& o, const S* grad_y, S* grad_x, T* grad_scale_shift) {
  auto& p = graph.parameters();
  const NormRuns runs(o.x.shape);
  const int c = o.x.shape.channels;
  const auto sums_size = static_cast<std::size_t>(runs.count) * static_cast<std::size_t>(2 * c);
  T* sums = graph.take(sums_size);
  if (!graph.dry()) {
    parallel_for(graph.device().threads(), runs.count, [&](int run) {
      norm_backward(norm_row<S, T>(o.x, p.value(o.gain), o.scale_shift.data, grad_y, grad_x, sums, runs, run));
    });
    if (grad_scale_shift != nullptr) std::fill_n(grad_scale_shift, o.scale_shift.shape.size(), T(0));
    norm_parameter_gradients<T>(sums, p.value(o.gain), o.scale_shift.data, p.gradient(o.gain), grad_scale_shift, runs, c);
  }
  graph.give(sums, sums_size);
}

/// @brief y = silu(rms(x) * gain * (1 + scale) + shift) (+ residual), rms(x) = sqrt(C) x / max(||x||, 1e-12) over channels.
///
/// Shapes: x, residual, y (B,T,H,W,C) | gain (C) | scale_shift (B,1,1,1,2C): scale first. Without them: scale = shift = 0.
/// bfloat16: x, residual, y and their gradients; all else, norms and sums included, is float.
/// Gradient: handed to x, scale_shift and residual; gain's accumulates. NaN: propagates within its pixel.
/// Determinism: independent of the number of threads. Cost: forward reads x (and residual) and writes y once; backward reads x
/// and grad_y and writes grad_x once; nothing normalised is stored. Throws: ShapeError.
template <class T, class D, class S>
Variable<S> rms_norm_silu(Graph<T, D>& graph, Parameter gain, const Variable<S>& x, const Variable<T>* scale_shift = nullptr,
                          const Variable<S>* residual = nullptr) {
  const int c = x.shape.channels;
  require<ShapeError>(gain.size == static_cast<std::size_t>(c), "rms_norm_silu: x has shape ", x.shape, ", expected ", gain.size,
                      " channels");
  if (scale_shift != nullptr)
    require_shape("rms_norm_silu", "scale_shift", scale_shift->shape, Shape{x.shape.batch, 1, 1, 1, 2 * c});
  if (residual != nullptr) require_shape("rms_norm_silu", "residual", residual->shape, x.shape);
  const std::size_t size = x.shape.size();
  const auto scope =
      graph.template op<S>("rms_norm_silu", {.forward = (residual != nullptr ? 3 : 2) * size, .backward = 3 * size});
  const auto y = graph.template make<S>(x.shape);
  const NormOperands<T, S> o{gain, x, scale_shift != nullptr ? *scale_shift : Variable<T>{},
                             residual != nullptr ? *residual : Variable<S>{}};
  rms_norm_silu_forward<T, S>(graph, o, y.data);
  graph.record([&graph, o, y] {
    S* grad_x = graph.template take<S>(o.x.shape.size());
    T* grad_s = o.scale_shift.data != nullptr ? graph.take(o.scale_shift.shape.size()) : nullptr;
    rms_norm_silu_backward<T, S>(graph, o, y.node->gradient, grad_x, grad_s);
    graph.contribute(o.x, grad_x);
    if (grad_s != nullptr) graph.contribute(o.scale_shift, grad_s);
    if (o.residual.data != nullptr) {  // the residual's gradient is y's own
      graph.contribute(o.residual, y.node->gradient);
      y.node->gradient = nullptr;
    }
    graph.finish(y);
  });
  return y;
}

}  // namespace lacuna::ops
