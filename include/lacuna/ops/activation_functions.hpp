#pragma once

#include <cmath>

#include "lacuna/core/host_device.hpp"

namespace lacuna::ops {

/// @brief x itself: no activation.
struct Identity {
  template <class T>
  LACUNA_HOST_DEVICE static T value(T x) {
    return x;
  }
};

/// @brief x * sigmoid(x) and its derivative.
struct Silu {
  template <class T>
  LACUNA_HOST_DEVICE static T value(T x) {
    return x / (T(1) + std::exp(-x));
  }
  template <class T>
  LACUNA_HOST_DEVICE static T derivative(T x) {
    const T s = T(1) / (T(1) + std::exp(-x));
    return s * (T(1) + x * (T(1) - s));
  }
};

/// @brief x * Phi(x), the exact (erf) form, and its derivative. Source: Hendrycks and Gimpel, arXiv:1606.08415.
struct Gelu {
  template <class T>
  LACUNA_HOST_DEVICE static T value(T x) {
    return T(0.5) * x * (T(1) + std::erf(x * T(0.70710678118654752440)));
  }
  template <class T>
  LACUNA_HOST_DEVICE static T derivative(T x) {
    return T(0.5) * (T(1) + std::erf(x * T(0.70710678118654752440))) + x * T(0.39894228040143267794) * std::exp(T(-0.5) * x * x);
  }
};

}  // namespace lacuna::ops
