#pragma once

#include <cmath>
#include <concepts>
#include <span>
#include <utility>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/sampler/denoiser.hpp"
#include "lacuna/sampler/time_path.hpp"
#include "lacuna/sampler/update.hpp"

namespace lacuna::sampler {

/// @brief One step down, from a noisier level to a cleaner one.
struct Interval {
  Level from, to;

  /// Width in log(alpha / sigma); infinite where the first alpha or the last sigma is 0.
  double width() const { return 0.5 * (to.log_snr - from.log_snr); }
  /// x_t = state_weight() x_s + estimate_weight() x0 is exact for a constant estimate x0, and finite at alpha_s = 0:
  /// (sigma_t / sigma_s) x_s + (alpha_t - alpha_s sigma_t / sigma_s) x0.
  double state_weight() const { return to.sigma / from.sigma; }
  double estimate_weight() const { return -to.alpha * std::expm1(-width()); }
};

/// @brief What a solver works on and keeps from step to step.
template <class T>
struct Stage {
  std::span<T> state;
  Known<T> known;
  std::vector<T> estimate = {}, other = {}, noise = {};
  double width_before = 0;  ///< of the step that left its estimate in `other`; 0 = none

  UpdateArrays<T> arrays(const T* given_noise = nullptr) {
    return {state.data(),        estimate.data(),       other.data(), given_noise != nullptr ? given_noise : state.data(),
            known.values.data(), known.observed.data(), state.data()};
  }
  /// state = weights (state, estimate, other, noise).
  bool advance(double state_weight, double estimate_weight, double other_weight = 0, double noise_weight = 0) {
    const UpdateWeights<T> w{static_cast<T>(state_weight), static_cast<T>(estimate_weight), static_cast<T>(other_weight),
                             static_cast<T>(noise_weight)};
    return update(w, arrays(noise_weight != 0 ? noise.data() : nullptr), state.size());
  }
};

/// @brief `solver.step(interval, stage, denoise, draw)` moves stage.state from one level to the next and returns whether it is
/// finite. denoise(time, state, estimate) asks the denoiser; draw(noise) fills a span with standard normal numbers.
template <class S, class T = float>
concept Solver = requires(const S& solver, const Interval& interval, Stage<T>& stage,
                          void (*denoise)(double, std::span<const T>, std::span<T>), void (*draw)(std::span<T>)) {
  { solver.step(interval, stage, denoise, draw) } -> std::same_as<bool>;
  solver.check();
};

/// @brief The exact solution for an estimate that stays as it is during the step (DDIM): first order, one evaluation.
/// clip_noise > 0 cuts the predicted noise to +- clip_noise (the paper's published code: 5).
/// Source: paper, Algorithm 4; Song et al. 2021, arXiv:2010.02502, eq. 13.
struct FirstOrder {
  double clip_noise = 0;

  template <class T, class Denoise, class Draw>
  bool step(const Interval& i, Stage<T>& s, const Denoise& denoise, const Draw&) const {
    denoise(i.from.time, s.state, s.estimate);
    if (clip_noise == 0) return s.advance(i.state_weight(), i.estimate_weight());
    return clipped_update(static_cast<T>(i.from.alpha), static_cast<T>(i.from.sigma), static_cast<T>(i.to.alpha),
                          static_cast<T>(i.to.sigma), static_cast<T>(clip_noise), s.arrays(), s.state.size());
  }
  void check() const { require<OptionError>(clip_noise >= 0, "FirstOrder: clip_noise ", clip_noise, ", expected 0 or more"); }
};

/// @brief What the paper's published code computes: x_t = alpha_t x0, all noise dropped. Its samples have no spread of their own;
/// here so that the two can be compared.
struct Published {
  template <class T, class Denoise, class Draw>
  bool step(const Interval& i, Stage<T>& s, const Denoise& denoise, const Draw&) const {
    denoise(i.from.time, s.state, s.estimate);
    return s.advance(0, i.to.alpha);
  }
  void check() const {}
};

/// @brief Heun's method in exponential form: the estimate is a straight line in log-SNR between the step's two ends, the second
/// of which is evaluated at the first-order prediction. Second order, two evaluations.
///
/// All weights are bounded, where the form of Karras et al. divides by sigma_t. A step of infinite width (from alpha = 0 or to
/// sigma = 0) is first order. Source: Hochbruck and Ostermann 2010, doi:10.1017/S0962492910000048;
/// Karras et al. 2022, arXiv:2206.00364, Algorithm 1.
struct Heun {
  template <class T, class Denoise, class Draw>
  bool step(const Interval& i, Stage<T>& s, const Denoise& denoise, const Draw&) const {
    denoise(i.from.time, s.state, s.estimate);
    const double h = i.width();
    if (!std::isfinite(h)) return s.advance(i.state_weight(), i.estimate_weight());
    s.noise.resize(s.state.size());  // the prediction lives where other solvers keep noise
    UpdateArrays<T> a = s.arrays();
    a.out = s.noise.data();
    if (!update<T>({static_cast<T>(i.state_weight()), static_cast<T>(i.estimate_weight())}, a, s.state.size())) return false;
    denoise(i.to.time, s.noise, s.other);
    const double second = i.to.alpha * (h + std::expm1(-h)) / h;
    return s.advance(i.state_weight(), i.estimate_weight() - second, second);
  }
  void check() const {}
};

/// @brief DPM-Solver++(2M): the estimate's slope in log-SNR comes from the step before. Second order, one evaluation.
/// The first step, steps after going back, and steps of infinite width are first order.
/// Source: Lu et al. 2022, arXiv:2211.01095, Algorithm 2.
struct DpmSolver2M {
  template <class T, class Denoise, class Draw>
  bool step(const Interval& i, Stage<T>& s, const Denoise& denoise, const Draw&) const {
    denoise(i.from.time, s.state, s.estimate);
    const double h = i.width();
    const double ahead = s.width_before > 0 && std::isfinite(h) ? 0.5 * h / s.width_before : 0.0;
    const bool finite = s.advance(i.state_weight(), i.estimate_weight() * (1 + ahead), -i.estimate_weight() * ahead);
    std::swap(s.estimate, s.other);
    s.width_before = h;
    return finite;
  }
  void check() const {}
};

/// @brief The stochastic step: x_t is drawn from q(x_t | x_s, x0), its noise scaled by eta. eta = 1: ancestral sampling (DDPM);
/// eta = 0: FirstOrder. Source: Song et al. 2021, arXiv:2010.02502, eq. 12 and 16.
struct Ancestral {
  double eta = 1;

  template <class T, class Denoise, class Draw>
  bool step(const Interval& i, Stage<T>& s, const Denoise& denoise, const Draw& draw) const {
    denoise(i.from.time, s.state, s.estimate);
    s.noise.resize(s.state.size());
    draw(std::span<T>(s.noise));
    const double fresh = eta * i.to.sigma * std::sqrt(-std::expm1(-2.0 * i.width()));
    const double kept = std::sqrt(std::max(0.0, i.to.sigma * i.to.sigma - fresh * fresh)) / i.from.sigma;
    return s.advance(kept, i.to.alpha - i.from.alpha * kept, 0, fresh);
  }
  void check() const { require<OptionError>(eta >= 0 && eta <= 1, "Ancestral: eta ", eta, ", expected 0 .. 1"); }
};

static_assert(Solver<FirstOrder> && Solver<Published> && Solver<Heun> && Solver<DpmSolver2M> && Solver<Ancestral>);

}  // namespace lacuna::sampler
