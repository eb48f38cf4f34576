#pragma once

#include <cmath>

#include "lacuna/autograd/graph.hpp"

namespace lacuna::ops {

/// @brief x * sigmoid(x) and its derivative.
struct Silu {
  template <class T>
  static T value(T x) {
    return x / (T(1) + std::exp(-x));
  }
  template <class T>
  static T derivative(T x) {
    const T s = T(1) / (T(1) + std::exp(-x));
    return s * (T(1) + x * (T(1) - s));
  }
};

/// @brief x * Phi(x), the exact (erf) form, and its derivative. Source: Hendrycks and Gimpel, arXiv:1606.08415.
struct Gelu {
  template <class T>
  static T value(T x) {
    return T(0.5) * x * (T(1) + std::erf(x * T(0.70710678118654752440)));
  }
  template <class T>
  static T derivative(T x) {
    return T(0.5) * (T(1) + std::erf(x * T(0.70710678118654752440))) + x * T(0.39894228040143267794) * std::exp(T(-0.5) * x * x);
  }
};

/// @brief y = f(x), element by element; for small tensors such as a time embedding (images use the fused norm).
///
/// Shapes: x, y alike. Gradient: grad_x = f'(x) grad_y, handed to x. NaN: propagates within its element.
template <class Function, class T>
Variable<T> activation(Graph<T>& graph, const Variable<T>& x) {
  const auto y = graph.make(x.shape);
  const std::size_t size = x.shape.size();
  if (!graph.dry())
    for (std::size_t i = 0; i < size; ++i) y.data[i] = Function::value(x.data[i]);
  graph.record([&graph, x, y, size] {
    T* grad_x = graph.take(size);
    if (!graph.dry())
      for (std::size_t i = 0; i < size; ++i) grad_x[i] = Function::derivative(x.data[i]) * y.node->gradient[i];
    graph.contribute(x, grad_x);
    graph.finish(y);
  });
  return y;
}

}  // namespace lacuna::ops
