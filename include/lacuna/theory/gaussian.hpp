#pragma once

#include <Eigen/Core>
#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/core/philox.hpp"
#include "lacuna/schedule/noise_schedule.hpp"

namespace lacuna::theory {

/// @brief How noisy something is known: alpha x + sigma eps. {1, 0} is x itself.
struct Level {
  double alpha = 1, sigma = 0;
};

template <schedule::NoiseSchedule Schedule>
Level level_at(const Schedule& schedule, double t) {
  return {schedule.alpha(t), schedule.sigma(t)};
}

/// @brief 1 = known, one byte an element.
using Mask = std::span<const std::uint8_t>;

/// @brief Elements of a mask, in order: y = S x.
inline std::vector<Eigen::Index> members(Mask mask) {
  std::vector<Eigen::Index> chosen;
  for (std::size_t i = 0; i < mask.size(); ++i)
    if (mask[i] != 0) chosen.push_back(static_cast<Eigen::Index>(i));
  return chosen;
}

/// @brief x0 ~ N(mu, Sigma): everything the paper's theorems speak of is closed form, in double.
///
/// Sigma may be singular (values that are known, or tied to each other): systems are solved by the pseudo-inverse, eigenvalues
/// below n 1e-14 of the largest counting as 0. Cost: O(n^3) per conditioning.
/// Throws: ShapeError if Sigma is not (n, n), OptionError if it is not symmetric or not positive semidefinite.
class Gaussian {
 public:
  Gaussian(Eigen::VectorXd mean, Eigen::MatrixXd covariance) : mean_(std::move(mean)), covariance_(std::move(covariance)) {
    const auto n = mean_.size();
    require<ShapeError>(n > 0 && covariance_.rows() == n && covariance_.cols() == n, "Gaussian: a mean of ", n,
                        " with a covariance of ", covariance_.rows(), " x ", covariance_.cols());
    const double size = covariance_.cwiseAbs().maxCoeff(), bent = (covariance_ - covariance_.transpose()).cwiseAbs().maxCoeff();
    require<OptionError>(bent <= 1e-12 * size, "Gaussian: the covariance is not symmetric (", bent, " apart)");
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(covariance_, Eigen::EigenvaluesOnly);
    require<OptionError>(eigen.eigenvalues()[0] >= -1e-10 * size, "Gaussian: the covariance is not positive semidefinite (",
                         eigen.eigenvalues()[0], ")");
  }

  Eigen::Index size() const { return mean_.size(); }
  const Eigen::VectorXd& mean() const { return mean_; }
  const Eigen::MatrixXd& covariance() const { return covariance_; }
  double total_variance() const { return covariance_.trace(); }

  /// @brief G (n, n) of E[x0 | y] = mu + G (y - alpha mu), y = M (alpha x0 + sigma eps); columns outside M are 0.
  Eigen::MatrixXd gain(Mask mask, Level level) const {
    require_size(mask.size());
    const auto known = members(mask);
    Eigen::MatrixXd full = Eigen::MatrixXd::Zero(size(), size());
    if (known.empty()) return full;
    Eigen::MatrixXd noisy = level.alpha * level.alpha * covariance_(known, known);
    noisy.diagonal().array() += level.sigma * level.sigma;
    const auto all = Eigen::seqN(0, size());  // Eigen 3.4 and 5 each deprecate the other's name for it
    full(all, known) = level.alpha * covariance_(all, known) * pseudo_inverse(noisy);
    return full;
  }

  /// @brief The law of x0 given M (alpha x0 + sigma eps) = values on the mask. Values outside the mask are not read.
  Gaussian given(Mask mask, std::span<const double> values, Level level = {}) const {
    require_size(values.size());
    const Eigen::MatrixXd g = gain(mask, level);
    Eigen::VectorXd surprise = Eigen::VectorXd::Zero(size());
    for (const auto i : members(mask)) surprise[i] = values[static_cast<std::size_t>(i)] - level.alpha * mean_[i];
    // Joseph's form stays symmetric and semidefinite.
    const Eigen::MatrixXd left = Eigen::MatrixXd::Identity(size(), size()) - level.alpha * g;
    return {mean_ + g * surprise, left * covariance_ * left.transpose() + level.sigma * level.sigma * g * g.transpose(), 0};
  }

