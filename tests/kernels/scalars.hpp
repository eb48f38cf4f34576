#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "lacuna/core/bfloat16.hpp"
#include "support/fill.hpp"
#include "support/tolerances.hpp"

namespace lacuna::test {

/// Rounded to S, float or Bfloat16.
template <class S>
std::vector<S> as(const std::vector<float>& x) {
  std::vector<S> rounded(x.size());
  std::transform(x.begin(), x.end(), rounded.begin(), [](float v) { return S(v); });
  return rounded;
}
template <class S>
std::vector<float> widened(const std::vector<S>& x) {
  std::vector<float> wide(x.size());
  std::transform(x.begin(), x.end(), wide.begin(), [](S v) { return static_cast<float>(v); });
  return wide;
}

/// Standard normal variates that S holds.
template <class S>
std::vector<float> normals_of(std::size_t size, std::uint64_t stream) {
  return widened(as<S>(normals<float>(size, stream)));
}

/// NaN payloads, signs of zeros and all.
template <class S>
bool same_bits(const std::vector<S>& a, const std::vector<S>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(S)) == 0);
}

/// Whether every element is the expected one within the tolerance of kernels and, in bfloat16, one rounding of its own.
template <class S>
bool within_one_rounding(const std::vector<S>& given, const std::vector<float>& expected) {
  if (given.size() != expected.size()) return false;
  float largest = 0;
  for (const float e : expected) largest = std::max(largest, std::abs(e));
  constexpr float rounding = sizeof(S) == 2 ? 0x1p-8f : 0.0f;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const float allowed = rounding * std::abs(expected[i]) + static_cast<float>(tolerance::kernel) * largest;
    if (!(std::abs(static_cast<float>(given[i]) - expected[i]) <= allowed)) return false;  // NaN fails
  }
  return true;
}

}  // namespace lacuna::test
