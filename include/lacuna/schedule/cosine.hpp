#pragma once

#include <cmath>

#include "lacuna/schedule/noise_schedule.hpp"

namespace lacuna::schedule {

/// @brief Cosine schedule: alpha = cos(a) / cos(a_0) with the angle a = (pi / 2) (t + offset) / (1 + offset); variance
/// preserving.
///
/// alpha(1) = 0, so log_snr(1) is infinite. alpha is computed from 1 - t and sigma as a product of sines: both keep
/// their digits at either end. Source: Nichol and Dhariwal 2021, arXiv:2102.09672, eq. 17 (offset 0.008).
struct Cosine {
  double offset = 0.008;

  double alpha(double t) const { return std::sin(rate() * (1.0 - t)) / std::cos(start()); }
  double sigma(double t) const {
    return std::sqrt(std::sin(rate() * t) * std::sin(rate() * t + 2.0 * start())) / std::cos(start());
  }
  double log_snr(double t) const { return 2.0 * std::log(alpha(t) / sigma(t)); }
  /// From the sine of the angle that noise takes (l > 0), else from the angle itself: each well conditioned at its end.
  double time_of_log_snr(double l) const {
    const double cosine = std::cos(start()), sine = std::sin(start());
    const double noise = cosine * cosine * std::exp(-softplus(l));  // (cos a_0)^2 sigma^2
    const double angle = std::atan2(std::sqrt(noise + sine * sine), cosine * std::exp(-0.5 * softplus(-l)));
    return (l > 0 ? std::asin(noise / std::sin(angle + start())) : angle - start()) / rate();
  }

 private:
  static constexpr double half_pi = 1.57079632679489661923;
  double rate() const { return half_pi / (1.0 + offset); }
  double start() const { return rate() * offset; }
};
static_assert(NoiseSchedule<Cosine>);

}  // namespace lacuna::schedule
