#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <set>
#include <vector>

#include "lacuna/mask/partition.hpp"
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

/// @brief Which kind of gap a value of a window lies in: its variable's number for a gap in a plane that has observations, and
/// that plus the number of variables in a plane without any (a lost frame), where errors are of another size.
inline std::size_t kind_of_gap(const train::Samples& samples, int window, std::size_t in_window) {
  const auto variables = static_cast<std::size_t>(samples.fields().variables());
  const std::size_t variable = in_window % variables, frame = in_window / samples.fields().frame_size();
  const bool lost =
      samples.windows()[static_cast<std::size_t>(window)].group(static_cast<int>(frame), static_cast<int>(variable)) < 0;
  return lost ? variables + variable : variable;
}
inline std::size_t gap_kinds(const train::Samples& samples) { return 2 * static_cast<std::size_t>(samples.fields().variables()); }

/// @brief Fills what has no withheld values of its own from those of the same sort (first half: gaps in planes, second: lost
/// planes), or else from all.
template <class Sums, class Add>
void pool(std::vector<Sums>& kinds, const Add& add) {
  const std::vector<Sums> own = kinds;
  const std::size_t half = kinds.size() / 2;
  Sums halves[2], all;
  for (std::size_t k = 0; k < own.size(); ++k) {
    add(halves[k < half ? 0 : 1], own[k]);
    add(all, own[k]);
  }
  for (std::size_t k = 0; k < kinds.size(); ++k) {
    const Sums& same = halves[k < half ? 0 : 1];
    if (own[k].count == 0) kinds[k] = same.count > 0 ? same : all;
  }
}

/// @brief Error on withheld values, per kind of gap, of one way to draw contexts.
struct Score {
  std::vector<ErrorSums> kinds;

  std::vector<double> best_weights() const {
    std::vector<ErrorSums> pooled = kinds;
    pool(pooled, [](ErrorSums& to, const ErrorSums& from) {
      to.xx += from.xx;
      to.xd += from.xd;
      to.dd += from.dd;
      to.count += from.count;
    });
    std::vector<double> weights;
    for (const auto& sums : pooled) weights.push_back(sums.best_weight());
    return weights;
  }
  /// Mean squared error in normalised units: the fraction of variance that is not explained.
  double nmse(const std::vector<double>& weights) const {
    double error = 0, count = 0;
    for (std::size_t k = 0; k < kinds.size(); ++k) {
      error += kinds[k].squared_error(weights[k]);
      count += kinds[k].count;
    }
    return count > 0 ? error / count : 0;
  }
  double nmse() const { return nmse(best_weights()); }
  double background_nmse() const { return nmse(std::vector<double>(kinds.size(), 0.0)); }
};

/// @brief For each kind of gap up to `most` of the windows that hold withheld values of it, evenly spread; joined and in order.
inline std::vector<int> windows_to_score(const train::Samples& samples, const std::vector<std::uint8_t>& withheld,
                                         int most = 16) {
  const std::size_t frame = samples.fields().frame_size(), size = frame * static_cast<std::size_t>(samples.length());
  std::vector<std::vector<int>> holding(gap_kinds(samples));
  for (std::size_t w = 0; w < samples.starts().size(); ++w) {
    const std::size_t at = frame * static_cast<std::size_t>(samples.starts()[w]);
    const int window = static_cast<int>(w);
    for (std::size_t j = 0; j < size; ++j) {
      if (withheld[at + j] == 0) continue;
      auto& own = holding[kind_of_gap(samples, window, j)];
      if (own.empty() || own.back() != window) own.push_back(window);
    }
  }
  std::set<int> chosen;
  for (const auto& own : holding) {
    const int n = static_cast<int>(own.size()), count = std::min(n, most);
    for (int i = 0; i < count; ++i) chosen.insert(own[static_cast<std::size_t>((2 * i + 1) * n / (2 * count))]);
  }
  return {chosen.begin(), chosen.end()};
}

