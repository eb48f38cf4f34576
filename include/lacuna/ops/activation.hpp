#pragma once

#include "lacuna/core/simd.hpp"
#include "lacuna/ops/activation_functions.hpp"
#include "lacuna/ops/row_tasks.hpp"

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

/// @brief An activation function in lanes; SiLU's are in the fused norm, alone it serves small tensors.
template <class Function>
inline constexpr bool has_lanes = false;
template <>
inline constexpr bool has_lanes<Gelu> = true;

LACUNA_INLINE simd::Floats value_lanes(Gelu, const simd::Floats& x) { return x * normal_lanes(x).distribution; }
LACUNA_INLINE simd::Floats derivative_lanes(Gelu, const simd::Floats& x) {
  const NormalLanes n = normal_lanes(x);
  return n.distribution + x * n.density;
}

/// @brief y = f(x); float and bfloat16 in lanes where the function has them, the rest of a run one by one.
template <class Function, class S>
void activation_run(const S* x, S* y, std::size_t size) {
  std::size_t whole = 0;
  if constexpr (has_lanes<Function> && !std::is_same_v<S, double>) {
    whole = size - size % simd::lanes;
    simd::run([=]() LACUNA_KERNEL {
      for (std::size_t i = 0; i < whole; i += simd::lanes) simd::store(y + i, value_lanes(Function{}, simd::load(x + i)));
    });
  }
  using Wide = std::conditional_t<std::is_same_v<S, Bfloat16>, float, S>;
  for (std::size_t i = whole; i < size; ++i) y[i] = static_cast<S>(Function::value(static_cast<Wide>(x[i])));
}

/// @brief gradient = f'(x) gradient.
template <class Function, class S>
void activation_gradient_run(const S* x, S* gradient, std::size_t size) {
  std::size_t whole = 0;
  if constexpr (has_lanes<Function> && !std::is_same_v<S, double>) {
    whole = size - size % simd::lanes;
    simd::run([=]() LACUNA_KERNEL {
      for (std::size_t i = 0; i < whole; i += simd::lanes)
        simd::store(gradient + i, simd::load(gradient + i) * derivative_lanes(Function{}, simd::load(x + i)));
    });
  }
  using Wide = std::conditional_t<std::is_same_v<S, Bfloat16>, float, S>;
  for (std::size_t i = whole; i < size; ++i)
    gradient[i] = static_cast<S>(static_cast<Wide>(gradient[i]) * Function::derivative(static_cast<Wide>(x[i])));
}

template <class Function, class T, class S>
void activation_forward(Graph<T>& graph, const Variable<S>& x, S* y) {
  const auto channels = static_cast<std::size_t>(x.shape.channels);
  for_rows(graph, x.shape.cells(), [&](Range r) {
    activation_run<Function>(x.data + r.begin * channels, y + r.begin * channels, (r.end - r.begin) * channels);
  });
}
/// gradient: y's, which becomes x's.
template <class Function, class T, class S>
void activation_backward(Graph<T>& graph, const Variable<S>& x, S* gradient) {
  const auto channels = static_cast<std::size_t>(x.shape.channels);
  for_rows(graph, x.shape.cells(), [&](Range r) {
    activation_gradient_run<Function>(x.data + r.begin * channels, gradient + r.begin * channels, (r.end - r.begin) * channels);
  });
}

/// @brief y = f(x), element by element, on all threads. Function: Gelu or Silu (images use SiLU's fused norm).
///
/// Shapes: x, y alike. Gradient: f'(x) grad_y; y's buffer becomes x's. NaN: propagates within its element. Backends: cpu, cuda.
/// Determinism: independent of the number of threads. Cost: forward reads x and writes y, backward reads x and changes the
/// gradient. Source: Hendrycks and Gimpel, arXiv:1606.08415.
template <class Function, class T, class D, class S>
Variable<S> activation(Graph<T, D>& graph, const Variable<S>& x) {
  const auto scope = graph.template op<S>("activation", {.forward = 2 * x.shape.size(), .backward = 3 * x.shape.size()});
  const auto y = graph.template make<S>(x.shape);
  activation_forward<Function, T, S>(graph, x, y.data);
  graph.record([&graph, x, y] {
    S* gradient = y.node->gradient;
    activation_backward<Function, T, S>(graph, x, gradient);
    y.node->gradient = nullptr;
    graph.contribute(x, gradient);
    graph.finish(y);
  });
  return y;
}

}  // namespace lacuna::ops
