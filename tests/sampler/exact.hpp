#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lacuna/sampler/diffusion.hpp"
#include "lacuna/theory/denoiser.hpp"

namespace lacuna::test {

/// Mean and covariance of samples that lie one after another.
struct Moments {
  Eigen::VectorXd mean;
  Eigen::MatrixXd covariance;
};
template <class T>
Moments moments(const std::vector<T>& samples, Eigen::Index n) {
  const auto count = static_cast<Eigen::Index>(samples.size()) / n;
  Eigen::MatrixXd x(n, count);
  for (Eigen::Index k = 0; k < n * count; ++k) x(k % n, k / n) = static_cast<double>(samples[static_cast<std::size_t>(k)]);
  const Eigen::VectorXd mean = x.rowwise().mean();
  x.colwise() -= mean;
  return {mean, x * x.transpose() / static_cast<double>(count - 1)};
}

/// Nothing or something known about `members` samples of n elements.
template <class T>
struct KnownData {
  std::vector<T> values;
  std::vector<std::uint8_t> observed;

  KnownData(std::size_t members, const std::vector<T>& each, const std::vector<std::uint8_t>& mask) {
    for (std::size_t m = 0; m < members; ++m) {
      values.insert(values.end(), each.begin(), each.end());
      observed.insert(observed.end(), mask.begin(), mask.end());
    }
  }
  sampler::Known<T> view() const { return {values, observed}; }
};

}  // namespace lacuna::test