/// @brief The whole observed mask of a window as its context.
inline std::vector<std::uint8_t> self_context(const train::Samples& samples, int window) {
  const auto& observed = samples.windows()[static_cast<std::size_t>(window)].masks.observed;
  return {observed.begin(), observed.end()};
}

/// @brief Score with each window's own mask as the context: one evaluation a window.
///
/// visit(background, anomaly, truth, kind of gap) is called for every withheld value, window by window in order.
template <class Sampler, class Visit>
Score score_self(Sampler& sampler, const train::Samples& samples, const Withheld& withheld, const std::vector<int>& windows,
                 const Visit& visit) {
  std::vector<sampler::Request> requests;
  for (const int w : windows) requests.push_back({w, static_cast<std::uint64_t>(w), self_context(samples, w)});
  Score score{std::vector<ErrorSums>(gap_kinds(samples))};
  sampler(requests, [&](std::size_t i, const sampler::Estimate& e) {
    const std::size_t at =
        samples.fields().frame_size() * static_cast<std::size_t>(samples.starts()[static_cast<std::size_t>(requests[i].window)]);
    for (std::size_t j = 0; j < e.anomaly.size(); ++j) {
      if (withheld.mask[at + j] == 0) continue;
      const auto background = static_cast<double>(e.background[j]), anomaly = static_cast<double>(e.anomaly[j]);
      const auto truth = static_cast<double>(withheld.truth[at + j]);
      const std::size_t kind = kind_of_gap(samples, requests[i].window, j);
      score.kinds[kind].add(truth - background, anomaly);
      visit(background, anomaly, truth, kind);
    }
  });
  return score;
}
template <class Sampler>
Score score_self(Sampler& sampler, const train::Samples& samples, const Withheld& withheld, const std::vector<int>& windows) {
  return score_self(sampler, samples, withheld, windows, [](double, double, double, std::size_t) {});
}

/// @brief What an ensemble of contexts says about one withheld value.
struct EnsembleValue {
  std::size_t at = 0;                                          ///< index into the truth
  std::size_t kind = 0;                                        ///< of gap
  double expected = 1;                                         ///< error that the background expects of itself, relative
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
  mask::sampling_context(policy, philox_key(seed, Purpose::ensemble), request.member, w, data::whole(samples.fields().grid),
                         request.context);
  return request;
}

/// @brief The error that the background expects of itself in a window of which all observations are known, as a fraction of the
/// anomaly's deviation (baseline::Background::deviation).
inline void expect_error(const train::Samples& samples, int window, int threads, baseline::Background::Workspace& workspace,
                         std::vector<float>& out) {
  out.resize(samples.fields().frame_size() * static_cast<std::size_t>(samples.length()));
  samples.background().deviation(samples.length(), data::whole(samples.fields().grid), self_context(samples, window).data(),
                                 out.data(), workspace, threads);
}

