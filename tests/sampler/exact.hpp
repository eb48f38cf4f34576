#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lacuna/sampler/diffusion.hpp"
#include "lacuna/theory/gaussian.hpp"

namespace lacuna::test {

/// The oracle as a sampler's denoiser, member by member.
template <class Schedule>
struct Oracle {
  theory::ExactDenoiser denoiser;
  Schedule schedule;

  template <class T>
  void operator()(const sampler::Evaluation& at, std::span<const T> state, std::span<T> estimate) {
    const auto n = denoiser.law().size();
    const auto size = static_cast<std::size_t>(n);
    for (std::size_t m = 0; m < state.size() / size; ++m) {
      Eigen::VectorXd x(n);
      for (std::size_t i = 0; i < size; ++i) x[static_cast<Eigen::Index>(i)] = static_cast<double>(state[m * size + i]);
      const Eigen::VectorXd e = denoiser(x, theory::level_at(schedule, at.time));
      for (std::size_t i = 0; i < size; ++i) estimate[m * size + i] = static_cast<T>(e[static_cast<Eigen::Index>(i)]);
    }
  }
};

/// Where the probability-flow equation leads a state: exact, since on a Gaussian every mode only shrinks.
inline Eigen::VectorXd flow(const theory::Gaussian& law, theory::Level from, theory::Level to, const Eigen::VectorXd& state) {
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(law.covariance());
  Eigen::VectorXd modes = eigen.eigenvectors().transpose() * (state - from.alpha * law.mean());
  for (Eigen::Index k = 0; k < modes.size(); ++k) {
    const double v = std::max(0.0, eigen.eigenvalues()[k]);
    modes[k] *=
        std::sqrt((to.alpha * to.alpha * v + to.sigma * to.sigma) / (from.alpha * from.alpha * v + from.sigma * from.sigma));
  }
  return to.alpha * law.mean() + eigen.eigenvectors() * modes;
}

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
