#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "lacuna/core/simd.hpp"
#include "lacuna/sampler/update_element.hpp"

namespace lacuna::sampler {

/// @brief The plain version, of elements [begin, end): returns 0, or NaN if a result is not finite.
template <class T>
T update_plain(const UpdateWeights<T>& w, const UpdateArrays<T>& a, std::size_t begin, std::size_t end) {
  T bad = 0;
  for (std::size_t i = begin; i < end; ++i) {
    const bool seen = a.observed[i] != 0;
    const T x = updated(w, a.state[i], seen ? a.known[i] : a.estimate[i], seen ? a.known[i] : a.other[i], a.noise[i]);
    a.out[i] = x;
    bad += x - x;
  }
  return bad;
}

inline float update_run(const UpdateWeights<float>& w, const UpdateArrays<float>& a, std::size_t size) {
  const std::size_t whole = size - size % simd::lanes;
  float bad = 0;
  simd::run([&bad, w, a, whole]() LACUNA_KERNEL {
    using simd::Floats;
    Floats worst = simd::zero();
    for (std::size_t i = 0; i < whole; i += simd::lanes) {
      const simd::Ints seen = simd::load_bytes(a.observed + i);
      const Floats known = simd::load(a.known + i);
      const Floats estimate = simd::select(seen, known, simd::load(a.estimate + i)),
                   other = simd::select(seen, known, simd::load(a.other + i));
      const Floats x =
          w.state * simd::load(a.state + i) + w.estimate * estimate + w.other * other + w.noise * simd::load(a.noise + i);
      simd::store(a.out + i, x);
      worst += x - x;
    }
    bad = simd::sum(worst);
  });
  return bad + update_plain(w, a, whole, size);
}
inline double update_run(const UpdateWeights<double>& w, const UpdateArrays<double>& a, std::size_t size) {
  return update_plain(w, a, 0, size);
}

/// @brief Lines 3-6 of Algorithm 4 in one pass: out = w_s state + w_e x' + w_o x'' + w_n noise, where x' (x'') is the known value
/// where it was observed and else the estimate (the other one). Returns whether all results are finite.
///
/// NaN: known values are selected, so they may be anything where not observed; elsewhere NaN shows.
/// Cost: each array is read once, out written once. Determinism: elementwise.
template <class T>
bool update(const UpdateWeights<T>& w, const UpdateArrays<T>& a, std::size_t size) {
  return std::isfinite(update_run(w, a, size));
}

/// @brief The first-order step with its predicted noise cut to [-limit, limit]: out = to_alpha x' + to_sigma clip((state -
/// alpha x') / sigma), an option of the paper's published code. Plain: for comparison, not for speed.
template <class T>
bool clipped_update(T alpha, T sigma, T to_alpha, T to_sigma, T limit, const UpdateArrays<T>& a, std::size_t size) {
  T bad = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const T x = a.observed[i] != 0 ? a.known[i] : a.estimate[i];
    const T noise = (a.state[i] - alpha * x) / sigma;
    a.out[i] = to_alpha * x + to_sigma * (noise > limit ? limit : noise < -limit ? -limit : noise);
    bad += a.out[i] - a.out[i];
  }
  return std::isfinite(bad);
}

}  // namespace lacuna::sampler
