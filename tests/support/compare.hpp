#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace lacuna::test {

/// Largest difference over the largest magnitude of `expected`; infinite where one is finite and the other is not, or where
/// the sizes differ.
template <class A, class B>
double relative_difference(const std::vector<A>& given, const std::vector<B>& expected) {
  constexpr double infinite = std::numeric_limits<double>::infinity();
  if (given.size() != expected.size()) return infinite;
  double difference = 0, magnitude = 0;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const auto a = static_cast<double>(given[i]), b = static_cast<double>(expected[i]);
    if (!std::isfinite(a) || !std::isfinite(b)) {
      if ((std::isnan(a) && std::isnan(b)) || a == b) continue;
      return infinite;
    }
    difference = std::max(difference, std::abs(a - b));
    magnitude = std::max(magnitude, std::abs(b));
  }
  return difference == 0 ? 0 : difference / std::max(magnitude, 1e-300);
}

/// Length of the difference over the length of `expected`.
template <class A, class B>
double relative_distance(const std::vector<A>& given, const std::vector<B>& expected) {
  if (given.size() != expected.size()) return std::numeric_limits<double>::infinity();
  double difference = 0, magnitude = 0;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const auto a = static_cast<double>(given[i]), b = static_cast<double>(expected[i]);
    difference += (a - b) * (a - b);
    magnitude += b * b;
  }
  return std::sqrt(difference / magnitude);
}

template <class T>
bool all_finite(const std::vector<T>& x) {
  return std::all_of(x.begin(), x.end(), [](T v) { return std::isfinite(v); });
}

}  // namespace lacuna::test
