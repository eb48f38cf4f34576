#pragma once

#include <cmath>

#include "lacuna/schedule/noise_schedule.hpp"

namespace lacuna::schedule {

/// @brief Variance-preserving schedule with linear beta: x_t = alpha(t) x_0 + sigma(t) eps, alpha^2 + sigma^2 = 1.
///
/// log alpha = -t^2 (beta_max - beta_min) / 4 - t beta_min / 2, t in [0, 1]. sigma comes from expm1, so it keeps its digits as
/// t -> 0. Source: Song et al. 2021, arXiv:2011.13456, appendix C; the paper's experiments.
struct VariancePreserving {
  double beta_min = 0.1, beta_max = 20.0;

  double log_alpha(double t) const { return -0.25 * t * t * (beta_max - beta_min) - 0.5 * t * beta_min; }
  double alpha(double t) const { return std::exp(log_alpha(t)); }
  double sigma(double t) const { return std::sqrt(-std::expm1(2.0 * log_alpha(t))); }
  /// log(alpha^2 / sigma^2): decreases strictly in t.
  double log_snr(double t) const { return 2.0 * log_alpha(t) - std::log(-std::expm1(2.0 * log_alpha(t))); }
  /// The root of -2 log alpha(t) = log(1 + exp(-l)), in the form that does not cancel.
  double time_of_log_snr(double l) const {
    const double z = softplus(-l);
    return 2.0 * z / (beta_min + std::sqrt(beta_min * beta_min + 2.0 * (beta_max - beta_min) * z));
  }
};
static_assert(NoiseSchedule<VariancePreserving>);

}  // namespace lacuna::schedule
