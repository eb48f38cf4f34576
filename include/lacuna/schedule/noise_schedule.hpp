#pragma once

#include <cmath>
#include <concepts>

namespace lacuna::schedule {

/// @brief The smallest time trained on and sampled at (the paper's delta).
inline constexpr double smallest_time = 1e-3;

/// @brief `schedule.alpha(t)` and `schedule.sigma(t)`: x_t = alpha(t) x_0 + sigma(t) eps, t in [0, 1], 1 = noise.
template <class S>
concept HasLevels = requires(const S& s, double t) {
  { s.alpha(t) } -> std::convertible_to<double>;
  { s.sigma(t) } -> std::convertible_to<double>;
};

/// @brief `schedule.log_snr(t)`, log(alpha^2 / sigma^2), strictly falling, and its inverse `schedule.time_of_log_snr(l)`.
template <class S>
concept HasLogSnr = requires(const S& s, double x) {
  { s.log_snr(x) } -> std::convertible_to<double>;
  { s.time_of_log_snr(x) } -> std::convertible_to<double>;
};

/// @brief A noise schedule on t in [0, 1]: a copyable value with levels and log-SNR.
///
/// Every schedule runs over the same times, so trainer, time embedding and time grids need not know which it is. Where alpha or
/// sigma is 0 (t = 0 or 1 of some), log_snr is infinite; samplers use the levels there.
/// Source: Song et al. 2021, arXiv:2011.13456; the paper's appendix B, eq. 15-16.
template <class S>
concept NoiseSchedule = std::copyable<S> && HasLevels<S> && HasLogSnr<S>;

/// @brief log(1 + exp(x)) without overflow, all digits kept as x -> -infinity.
inline double softplus(double x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }

}  // namespace lacuna::schedule
