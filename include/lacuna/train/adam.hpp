#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "lacuna/core/host_device.hpp"

namespace lacuna::train {

/// @brief Settings of Adam, clipping and the moving average. Defaults are the paper's.
struct OptimizerSettings {
  double beta1 = 0.95, beta2 = 0.999, epsilon = 1e-8;
  double clip = 1.0;         ///< largest global norm of the gradient
  double ema_decay = 0.999;  ///< of the averaged weights; rises to this as (1 + step) / (10 + step)
};

/// @brief One coefficient set of the fused update, so that all versions of it share it.
template <class T>
struct AdamStep {
  T clip, beta1, beta2, rate, root_correction, epsilon, decay;
};

/// @brief The coefficients of step number `step`, from 1, but for clip, which the gradient's norm decides.
template <class T>
AdamStep<T> adam_step(const OptimizerSettings& s, std::int64_t step, double learning_rate) {
  const auto n = static_cast<double>(step);
  return {T(1),
          static_cast<T>(s.beta1),
          static_cast<T>(s.beta2),
          static_cast<T>(learning_rate / (1.0 - std::pow(s.beta1, n))),
          static_cast<T>(1.0 / std::sqrt(1.0 - std::pow(s.beta2, n))),
          static_cast<T>(s.epsilon),
          static_cast<T>(std::min(s.ema_decay, (1.0 + n) / (10.0 + n)))};
}

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
