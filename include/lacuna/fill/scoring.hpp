#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "lacuna/mask/partition.hpp"
#include "lacuna/sampler/ensemble.hpp"
#include "lacuna/sampler/single_step.hpp"
#include "lacuna/train/samples.hpp"

namespace lacuna::fill {

/// @brief Observations kept aside, in normalised units: truth (T,H,W,V) and which of its values are withheld.
struct Withheld {
  const std::vector<float>& truth;
  const std::vector<std::uint8_t>& mask;
};

/// @brief Sums over withheld values of one variable, x = truth - background, d = learned anomaly: the squared error of
/// background + weight * anomaly is quadratic in the weight.
struct ErrorSums {
  double xx = 0, xd = 0, dd = 0, count = 0;

  void add(double x, double d) {
    xx += x * x;
    xd += x * d;
    dd += d * d;
    count += 1;
  }
  double squared_error(double weight) const { return xx - 2.0 * weight * xd + weight * weight * dd; }
  /// The weight in [0, 1] with the least error: 0 gives the background back.
  double best_weight() const { return dd > 0 ? std::clamp(xd / dd, 0.0, 1.0) : 0.0; }
};

/// @brief Error on withheld values, per variable, of one way to draw contexts.
struct Score {
  std::vector<ErrorSums> variables;

  std::vector<double> best_weights() const {
    std::vector<double> weights;
    for (const auto& sums : variables) weights.push_back(sums.best_weight());
    return weights;
  }
  /// Mean squared error in normalised units: the fraction of variance that is not explained.
  double nmse(const std::vector<double>& weights) const {
    double error = 0, count = 0;
    for (std::size_t v = 0; v < variables.size(); ++v) {
      error += variables[v].squared_error(weights[v]);
      count += variables[v].count;
    }
    return count > 0 ? error / count : 0;
  }
  double nmse() const { return nmse(best_weights()); }
  double background_nmse() const { return nmse(std::vector<double>(variables.size(), 0.0)); }
};

/// @brief Windows of the samples that hold withheld values.
inline std::vector<int> windows_with(const train::Samples& samples, const std::vector<std::uint8_t>& withheld) {
  std::vector<int> found;
  const std::size_t frame = samples.fields().frame_size();
  for (std::size_t w = 0; w < samples.starts().size(); ++w) {
    const auto begin = withheld.begin() + static_cast<std::ptrdiff_t>(frame * static_cast<std::size_t>(samples.starts()[w]));
    const auto end = begin + static_cast<std::ptrdiff_t>(frame * static_cast<std::size_t>(samples.length()));
    if (std::find(begin, end, std::uint8_t{1}) != end) found.push_back(static_cast<int>(w));
  }
  return found;
}

/// @brief Up to `most` of the windows, evenly spread: scores need no more.
inline std::vector<int> evenly(const std::vector<int>& windows, int most) {
  const int n = static_cast<int>(windows.size()), count = std::min(n, most);
  std::vector<int> chosen;
  for (int i = 0; i < count; ++i) chosen.push_back(windows[static_cast<std::size_t>((2 * i + 1) * n / (2 * count))]);
  return chosen;
}

/// @brief The whole observed mask of a window as its context.
inline std::vector<std::uint8_t> self_context(const train::Samples& samples, int window) {
  const auto& observed = samples.windows()[static_cast<std::size_t>(window)].masks.observed;
  return {observed.begin(), observed.end()};
}

/// @brief Score with each window's own mask as the context: one evaluation a window.
template <class Sampler>
Score score_self(Sampler& sampler, const train::Samples& samples, const Withheld& withheld, const std::vector<int>& windows) {
  std::vector<sampler::Request> requests;
  for (const int w : windows) requests.push_back({w, static_cast<std::uint64_t>(w), self_context(samples, w)});
  const auto variables = static_cast<std::size_t>(samples.fields().variables());
  Score score{std::vector<ErrorSums>(variables)};
  sampler(requests, [&](std::size_t i, const sampler::Estimate& e) {
    const std::size_t at =
        samples.fields().frame_size() * static_cast<std::size_t>(samples.starts()[static_cast<std::size_t>(requests[i].window)]);
    for (std::size_t j = 0; j < e.anomaly.size(); ++j)
      if (withheld.mask[at + j] != 0)
        score.variables[j % variables].add(static_cast<double>(withheld.truth[at + j]) - static_cast<double>(e.background[j]),
                                           static_cast<double>(e.anomaly[j]));
  });
  return score;
}

/// @brief What an ensemble of contexts says about one withheld value.
struct EnsembleValue {
  std::size_t at = 0;                                          ///< index into the truth
  double background = 0, anomaly = 0;                          ///< means over the members
  double var_background = 0, var_anomaly = 0, covariance = 0;  ///< unbiased, over the members

