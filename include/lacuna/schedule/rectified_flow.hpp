#pragma once

#include <cmath>

#include "lacuna/schedule/noise_schedule.hpp"

namespace lacuna::schedule {

/// @brief The straight path from data to noise: alpha = 1 - t, sigma = t.
///
/// log_snr is infinite at t = 0 and t = 1. Source: Liu et al. 2022, arXiv:2209.03003.
struct RectifiedFlow {
  double alpha(double t) const { return 1.0 - t; }
  double sigma(double t) const { return t; }
  double log_snr(double t) const { return 2.0 * (std::log1p(-t) - std::log(t)); }
  double time_of_log_snr(double l) const { return 1.0 / (1.0 + std::exp(0.5 * l)); }
};
static_assert(NoiseSchedule<RectifiedFlow>);

}  // namespace lacuna::schedule
