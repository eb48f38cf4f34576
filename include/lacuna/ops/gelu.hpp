#pragma once

#include "lacuna/core/simd.hpp"
#include "lacuna/ops/activation.hpp"
#include "lacuna/ops/pointwise_linear.hpp"

namespace lacuna::ops {

/// @brief The normal distribution function Phi(x) and its derivative, in sixteen lanes.
struct NormalLanes {
  simd::Floats distribution, density;
};

/// @brief Phi to 1e-7 absolutely: the rational form of Abramowitz and Stegun 1964, 7.1.26, of erfc(|x| / sqrt 2), whose
/// exponential is the density's too. NaN in gives NaN out.
LACUNA_INLINE NormalLanes normal_lanes(const simd::Floats& x) {
  const simd::Floats magnitude = simd::magnitude(x) * 0.70710678118654752440f;
  const simd::Floats e = simd::exp(-magnitude * magnitude);
  const simd::Floats t = 1.0f / (1.0f + 0.3275911f * magnitude);
  simd::Floats p = t * 1.061405429f - 1.453152027f;
  p = p * t + 1.421413741f;
  p = p * t - 0.284496736f;
  p = p * t + 0.254829592f;
  const simd::Floats tail = 0.5f * p * t * e;
  return {simd::blend(simd::sign_mask(x), tail, 1.0f - tail), 0.39894228040143267794f * e};
}

/// @brief y = gelu(x); float and bfloat16 in lanes, the rest of a run one by one.
template <class S>
void gelu_run(const S* x, S* y, std::size_t size) {
  const std::size_t whole = size - size % simd::lanes;
  simd::run([=]() LACUNA_KERNEL {
    for (std::size_t i = 0; i < whole; i += simd::lanes) {
      const simd::Floats v = simd::load(x + i);
      simd::store(y + i, v * normal_lanes(v).distribution);
    }
  });
  for (std::size_t i = whole; i < size; ++i) y[i] = static_cast<S>(Gelu::value(static_cast<float>(x[i])));
}
inline void gelu_run(const double* x, double* y, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) y[i] = Gelu::value(x[i]);
}

/// @brief gradient = gelu'(x) gradient.
template <class S>
void gelu_gradient_run(const S* x, S* gradient, std::size_t size) {
  const std::size_t whole = size - size % simd::lanes;
  simd::run([=]() LACUNA_KERNEL {
    for (std::size_t i = 0; i < whole; i += simd::lanes) {
      const simd::Floats v = simd::load(x + i);
      const NormalLanes n = normal_lanes(v);
      simd::store(gradient + i, simd::load(gradient + i) * (n.distribution + v * n.density));
    }
  });
  for (std::size_t i = whole; i < size; ++i)
    gradient[i] = static_cast<S>(static_cast<float>(gradient[i]) * Gelu::derivative(static_cast<float>(x[i])));
}
inline void gelu_gradient_run(const double* x, double* gradient, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) gradient[i] *= Gelu::derivative(x[i]);
}

template <class T, class S>
void gelu_forward(Graph<T>& graph, const Variable<S>& x, S* y) {
  const auto channels = static_cast<std::size_t>(x.shape.channels);
  for_rows(graph, x.shape.cells(),
           [&](Range r) { gelu_run(x.data + r.begin * channels, y + r.begin * channels, (r.end - r.begin) * channels); });
}
/// gradient: y's, which becomes x's.
template <class T, class S>
void gelu_backward(Graph<T>& graph, const Variable<S>& x, S* gradient) {
  const auto channels = static_cast<std::size_t>(x.shape.channels);
  for_rows(graph, x.shape.cells(), [&](Range r) {
    gelu_gradient_run(x.data + r.begin * channels, gradient + r.begin * channels, (r.end - r.begin) * channels);
  });
}

/// @brief y = x Phi(x), the exact (erf) GELU, on images: activation<Gelu>() in lanes and on all threads.
///
/// Shapes: x, y alike. Gradient: (Phi(x) + x phi(x)) grad_y; y's buffer becomes x's. NaN: propagates within its element.
/// Backends: cpu, cuda. Determinism: independent of the number of threads. Cost: forward reads x and writes y, backward reads x
/// and changes the gradient. Source: Hendrycks and Gimpel, arXiv:1606.08415.
template <class T, class D, class S>
Variable<S> gelu(Graph<T, D>& graph, const Variable<S>& x) {
  const auto scope = graph.template op<S>("gelu", {.forward = 2 * x.shape.size(), .backward = 3 * x.shape.size()});
  const auto y = graph.template make<S>(x.shape);
  gelu_forward<T, S>(graph, x, y.data);
  graph.record([&graph, x, y] {
    S* gradient = y.node->gradient;
    gelu_backward<T, S>(graph, x, gradient);
    y.node->gradient = nullptr;
    graph.contribute(x, gradient);
    graph.finish(y);
  });
  return y;
}

}  // namespace lacuna::ops