  double variance(double weight) const {
    return std::max(0.0, var_background + 2.0 * weight * covariance + weight * weight * var_anomaly);
  }
};

/// @brief Member k's context of a window, by the policy.
template <mask::MaskPolicy Policy>
sampler::Request member_request(const train::Samples& samples, const Policy& policy, std::uint64_t seed, int window, int member) {
  const auto& w = samples.windows()[static_cast<std::size_t>(window)];
  sampler::Request request{window, (static_cast<std::uint64_t>(member + 1) << 32) | static_cast<std::uint64_t>(window), {}};
  mask::sampling_context(policy, philox_key(seed, Purpose::sampling), request.member, w, data::whole(samples.fields().grid),
                         request.context);
  return request;
}

/// @brief Runs K contexts of every window and keeps their moments at the withheld values.
template <class Sampler, mask::MaskPolicy Policy>
std::vector<EnsembleValue> ensemble_values(Sampler& sampler, const train::Samples& samples, const Policy& policy,
                                           std::uint64_t seed, int members, const Withheld& withheld,
                                           const std::vector<int>& windows) {
  std::vector<EnsembleValue> values;
  for (const int w : windows) {
    const std::size_t first =
        samples.fields().frame_size() * static_cast<std::size_t>(samples.starts()[static_cast<std::size_t>(w)]);
    const std::size_t size = samples.fields().frame_size() * static_cast<std::size_t>(samples.length());
    const std::size_t begin = values.size();
    for (std::size_t j = 0; j < size; ++j)
      if (withheld.mask[first + j] != 0) values.push_back({.at = first + j});
    std::vector<sampler::Request> requests;
    for (int k = 0; k < members; ++k) requests.push_back(member_request(samples, policy, seed, w, k));
    int count = 0;
    sampler(requests, [&](std::size_t, const sampler::Estimate& e) {
      ++count;
      for (std::size_t i = begin; i < values.size(); ++i) {
        auto& value = values[i];
        const double b = static_cast<double>(e.background[value.at - first]),
                     d = static_cast<double>(e.anomaly[value.at - first]);
        const double before_b = b - value.background, before_d = d - value.anomaly;
        value.background += before_b / count;
        value.anomaly += before_d / count;
        value.var_background += before_b * (b - value.background);
        value.var_anomaly += before_d * (d - value.anomaly);
        value.covariance += before_b * (d - value.anomaly);
      }
    });
    for (std::size_t i = begin; i < values.size() && count > 1; ++i) {
      values[i].var_background /= count - 1;
      values[i].var_anomaly /= count - 1;
      values[i].covariance /= count - 1;
    }
  }
  return values;
}

/// @brief Score of the ensemble means.
inline Score score_ensemble(const std::vector<EnsembleValue>& values, const Withheld& withheld, std::size_t variables) {
  Score score{std::vector<ErrorSums>(variables)};
  for (const auto& value : values)
    score.variables[value.at % variables].add(static_cast<double>(withheld.truth[value.at]) - value.background, value.anomaly);
  return score;
}

/// @brief Per variable, the factor that makes the ensemble's spread as large as the error of the chosen mean:
/// factor^2 = mean squared error / mean ensemble variance on withheld values.
inline std::vector<double> spread_factors(const std::vector<EnsembleValue>& values, const Score& chosen,
                                          const std::vector<double>& weights) {
  std::vector<double> variance(weights.size(), 0.0), factors(weights.size(), 1.0);
  for (const auto& value : values) variance[value.at % weights.size()] += value.variance(weights[value.at % weights.size()]);
  for (std::size_t v = 0; v < weights.size(); ++v)
    if (variance[v] > 0 && chosen.variables[v].count > 0)
      factors[v] = std::sqrt(std::max(0.0, chosen.variables[v].squared_error(weights[v])) / variance[v]);
  return factors;
}

}  // namespace lacuna::fill
