#pragma once

#include <cstdint>

#include "lacuna/core/host_device.hpp"

namespace lacuna::sampler {

/// @brief What an update adds up.
template <class T>
struct UpdateWeights {
  T state = 0, estimate = 0, other = 0, noise = 0;
};

/// @brief Arrays of one size. `out` may be `state`; what has weight 0 must be readable all the same.
template <class T>
struct UpdateArrays {
  const T *state, *estimate, *other, *noise, *known;
  const std::uint8_t* observed;
  T* out;
};

/// @brief The update of an element; the known value has taken the place of the estimates where it was observed.
template <class T>
LACUNA_HOST_DEVICE inline T updated(const UpdateWeights<T>& w, T state, T estimate, T other, T noise) {
  return w.state * state + w.estimate * estimate + w.other * other + w.noise * noise;
}

}  // namespace lacuna::sampler
