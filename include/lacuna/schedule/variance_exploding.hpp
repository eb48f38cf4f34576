#pragma once

#include <cmath>

#include "lacuna/schedule/noise_schedule.hpp"

namespace lacuna::schedule {

/// @brief Variance-exploding schedule with Karras' times: alpha = 1, sigma = (a + t (b - a))^rho, a^rho = sigma_min, b^rho =
/// sigma_max.
///
/// Equal steps of t are the time steps of EDM. The state is of the size of sigma: a network that is to be trained with it wants
/// its input scaled, or sigma_max near 1. Defaults: EDM's, for data of deviation 0.5 to 1.
/// Source: Karras et al. 2022, arXiv:2206.00364, eq. 5 and table 1.
struct VarianceExploding {
  double sigma_min = 0.002, sigma_max = 80.0, rho = 7.0;

  double alpha(double) const { return 1.0; }
  double sigma(double t) const { return std::pow(root(t), rho); }
  double log_snr(double t) const { return -2.0 * rho * std::log(root(t)); }
  double time_of_log_snr(double l) const {
    const double first = std::pow(sigma_min, 1.0 / rho), last = std::pow(sigma_max, 1.0 / rho);
    return (std::exp(-0.5 * l / rho) - first) / (last - first);
  }

 private:
  double root(double t) const {
    const double first = std::pow(sigma_min, 1.0 / rho), last = std::pow(sigma_max, 1.0 / rho);
    return first + t * (last - first);
  }
};
static_assert(NoiseSchedule<VarianceExploding>);

}  // namespace lacuna::schedule
