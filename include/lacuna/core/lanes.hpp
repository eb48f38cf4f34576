#pragma once

#include <cmath>
#include <cstring>
#include <type_traits>

#include "lacuna/core/simd.hpp"

namespace lacuna::simd {

template <class Lane>
struct LaneTraits {
  using Scalar = Lane;
};
template <>
struct LaneTraits<Floats> {
  using Scalar = float;
};

/// @brief A kernel written for a Lane runs on one scalar (the plain version, any type) or on sixteen floats at once.
template <class Lane>
using Scalar = typename LaneTraits<Lane>::Scalar;
template <class Lane>
inline constexpr int width = static_cast<int>(sizeof(Lane) / sizeof(Scalar<Lane>));
/// @brief The widest lane of a scalar type.
template <class T>
using Widest = std::conditional_t<std::is_same_v<T, float>, Floats, T>;

template <class Lane>
LACUNA_INLINE Lane load_lane(const Scalar<Lane>* p) {
  Lane v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
template <class Lane>
LACUNA_INLINE void store_lane(Scalar<Lane>* p, const Lane& v) {
  std::memcpy(p, &v, sizeof v);
}
/// Widened from bfloat16, and rounded to it.
template <class Lane>
LACUNA_INLINE Lane load_lane(const Bfloat16* p) {
  if constexpr (std::is_same_v<Lane, Floats>)
    return load(p);
  else
    return static_cast<Lane>(*p);
}
template <class Lane>
LACUNA_INLINE void store_lane(Bfloat16* p, const Lane& v) {
  if constexpr (std::is_same_v<Lane, Floats>)
    store(p, v);
  else
    *p = Bfloat16(v);
}

LACUNA_INLINE float exp(float x) { return std::exp(x); }
LACUNA_INLINE double exp(double x) { return std::exp(x); }
LACUNA_INLINE float sum(float x) { return x; }
LACUNA_INLINE double sum(double x) { return x; }
LACUNA_INLINE float square_root(float x) { return __builtin_sqrtf(x); }
LACUNA_INLINE double square_root(double x) { return __builtin_sqrt(x); }

/// @brief The larger of two, by lane; one of them where either is NaN.
template <class Lane>
LACUNA_INLINE Lane larger(const Lane& a, const Lane& b) {
  return a > b ? a : b;
}
LACUNA_INLINE Floats larger(const Floats& a, const Floats& b) { return blend(sign_mask(b - a), a, b); }

/// @brief Largest lane; NaN are passed over unless the first one of a comparison's right side is.
LACUNA_INLINE float largest(const Floats& v) {
  float best = v[0];
  for (int i = 1; i < lanes; ++i) best = larger(v[i], best);
  return best;
}
LACUNA_INLINE float largest(float x) { return x; }
LACUNA_INLINE double largest(double x) { return x; }

/// @brief All lanes 0.
template <class Lane>
LACUNA_INLINE Lane zero_lane() {
  if constexpr (std::is_same_v<Lane, Floats>)
    return zero();
  else
    return Lane(0);
}

/// @brief Calls kernel(Lane{}) with sixteen floats a lane, compiled for this machine, where T is float and `whole` holds (extents
/// are multiples of sixteen); else with one scalar a lane. The kernel is a lambda marked LACUNA_KERNEL.
template <class T, class Kernel>
void run_lanes(bool whole, const Kernel& kernel) {
  if constexpr (std::is_same_v<T, float>) {
    if (whole) return run([&kernel]() LACUNA_KERNEL { kernel(zero()); });
  }
  kernel(T{});
}

}  // namespace lacuna::simd
