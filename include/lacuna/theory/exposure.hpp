#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/core/philox.hpp"
#include "lacuna/mask/partition.hpp"
#include "lacuna/mask/policy.hpp"
#include "lacuna/theory/gaussian.hpp"

namespace lacuna::theory {

/// @brief What training does with one context, position by position: both sides of Theorem 1.
struct Exposure {
  std::size_t draws = 0;                   ///< that ended in this context
  std::vector<double> frequency;           ///< share of draws that query the position: p_i, and its update frequency (iii)
  std::vector<double> squared_gradient;    ///< mean of (dL / dx_i)^2 for the summed loss, (ii) left
  std::vector<double> predicted_gradient;  ///< 4 p_i E[(output_i - x_i)^2 | queried], (ii) right, by the oracle
  std::vector<double> learned;             ///< mean of x_i where queried: what the loss drives the output to (i); 0 if never
};

/// @brief What is to be found out about which context.
struct ExposureCase {
  std::span<const std::uint8_t> context;
  std::span<const double> values;  ///< of the context, noisy as `level` says
  std::span<const double> output;  ///< of the network, whose gradient is taken
  Level level;
  std::uint64_t seed = 1;
  std::size_t trials = 100000;
};

/// @brief Draws masks (each window equally likely), contexts and queries by the policy, keeps the draws that end in the given
/// context, and draws x0 from its law given that context.
///
/// Masks are independent of the data, so given the context's values x0 does not depend on which mask was behind it.
/// Throws: ShapeError; Error if no draw ends in the context. Source: paper, Theorem 1.
template <mask::MaskPolicy Policy>
Exposure measure_exposure(const Policy& policy, const std::vector<mask::Window>& windows, const Gaussian& prior,
                          const ExposureCase& c) {
  const auto n = static_cast<std::size_t>(prior.size());
  for (const auto& w : windows)
    require<ShapeError>(w.masks.size() == n && c.context.size() == n && c.output.size() == n, "measure_exposure: masks of ",
                        w.masks.size(), ", a context of ", c.context.size(), " and an output of ", c.output.size(),
                        " for a law of ", n);
  const Gaussian law = prior.given(c.context, c.values, c.level);
  const Eigen::MatrixXd root = law.root();
  const std::vector<double> zero(n, 0.0);
  Exposure e{0, zero, zero, zero, zero};
  mask::Partition parts;
  for (std::size_t trial = 0; trial < c.trials; ++trial) {
    const int chosen = uniform_below(philox(philox_key(c.seed, Purpose::window), trial, 0)[0], static_cast<int>(windows.size()));
    const mask::Window& window = windows[static_cast<std::size_t>(chosen)];
    const data::Patch all{0, 0, window.masks.height, window.masks.width};
    mask::partition(policy, philox_key(c.seed, Purpose::context), trial, window, all, parts);
    if (!std::equal(parts.context.begin(), parts.context.end(), c.context.begin())) continue;
    ++e.draws;
    const Eigen::VectorXd x = law.mean() + root * standard_normal(law.size(), philox_key(c.seed, Purpose::initial), trial);
    for (std::size_t i = 0; i < n; ++i) {
      if (parts.query[i] == 0) continue;
      const double value = x[static_cast<Eigen::Index>(i)], gradient = 2.0 * (c.output[i] - value);
      e.frequency[i] += 1;
      e.squared_gradient[i] += gradient * gradient;
      e.learned[i] += value;
    }
  }
  require(e.draws > 0, "measure_exposure: none of ", c.trials, " draws ended in the given context");
  for (std::size_t i = 0; i < n; ++i) {
    const auto at = static_cast<Eigen::Index>(i);
    const double miss = c.output[i] - law.mean()[at];
    if (e.frequency[i] > 0) e.learned[i] /= e.frequency[i];
    e.frequency[i] /= static_cast<double>(e.draws);
    e.squared_gradient[i] /= static_cast<double>(e.draws);
    e.predicted_gradient[i] = 4.0 * e.frequency[i] * (miss * miss + law.covariance()(at, at));
  }
  return e;
}

}  // namespace lacuna::theory
