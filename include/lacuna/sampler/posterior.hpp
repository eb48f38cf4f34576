#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <utility>

#include "lacuna/core/error.hpp"
#include "lacuna/sampler/denoiser.hpp"

namespace lacuna::sampler {

/// @brief w of eq. 28, the share of the diffusion expectation, rising from 0 at t = 1 to 1 at t = 0.
inline double linear_weight(double t) { return 1.0 - t; }
inline double quadratic_weight(double t) { return 1.0 - t * t; }
/// The diffusion expectation alone.
inline double no_weight(double) { return 1.0; }

/// @brief Eq. 28: E[x0 | x_t, obs] is about w(t) E[x0 | x_t] + (1 - w(t)) mu_obs, mu_obs = E[x0 | obs] computed once.
///
/// A heuristic: on a Gaussian one can see by how much it misses the posterior (docs/theory.md). NaN shows.
/// Throws: OptionError where w leaves 0 .. 1, ShapeError. Source: paper, appendix E, eq. 26-28.
template <class Expectation, class T = float>
class Posterior {
 public:
  /// Keeps references: the denoiser and the mean must outlive it.
  Posterior(Expectation& diffusion, std::span<const T> mu_obs, std::function<double(double)> weight = linear_weight)
      : diffusion_(diffusion), mu_obs_(mu_obs), weight_(std::move(weight)) {}

  void operator()(const Evaluation& at, std::span<const T> state, std::span<T> estimate) {
    require<ShapeError>(mu_obs_.size() == state.size(), "Posterior: a mean of ", mu_obs_.size(), " for a state of ",
                        state.size());
    const double weight = weight_(at.time);
    require<OptionError>(weight >= 0 && weight <= 1, "Posterior: weight ", weight, " at t = ", at.time, ", expected 0 .. 1");
    diffusion_(at, state, estimate);
    const T w = static_cast<T>(weight), rest = static_cast<T>(1.0 - weight);
    for (std::size_t i = 0; i < estimate.size(); ++i) estimate[i] = w * estimate[i] + rest * mu_obs_[i];
  }

 private:
  Expectation& diffusion_;
  std::span<const T> mu_obs_;
  std::function<double(double)> weight_;
};

}  // namespace lacuna::sampler
