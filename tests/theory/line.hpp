#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "lacuna/theory/gaussian.hpp"

namespace lacuna::test {

/// n points on a line with exponentially falling correlations and unlike means and deviations.
inline theory::Gaussian line(int n, double length) {
  Eigen::VectorXd mean(n);
  Eigen::MatrixXd covariance(n, n);
  const auto deviation = [](int i) { return 1.0 + 0.1 * (i % 3); };
  for (int i = 0; i < n; ++i) {
    mean[i] = 0.3 * std::sin(1.7 * i);
    for (int j = 0; j < n; ++j) covariance(i, j) = deviation(i) * deviation(j) * std::exp(-std::abs(i - j) / length);
  }
  return {mean, covariance};
}

inline std::vector<std::uint8_t> none_of(std::size_t n) { return std::vector<std::uint8_t>(n, 0); }

}  // namespace lacuna::test
