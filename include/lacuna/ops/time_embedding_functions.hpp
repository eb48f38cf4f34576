#pragma once

#include <cmath>

#include "lacuna/core/host_device.hpp"

namespace lacuna::ops {

/// @brief The angle t * 10000^(-i / (half - 1)) whose sine and cosine are features i and half + i of a time embedding.
template <class T>
LACUNA_HOST_DEVICE T time_angle(T time, int i, int half) {
  constexpr T log_10000 = T(9.210340371976182736);
  return time * std::exp(-log_10000 * static_cast<T>(i) / static_cast<T>(half - 1));
}

}  // namespace lacuna::ops
