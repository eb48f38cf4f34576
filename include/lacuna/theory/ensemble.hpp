#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/theory/gaussian.hpp"

namespace lacuna::theory {

/// @brief A context and how likely it is.
struct WeightedContext {
  std::vector<std::uint8_t> context;
  double probability = 0;
};

/// @brief Every context of a mask when each observed element is kept with one probability. Throws: OptionError beyond 16 of them.
inline std::vector<WeightedContext> independent_contexts(Mask observed, double ratio) {
  const auto known = members(observed);
  require<OptionError>(known.size() <= 16 && ratio > 0 && ratio <= 1, "independent_contexts: ", known.size(),
                       " elements at ratio ", ratio, "; at most 16 are enumerated, the ratio is in (0, 1]");
  std::vector<WeightedContext> all;
  for (std::size_t bits = 0; bits < std::size_t{1} << known.size(); ++bits) {
    WeightedContext w{std::vector<std::uint8_t>(observed.size(), 0), 1.0};
    for (std::size_t k = 0; k < known.size(); ++k) {
      const bool kept = (bits >> k & 1u) != 0;
      w.context[static_cast<std::size_t>(known[k])] = kept;
      w.probability *= kept ? ratio : 1.0 - ratio;
    }
    if (w.probability > 0) all.push_back(std::move(w));
  }
  return all;
}

/// @brief The terms of Theorem 2 for given observations, the expectation being over contexts.
struct EnsembleTerms {
  Eigen::VectorXd information_gap;  ///< E[E[x0 | ctx]] - E[x0 | obs]
  Eigen::VectorXd model_bias;       ///< E[b(ctx)]
  double data_variance = 0;         ///< Var[E[x0 | ctx]], summed over elements, as all below
  double bias_variance = 0;         ///< Var[b(ctx)]
  double noise_variance = 0;        ///< Var[eps]
  double neglected = 0;             ///< 2 Cov(E[x0 | ctx], b(ctx)): not in eq. 13, which assumes it to be 0

  /// What no number of members takes away.
  double floor() const { return (information_gap + model_bias).squaredNorm(); }
  /// Eq. 13 as printed: E ||mu_K - E[x0 | obs]||^2 with K members.
  double by_theorem(double members) const { return floor() + (data_variance + bias_variance + noise_variance) / members; }
  /// The same with the covariance.
  double exact(double members) const { return by_theorem(members) + neglected / members; }
  /// The number of members from which the 1 / K term is at most `share` of the floor: more do not help.
  double members_enough(double share = 0.1) const {
    return std::max(1.0, std::ceil((data_variance + bias_variance + noise_variance + neglected) / (share * floor())));
  }
};

/// @brief Sums over contexts, from which the terms of Theorem 2 follow.
class EnsembleSums {
 public:
  explicit EnsembleSums(Eigen::Index n) : mean_(Eigen::VectorXd::Zero(n)), mean_bias_(mean_) {}

  /// One context: how likely it is, E[x0 | ctx], and by how much the model's answer differs from that.
  void add(double probability, const Eigen::VectorXd& estimate, const Eigen::VectorXd& bias) {
    total_ += probability;
    mean_ += probability * estimate;
    mean_bias_ += probability * bias;
    squares_ += probability * estimate.squaredNorm();
    bias_squares_ += probability * bias.squaredNorm();
    products_ += probability * estimate.dot(bias);
  }

  /// best: E[x0 | obs]. Throws: OptionError unless the probabilities sum to 1.
  EnsembleTerms terms(const Eigen::VectorXd& best, double noise_variance = 0) const {
    require<OptionError>(std::abs(total_ - 1.0) < 1e-9, "ensemble_terms: the contexts' probabilities sum to ", total_);
    return {mean_ - best,
            mean_bias_,
            squares_ - mean_.squaredNorm(),
            bias_squares_ - mean_bias_.squaredNorm(),
            noise_variance,
            2.0 * (products_ - mean_.dot(mean_bias_))};
  }

 private:
  Eigen::VectorXd mean_, mean_bias_;
  double total_ = 0, squares_ = 0, bias_squares_ = 0, products_ = 0;
};

/// @brief Theorem 2 on the oracle: bias(context, E[x0 | ctx]) is the model's deterministic error (a vector), noise_variance that
/// of its random one. Probabilities are to sum to 1. Throws: OptionError if they do not, or there is no context. Source: paper,
/// Theorem 2, eq. 13.
template <class Bias>
EnsembleTerms ensemble_terms(const Gaussian& prior, Mask observed, std::span<const double> values, Level level,
                             const std::vector<WeightedContext>& contexts, const Bias& bias, double noise_variance = 0) {
  EnsembleSums sums(prior.size());
  for (const auto& c : contexts) {
    const Eigen::VectorXd estimate = prior.given(c.context, values, level).mean();
    sums.add(c.probability, estimate, bias(c.context, estimate));
  }
  return sums.terms(prior.given(observed, values, level).mean(), noise_variance);
}

}  // namespace lacuna::theory