/// @brief Runs K contexts of every window and keeps their moments at the withheld values.
template <class Sampler, mask::MaskPolicy Policy>
std::vector<EnsembleValue> ensemble_values(Sampler& sampler, const train::Samples& samples, const Policy& policy,
                                           std::uint64_t seed, int members, const Withheld& withheld,
                                           const std::vector<int>& windows) {
  std::vector<EnsembleValue> values;
  std::vector<float> expected;
  baseline::Background::Workspace workspace;
  for (const int w : windows) {
    const std::size_t first =
        samples.fields().frame_size() * static_cast<std::size_t>(samples.starts()[static_cast<std::size_t>(w)]);
    const std::size_t size = samples.fields().frame_size() * static_cast<std::size_t>(samples.length());
    const std::size_t begin = values.size();
    expect_error(samples, w, sampler.threads(), workspace, expected);
    for (std::size_t j = 0; j < size; ++j)
      if (withheld.mask[first + j] != 0)
        values.push_back({.at = first + j, .kind = kind_of_gap(samples, w, j), .expected = static_cast<double>(expected[j])});
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
inline Score score_ensemble(const std::vector<EnsembleValue>& values, const Withheld& withheld, std::size_t kinds) {
  Score score{std::vector<ErrorSums>(kinds)};
  for (const auto& value : values)
    score.kinds[value.kind].add(static_cast<double>(withheld.truth[value.at]) - value.background, value.anomaly);
  return score;
}

/// @brief Turns the deviation of the ensemble's members into an uncertainty:
/// spread^2 = factor^2 deviation^2 + floor^2 expected^2.
///
/// An ensemble of contexts does not see all of the error: deep inside a lost block every context says the same. The floor is the
/// part that it leaves out; it grows with the distance from the observations as the background's expected error does.
struct SpreadModel {
  double factor = 1, floor = 0;

  double spread(double deviation, double expected) const { return std::hypot(factor * deviation, floor * expected); }
};

/// @brief Fits the model of each kind of gap to the errors of the chosen mean on withheld values.
///
/// The mean of spread^2 is made equal to the mean squared error; the share of it that follows the ensemble's deviation is the
/// one of 0, 0.1, ..., 1 with the largest Gaussian likelihood. errors: of the chosen mean, in the order of `values`.
inline std::vector<SpreadModel> fit_spread(const std::vector<EnsembleValue>& values, const std::vector<double>& errors,
                                           const std::vector<double>& weights) {
  constexpr int shares = 11;
  struct Sums {
    double variance = 0, expected = 0, squares = 0, count = 0;
    std::array<double, shares> surprise{};  // minus twice the log likelihood, but for a constant

    SpreadModel model(int share) const {
      const double part = variance > 0 ? static_cast<double>(share) / (shares - 1) : 0.0;
      return {variance > 0 ? std::sqrt(part * squares / variance) : 0.0,
              expected > 0 ? std::sqrt((1.0 - part) * squares / expected) : 0.0};
    }
  };
  std::vector<Sums> kinds(weights.size());
  const auto deviation = [&](const EnsembleValue& e) { return std::sqrt(e.variance(weights[e.kind])); };
  for (std::size_t i = 0; i < values.size(); ++i) {
    Sums& sums = kinds[values[i].kind];
    sums.variance += std::pow(deviation(values[i]), 2);
    sums.expected += std::pow(values[i].expected, 2);
    sums.squares += errors[i] * errors[i];
    sums.count += 1;
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    Sums& sums = kinds[values[i].kind];
    for (int share = 0; share < shares; ++share) {
      const double s = std::max(sums.model(share).spread(deviation(values[i]), values[i].expected), 1e-12);
      sums.surprise[static_cast<std::size_t>(share)] += 2.0 * std::log(s) + errors[i] * errors[i] / (s * s);
    }
  }
  pool(kinds, [](Sums& to, const Sums& from) {
    to.variance += from.variance;
    to.expected += from.expected;
    to.squares += from.squares;
    to.count += from.count;
    for (std::size_t share = 0; share < shares; ++share) to.surprise[share] += from.surprise[share];
  });
  std::vector<SpreadModel> models;
  for (const Sums& sums : kinds)
    models.push_back(sums.squares > 0 ? sums.model(static_cast<int>(std::min_element(sums.surprise.begin(), sums.surprise.end()) -
                                                                    sums.surprise.begin()))
                                      : SpreadModel{});
  return models;
}

/// @brief Error of background + weight * anomaly at each value, the mean over the ensemble's members being the estimate.
inline std::vector<double> ensemble_errors(const std::vector<EnsembleValue>& values, const Withheld& withheld,
                                           const std::vector<double>& weights) {
  std::vector<double> errors;
  for (const auto& e : values)
    errors.push_back(e.background + weights[e.kind] * e.anomaly - static_cast<double>(withheld.truth[e.at]));
  return errors;
}

}  // namespace lacuna::fill
