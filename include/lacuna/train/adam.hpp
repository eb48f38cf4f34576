#pragma once

#include <cmath>

#include "lacuna/core/host_device.hpp"

namespace lacuna::train {

/// @brief One coefficient set of the fused update, so that all versions of it share it.
template <class T>
struct AdamStep {
  T clip, beta1, beta2, rate, root_correction, epsilon, decay;
};

/// @brief Moments, parameter and its moving average of one element, from its gradient.
template <class T>
LACUNA_HOST_DEVICE void adam_element(const AdamStep<T>& s, T gradient, T& value, T& m, T& v, T& average) {
  const T g = gradient * s.clip;
  m = s.beta1 * m + (T(1) - s.beta1) * g;
  v = s.beta2 * v + (T(1) - s.beta2) * g * g;
  value -= s.rate * m / (std::sqrt(v) * s.root_correction + s.epsilon);
  average += (T(1) - s.decay) * (value - average);
}

}  // namespace lacuna::train
