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

/// @brief The update of an element, or of a vector of them; the known value has taken the place of the estimates where it was
/// observed.
template <class T, class Lane>
LACUNA_HOST_DEVICE __attribute__((always_inline)) inline Lane updated(const UpdateWeights<T>& w, const Lane& state,
                                                                      const Lane& estimate, const Lane& other,
                                                                      const Lane& noise) {
  return w.state * state + w.estimate * estimate + w.other * other + w.noise * noise;
}

}  // namespace lacuna::sampler
