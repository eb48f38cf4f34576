#pragma once

#include "lacuna/core/host_device.hpp"

namespace lacuna::ops {

/// @brief Low-pass(M x) / low-pass(M), and 0 where less than a twentieth of the low-pass' weight is observed.
template <class T>
LACUNA_HOST_DEVICE T observed_ratio(T weight, T sum) {
  constexpr T least = T(0.05);
  return weight < least ? T(0) : sum / weight;
}

}  // namespace lacuna::ops