  /// @brief The law of alpha x0 + sigma eps.
  Gaussian noised(Level level) const {
    Eigen::MatrixXd covariance = level.alpha * level.alpha * covariance_;
    covariance.diagonal().array() += level.sigma * level.sigma;
    return {level.alpha * mean_, std::move(covariance), 0};
  }

  /// @brief L (n, n) with L L^T = Sigma.
  Eigen::MatrixXd root() const {
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(covariance_);
    return eigen.eigenvectors() * eigen.eigenvalues().cwiseMax(0.0).cwiseSqrt().asDiagonal();
  }

 private:
  /// Of the library's own making: symmetric and semidefinite up to rounding.
  Gaussian(Eigen::VectorXd mean, const Eigen::MatrixXd& covariance, int)
      : mean_(std::move(mean)), covariance_(0.5 * (covariance + covariance.transpose())) {}

  static Eigen::MatrixXd pseudo_inverse(const Eigen::MatrixXd& m) {
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(m);
    const double least = 1e-14 * static_cast<double>(m.rows()) * eigen.eigenvalues().cwiseAbs().maxCoeff();
    const Eigen::VectorXd inverse = eigen.eigenvalues().unaryExpr([least](double v) { return v > least ? 1.0 / v : 0.0; });
    return eigen.eigenvectors() * inverse.asDiagonal() * eigen.eigenvectors().transpose();
  }
  void require_size(std::size_t given) const {
    require<ShapeError>(given == static_cast<std::size_t>(size()), "Gaussian: ", given, " elements, expected ", size());
  }

  Eigen::VectorXd mean_;
  Eigen::MatrixXd covariance_;
};

/// @brief n independent standard normal numbers: element i of sample `sample` in a stream.
inline Eigen::VectorXd standard_normal(Eigen::Index n, PhiloxKey key, std::uint64_t sample) {
  Eigen::VectorXd z(n);
  for (Eigen::Index i = 0; i < n; i += 4) {
    const auto four = normals(philox(key, sample, static_cast<std::uint64_t>(i / 4)));
    for (Eigen::Index k = i; k < std::min(n, i + 4); ++k) z[k] = static_cast<double>(four[static_cast<std::size_t>(k - i)]);
  }
  return z;
}

/// @brief Both sides of eq. 11 for a context within an observed mask that share their noise.
struct InformationGap {
  double squared_difference = 0;   ///< E ||E[x0 | ctx] - E[x0 | obs]||^2, from the two gains
  double variance_difference = 0;  ///< E tr Var[x0 | ctx] - E tr Var[x0 | obs]
};

/// Throws: OptionError if the context is not within the observed mask. Source: paper, Theorem 2, eq. 11.
inline InformationGap information_gap(const Gaussian& prior, Mask context, Mask observed, Level level) {
  require<ShapeError>(context.size() == observed.size(), "information_gap: a context of ", context.size(), " elements in ",
                      observed.size());
  for (std::size_t i = 0; i < context.size(); ++i)
    require<OptionError>(context[i] == 0 || observed[i] != 0, "information_gap: element ", i, " of the context is not observed");
  const Eigen::MatrixXd apart = prior.gain(context, level) - prior.gain(observed, level);
  const std::vector<double> any(context.size(), 0.0);  // a Gaussian's conditional variance does not depend on the values
  return {(apart * prior.noised(level).covariance() * apart.transpose()).trace(),
          prior.given(context, any, level).total_variance() - prior.given(observed, any, level).total_variance()};
}

/// @brief What diffusion probabilistic fields converge to: E[x0 | ctx, qry], where context and query are noised apart.
/// Source: paper, appendix D, eq. 25: conditioning on one and then on the other.
inline Gaussian probabilistic_field(const Gaussian& prior, Mask context, std::span<const double> noisy_context, Mask query,
                                    std::span<const double> noisy_query, Level level) {
  return prior.given(context, noisy_context, level).given(query, noisy_query, level);
}

}  // namespace lacuna::theory
