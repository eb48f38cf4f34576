#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/sampler/denoiser.hpp"
#include "lacuna/schedule/noise_schedule.hpp"

namespace lacuna::sampler {

/// @brief `penalty(variance, estimate)` moves an estimate of x0 whose variance is known towards what the penalty asks for.
template <class P, class T = float>
concept Penalty = requires(P& penalty, double variance, std::span<T> estimate) {
  penalty(variance, estimate);
};

/// @brief Noisy observations: penalty sum (x - y)^2 / (2 error^2), by its proximal map x += v / (v + error^2) (y - x).
///
/// Exact where elements are independent, and stable for any error: 0 keeps the value, infinity ignores it (it may be NaN then).
/// Throws: OptionError if an error is negative or NaN. Source: Song et al. 2023 (PiGDM), ICLR 2023, OpenReview 9_gsMA8MRKQ.
template <class T = float>
class ObservationMisfit {
 public:
  /// values, error: as the state, in its units.
  ObservationMisfit(std::vector<T> values, std::vector<T> error) : values_(std::move(values)), error_(std::move(error)) {
    require<ShapeError>(values_.size() == error_.size(), "ObservationMisfit: ", values_.size(), " values, ", error_.size(),
                        " errors");
    for (const T e : error_) require<OptionError>(e >= 0, "ObservationMisfit: an error of ", e, ", expected 0 or more");
  }
  void operator()(double variance, std::span<T> estimate) const {
    require<ShapeError>(estimate.size() == values_.size(), "ObservationMisfit: ", values_.size(), " values for a state of ",
                        estimate.size());
    const T v = static_cast<T>(variance);
    for (std::size_t i = 0; i < estimate.size(); ++i)
      if (std::isfinite(error_[i]) && v > 0) estimate[i] += v / (v + error_[i] * error_[i]) * (values_[i] - estimate[i]);
  }

 private:
  std::vector<T> values_, error_;
};

/// @brief A user's residual: `gradient(x, out)` writes d penalty / d x0; the estimate moves by -strength variance gradient.
/// TapeGradient makes such a gradient of a penalty written with the library's ops.
///
/// The step is explicit: it is stable while it stays below 2 / the penalty's curvature. largest_step cuts it there, so that a
/// strong penalty is stable while the variance is large. Throws: OptionError for a strength or largest step below 0 or NaN.
/// Source: Huang et al. 2024 (DiffusionPDE), arXiv:2406.17763, with the gradient at the estimate.
template <class Gradient, class T = float>
class Residual {
 public:
  explicit Residual(Gradient gradient, double strength = 1.0, double largest_step = std::numeric_limits<double>::infinity())
      : gradient_(std::move(gradient)), strength_(strength), largest_step_(largest_step) {
    require<OptionError>(strength >= 0 && largest_step >= 0, "Residual: strength ", strength, ", largest step ", largest_step,
                         "; expected 0 or more");
  }

  void operator()(double variance, std::span<T> estimate) {
    slope_.resize(estimate.size());
    gradient_(std::span<const T>(estimate), std::span<T>(slope_));
    const T step = static_cast<T>(std::min(strength_ * variance, largest_step_));
    for (std::size_t i = 0; i < estimate.size(); ++i) estimate[i] -= step * slope_[i];
  }

 private:
  Gradient gradient_;
  double strength_, largest_step_;
  std::vector<T> slope_;
};

/// @brief A denoiser whose estimate is moved by a penalty; wraps any denoiser, also another Guided.
///
/// The estimate's variance is taken as that of independent data of deviation s: s^2 sigma^2 / (alpha^2 s^2 + sigma^2), so
/// guidance fades as the noise does. NaN shows, and the sampler says at which step.
template <class Inner, class P, schedule::NoiseSchedule Schedule>
class Guided {
 public:
  /// Keeps references to the denoiser and the penalty.
  Guided(Inner& inner, P& penalty, const Schedule& schedule, double deviation = 1.0)
      : inner_(inner), penalty_(penalty), schedule_(schedule), deviation_(deviation) {
    require<OptionError>(deviation > 0, "Guided: a deviation of ", deviation, ", expected more than 0");
  }

  template <class T>
  requires Denoiser<Inner, T> && Penalty<P, T>
  void operator()(const Evaluation& at, std::span<const T> state, std::span<T> estimate) {
    inner_(at, state, estimate);
    penalty_(variance(at.time), estimate);
  }
  double variance(double t) const {
    const double signal = std::pow(schedule_.alpha(t) * deviation_, 2), noise = std::pow(schedule_.sigma(t), 2);
    return deviation_ * deviation_ * noise / (signal + noise);
  }

 private:
  Inner& inner_;
  P& penalty_;
  Schedule schedule_;
  double deviation_;
};

}  // namespace lacuna::sampler
