#pragma once

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/core/parallel.hpp"
#include "lacuna/sampler/denoiser.hpp"
#include "lacuna/schedule/noise_schedule.hpp"
#include "lacuna/theory/gaussian.hpp"

namespace lacuna::theory {

/// @brief E[x0 | x_t] for a Gaussian law, or with the law of x0 given observations E[x0 | x_t, obs].
class ExactDenoiser {
 public:
  explicit ExactDenoiser(Gaussian law) : law_(std::move(law)), eigen_(law_.covariance()) {}

  /// states: one a column.
  Eigen::MatrixXd operator()(const Eigen::MatrixXd& states, Level level) const {
    const LibraryThreads serial(1);  // these products are small: Eigen's threads would wait for each other
    const Eigen::VectorXd gains = eigen_.eigenvalues().unaryExpr([level](double v) {
      const double noisy = level.alpha * level.alpha * v + level.sigma * level.sigma;
      return v > 0 && noisy > 0 ? level.alpha * v / noisy : 0.0;
    });
    const Eigen::MatrixXd modes = eigen_.eigenvectors().transpose() * (states.colwise() - level.alpha * law_.mean());
    return (eigen_.eigenvectors() * gains.asDiagonal() * modes).colwise() + law_.mean();
  }
  const Gaussian& law() const { return law_; }

 private:
  Gaussian law_;
  Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen_;
};

/// @brief The exact denoiser as samplers take one: states of any precision that hold members one after another.
template <schedule::NoiseSchedule Schedule>
class Oracle {
 public:
  Oracle(Gaussian law, const Schedule& schedule) : exact_(std::move(law)), schedule_(schedule) {}

  template <class T>
  void operator()(const sampler::Evaluation& at, std::span<const T> state, std::span<T> estimate) const {
    using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
    const Eigen::Index n = exact_.law().size(), count = static_cast<Eigen::Index>(state.size()) / n;
    require<ShapeError>(count * n == static_cast<Eigen::Index>(state.size()), "Oracle: a state of ", state.size(),
                        " for members of ", n);
    Eigen::Map<Matrix>(estimate.data(), n, count) =
        exact_(Eigen::Map<const Matrix>(state.data(), n, count).template cast<double>(), level_at(schedule_, at.time))
            .template cast<T>();
  }

 private:
  ExactDenoiser exact_;
  Schedule schedule_;
};

/// @brief What the optimal network of diffusion probabilistic fields answers when Algorithm 3 asks it: eq. 25 with everything as
/// the query, context and query both holding the state x_t.
///
/// In training their noises are independent, so each value of the context counts as two measurements: with half the noise
/// variance. Without a context it is Oracle. Source: paper, appendix D.
template <schedule::NoiseSchedule Schedule>
class FieldOracle {
 public:
  /// context: 1 = in the context; throws ShapeError if it is not of the law's size.
  FieldOracle(Gaussian law, std::vector<std::uint8_t> context, const Schedule& schedule)
      : law_(std::move(law)), noise_share_(law_.size()), schedule_(schedule) {
    require<ShapeError>(context.size() == static_cast<std::size_t>(law_.size()), "FieldOracle: a context of ", context.size(),
                        " for a law of ", law_.size());
    for (std::size_t i = 0; i < context.size(); ++i) noise_share_[static_cast<Eigen::Index>(i)] = context[i] != 0 ? 0.5 : 1.0;
  }

  template <class T>
  void operator()(const sampler::Evaluation& at, std::span<const T> state, std::span<T> estimate) const {
    using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
    const Eigen::Index n = law_.size(), count = static_cast<Eigen::Index>(state.size()) / n;
    require<ShapeError>(count * n == static_cast<Eigen::Index>(state.size()), "FieldOracle: a state of ", state.size(),
                        " for members of ", n);
    const Level level = level_at(schedule_, at.time);
    Eigen::MatrixXd noisy = level.alpha * level.alpha * law_.covariance();
    noisy.diagonal() += level.sigma * level.sigma * noise_share_;
    const Eigen::MatrixXd surprise =
        Eigen::Map<const Matrix>(state.data(), n, count).template cast<double>().colwise() - level.alpha * law_.mean();
    Eigen::Map<Matrix>(estimate.data(), n, count) =
        ((level.alpha * law_.covariance() * noisy.ldlt().solve(surprise)).colwise() + law_.mean()).template cast<T>();
  }

 private:
  Gaussian law_;
  Eigen::VectorXd noise_share_;
  Schedule schedule_;
};

/// @brief Where the probability-flow equation (eq. 16) leads a state: exact, since on a Gaussian law each mode is only scaled.
inline Eigen::VectorXd flow(const Gaussian& law, Level from, Level to, const Eigen::VectorXd& state) {
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(law.covariance());
  const auto deviation = [](double v, Level at) {
    return std::sqrt(at.alpha * at.alpha * std::max(0.0, v) + at.sigma * at.sigma);
  };
  Eigen::VectorXd modes = eigen.eigenvectors().transpose() * (state - from.alpha * law.mean());
  for (Eigen::Index k = 0; k < modes.size(); ++k) {
    const double before = deviation(eigen.eigenvalues()[k], from);
    modes[k] *= before > 0 ? deviation(eigen.eigenvalues()[k], to) / before : 0.0;  // a mode without any spread stays at its mean
  }
  return to.alpha * law.mean() + eigen.eigenvectors() * modes;
}

}  // namespace lacuna::theory
