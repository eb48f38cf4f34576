#pragma once

#include <cmath>

#include "lacuna/core/host_device.hpp"

namespace lacuna::sampler {

/// @brief Takes member number `count` (from 1) of one element into its running mean and sum of squared deviations;
/// weight = 1 / count.
LACUNA_HOST_DEVICE inline void add_member(float x, float weight, float& mean, float& squares) {
  const float before = x - mean;
  mean += before * weight;
  squares += before * (x - mean);
}

/// @brief Unbiased standard deviation; 0 while there are fewer than two members.
LACUNA_HOST_DEVICE inline float deviation_of(float squares, int count) {
  return count > 1 ? std::sqrt(squares < 0.0f ? 0.0f : squares / static_cast<float>(count - 1)) : 0.0f;
}

}  // namespace lacuna::sampler
