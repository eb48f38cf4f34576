#pragma once

#include <cmath>
#include <concepts>

#include "lacuna/core/error.hpp"
#include "lacuna/core/host_device.hpp"

namespace lacuna::schedule {

/// @brief What a network's output means for an element whose noisy value x_t = alpha x0 + sigma eps is among its inputs.
///
/// A copyable value with target(alpha, sigma, x0, eps), what the network is trained to answer, and the ways back from its
/// answer: clean(alpha, sigma, x_t, answer), its estimate of x0, and noise(alpha, sigma, x_t, answer), its estimate of eps, which
/// is -sigma times the score (eq. 17a). `needs_noisy` tells whether target and clean involve the noisy value at all. Where the
/// network is shown no noisy value of an element (outside of the context), there is nothing to convert with: its answer is x0
/// there, whatever the matching. Both ways back are linear in x_t and the answer. All in units of the anomaly's deviation.
template <class M>
concept Matching = std::copyable<M> && requires(const M& m, float x) {
  { M::needs_noisy } -> std::convertible_to<bool>;
  { m.target(x, x, x, x) } -> std::same_as<float>;
  { m.clean(x, x, x, x) } -> std::same_as<float>;
  { m.noise(x, x, x, x) } -> std::same_as<float>;
};

/// @brief The answer is x0: the paper's objective, and the only one that is defined without a noisy value.
/// Throws: OptionError by noise() where sigma = 0. Source: paper, eq. 17b.
struct DataMatching {
  static constexpr bool needs_noisy = false;

  template <class T>
  LACUNA_HOST_DEVICE T target(T, T, T x0, T) const {
    return x0;
  }
  template <class T>
  T clean(T, T, T, T answer) const {
    return answer;
  }
  template <class T>
  T noise(T alpha, T sigma, T noisy, T answer) const {
    require<OptionError>(sigma > 0, "DataMatching: at sigma = 0 an estimate of x0 says nothing of the noise");
    return (noisy - alpha * answer) / sigma;
  }
};

/// @brief The answer is eps. clean() enlarges its error by sigma / alpha: 150 times at t = 1 of the paper's schedule.
///
/// Throws: OptionError by clean() where alpha = 0 (t = 1 of Cosine and RectifiedFlow): sampling begins below that time.
/// Source: paper, eq. 17a; Ho et al. 2020, arXiv:2006.11239, eq. 14.
struct NoiseMatching {
  static constexpr bool needs_noisy = true;

  template <class T>
  LACUNA_HOST_DEVICE T target(T, T, T, T eps) const {
    return eps;
  }
  template <class T>
  T clean(T alpha, T sigma, T noisy, T answer) const {
    require<OptionError>(alpha > 0, "NoiseMatching: at alpha = 0 an estimate of the noise says nothing of x0; begin below t = 1");
    return (noisy - sigma * answer) / alpha;
  }
  template <class T>
  T noise(T, T, T, T answer) const {
    return answer;
  }
};

/// @brief The answer is v = (alpha eps - sigma x0) / r, r^2 = alpha^2 + sigma^2: the velocity of x_t / r along the angle whose
/// tangent is sigma / alpha.
///
/// A rotation of (x0, eps): no conversion enlarges an error, at either end of any schedule. Any other velocity (d x_t / dt, as in
/// flow matching) is a combination of x_t and v with factors that depend on t alone, so training it differs from this by a weight
/// on the times. Source: Salimans and Ho 2022, arXiv:2202.00512, appendix D, where r = 1.
struct VelocityMatching {
  static constexpr bool needs_noisy = true;

  template <class T>
  LACUNA_HOST_DEVICE T target(T alpha, T sigma, T x0, T eps) const {
    return (alpha * eps - sigma * x0) / std::hypot(alpha, sigma);
  }
  template <class T>
  T clean(T alpha, T sigma, T noisy, T answer) const {
    const T r = std::hypot(alpha, sigma);
    return (alpha / r * noisy - sigma * answer) / r;
  }
  template <class T>
  T noise(T alpha, T sigma, T noisy, T answer) const {
    const T r = std::hypot(alpha, sigma);
    return (sigma / r * noisy + alpha * answer) / r;
  }
};

static_assert(Matching<DataMatching> && Matching<NoiseMatching> && Matching<VelocityMatching>);

}  // namespace lacuna::schedule
