#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

#include "lacuna/baseline/evidence.hpp"
#include "lacuna/mask/partition.hpp"
#include "lacuna/sampler/diffusion.hpp"
#include "lacuna/sampler/ensemble.hpp"
#include "lacuna/sampler/multi_step.hpp"
#include "lacuna/sampler/single_step.hpp"
#include "lacuna/sampler/solvers.hpp"
#include "lacuna/sampler/time_path.hpp"
#include "lacuna/schedule/variance_preserving.hpp"
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
};

/// @brief Visits the withheld values that count in a window: visit(place in the record, place in the window).
template <class Visit>
void each_withheld(const train::Samples& samples, const Withheld& withheld, const baseline::ScoredWindow& w, const Visit& visit) {
  const std::size_t frame = samples.fields().frame_size();
  const std::size_t first = frame * static_cast<std::size_t>(samples.starts()[static_cast<std::size_t>(w.window)]);
  const std::size_t end = frame * static_cast<std::size_t>(w.frames.end);
  for (std::size_t i = frame * static_cast<std::size_t>(w.frames.begin); i < end; ++i)
    if (withheld.mask[i] != 0) visit(i, i - first);
}

/// @brief The whole observed mask of a window as its context.
inline std::vector<std::uint8_t> self_context(const train::Samples& samples, int window) {
  const auto& observed = samples.windows()[static_cast<std::size_t>(window)].masks.observed;
  return {observed.begin(), observed.end()};
}

/// @brief Score with one context a window: request(window) draws it. One evaluation a window.
///
/// visit(background, anomaly, truth, kind of gap) is called for every withheld value, window by window in order.
template <class Sampler, class Draw, class Visit>
Score score_contexts(Sampler& sampler, const train::Samples& samples, const Withheld& withheld,
                     const std::vector<baseline::ScoredWindow>& windows, const Draw& request, const Visit& visit) {
  std::vector<sampler::Request> requests;
  for (const auto& w : windows) requests.push_back(request(w.window));
  Score score{std::vector<ErrorSums>(gap_kinds(samples))};
  sampler(requests, [&](std::size_t r, const sampler::Estimate& e) {
    each_withheld(samples, withheld, windows[r], [&](std::size_t i, std::size_t j) {
      const auto background = static_cast<double>(e.background[j]), anomaly = static_cast<double>(e.anomaly[j]);
      const auto truth = static_cast<double>(withheld.truth[i]);
      const std::size_t kind = kind_of_gap(samples, windows[r].window, j);
      score.kinds[kind].add(truth - background, anomaly);
      visit(background, anomaly, truth, kind);
    });
  });
  return score;
}
template <class Sampler, class Draw>
Score score_contexts(Sampler& sampler, const train::Samples& samples, const Withheld& withheld,
                     const std::vector<baseline::ScoredWindow>& windows, const Draw& request) {
  return score_contexts(sampler, samples, withheld, windows, request, [](double, double, double, std::size_t) {});
}

/// @brief A window's own mask as its context.
inline sampler::Request self_request(const train::Samples& samples, int window) {
  return {window, static_cast<std::uint64_t>(window), self_context(samples, window)};
}

/// @brief What an ensemble of contexts, and the window's own mask as a context, say about one withheld value.
struct EnsembleValue {
  std::size_t at = 0;  ///< index into the truth
  int window = 0;
  std::size_t kind = 0;  ///< of gap
  double truth = 0;
  double expected = 1;                                         ///< error that the background expects of itself, relative
  double background = 0, anomaly = 0;                          ///< means over the members
  double var_background = 0, var_anomaly = 0, covariance = 0;  ///< unbiased, over the members
  double self_background = 0, self_anomaly = 0;                ///< by the mask itself, where that was asked for
  std::ptrdiff_t kept = -1;                                    ///< row of its members in EnsembleValues, if they were kept

  double variance(double weight) const {
    return std::max(0.0, var_background + 2.0 * weight * covariance + weight * weight * var_anomaly);
  }
  /// Estimate minus truth, by the mask itself or by the mean over the members.
  double error(bool self, double weight) const {
    return (self ? self_background + weight * self_anomaly : background + weight * anomaly) - truth;
  }
};

/// @brief The withheld values of some windows, window by window in order, and the members of an even selection of them.
struct EnsembleValues {
  static constexpr std::size_t most_kept = 20000;

  int members = 0;
  std::vector<EnsembleValue> values;
  std::vector<float> member_background, member_anomaly;  ///< (values kept, members)

  /// background + weight * anomaly of every member of a value that was kept.
  void members_of(const EnsembleValue& value, double weight, std::vector<double>& out) const {
    out.resize(static_cast<std::size_t>(members));
    const std::size_t row = static_cast<std::size_t>(value.kept) * out.size();
    for (std::size_t k = 0; k < out.size(); ++k)
      out[k] = static_cast<double>(member_background[row + k]) + weight * static_cast<double>(member_anomaly[row + k]);
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

/// @brief The members of a window's ensemble: evaluate(window, visit) calls visit(k, estimate) for k = 0 .. count - 1, in order.
struct Ensemble {
  using Visit = std::function<void(std::size_t, const sampler::Estimate&)>;

  int count = 0;
  std::function<void(int window, const Visit&)> evaluate;
  /// Mean and deviation over the members of background + weight * anomaly, of what was not observed.
  std::function<void(int window, std::span<const float> weights, sampler::Moments&)> moments;
};

/// @brief Single-step estimates from contexts that a policy draws. Refers to the sampler and its samples.
template <class Sampler, mask::MaskPolicy Policy>
Ensemble context_ensemble(Sampler& sampler, const Policy& policy, std::uint64_t seed, int count) {
  const auto requests = [&sampler, policy, seed, count](int window) {
    std::vector<sampler::Request> members;
    for (int k = 0; k < count; ++k) members.push_back(member_request(sampler.samples(), policy, seed, window, k));
    return members;
  };
  return {count, [&sampler, requests](int window, const Ensemble::Visit& visit) { sampler(requests(window), visit); },
          [&sampler, requests](int window, std::span<const float> weights, sampler::Moments& out) {
            sampler.moments(requests(window), weights, out);
          }};
}

/// @brief Most samples of the posterior that are drawn at once: they bound the memory.
inline constexpr std::size_t samples_at_once = 32;

/// @brief Samples of the posterior in many steps (Algorithm 4), each as its background and what it adds. Refers to the sampler.
template <class Sampler, mask::MaskPolicy Policy>
Ensemble sample_ensemble(Sampler& sampler, const Policy& policy, std::uint64_t seed, int count, int steps) {
  const schedule::VariancePreserving schedule;
  const sampler::Diffusion path(schedule, sampler::FirstOrder{}, sampler::time_grid(schedule, {.steps = steps}));
  const auto draw = std::make_shared<sampler::MultiStep<Sampler, Policy, std::remove_const_t<decltype(path)>>>(
      sampler, policy, path, sampler::MultiStepSettings{.seed = seed});
  const auto evaluate = [draw, total = static_cast<std::size_t>(count)](int window, const Ensemble::Visit& visit) {
    for (std::size_t first = 0; first < total; first += samples_at_once) {
      const std::size_t some = std::min(samples_at_once, total - first);
      const auto states = (*draw)(window, first, some);
      sampler::Estimate one{draw->background(), {}};
      one.anomaly.resize(one.background.size());
      for (std::size_t k = 0; k < some; ++k) {
        for (std::size_t i = 0; i < one.anomaly.size(); ++i)
          one.anomaly[i] = states[k * one.anomaly.size() + i] - one.background[i];
        visit(first + k, one);
      }
    }
  };
  return {count, evaluate, [evaluate](int window, std::span<const float> weights, sampler::Moments& out) {
            sampler::RunningMoments running(weights.size());
            evaluate(window, [&](std::size_t, const sampler::Estimate& e) {
              running.add({e.background.data(), e.anomaly.data(), weights.data()});
            });
            out.mean = running.mean();
            out.deviation.resize(weights.size());
            for (std::size_t i = 0; i < weights.size(); ++i) out.deviation[i] = running.deviation(i);
          }};
}

/// @brief The error that the background expects of itself in a window of which all observations are known, as a fraction of the
/// anomaly's deviation (baseline::Background::deviation).
inline void expect_error(const train::Samples& samples, int window, int threads, baseline::Background::Workspace& workspace,
                         std::vector<float>& out) {
  out.resize(samples.fields().frame_size() * static_cast<std::size_t>(samples.length()));
  samples.background().deviation(samples.length(), data::whole(samples.fields().grid), self_context(samples, window).data(),
                                 out.data(), workspace, threads);
}

/// @brief Takes member number `count` (from 1) into the running means and the sums of squares and products.
inline void add_member(EnsembleValue& value, double background, double anomaly, double count) {
  const double before_b = background - value.background, before_d = anomaly - value.anomaly;
  value.background += before_b / count;
  value.anomaly += before_d / count;
  value.var_background += before_b * (background - value.background);
  value.var_anomaly += before_d * (anomaly - value.anomaly);
  value.covariance += before_b * (anomaly - value.anomaly);
}

/// @brief The withheld values of windows, before anything was estimated.
inline std::vector<EnsembleValue> withheld_values(const train::Samples& samples, const Withheld& withheld,
                                                  const std::vector<baseline::ScoredWindow>& windows) {
  std::vector<EnsembleValue> values;
  for (const auto& w : windows)
    each_withheld(samples, withheld, w, [&](std::size_t i, std::size_t j) {
      values.push_back({.at = i,
                        .window = w.window,
                        .kind = kind_of_gap(samples, w.window, j),
                        .truth = static_cast<double>(withheld.truth[i])});
    });
  return values;
}

/// @brief Evaluates the ensemble of every window and keeps its moments at the withheld values, and the members of some of them.
inline EnsembleValues ensemble_values(const Ensemble& ensemble, const train::Samples& samples, int threads,
                                      const Withheld& withheld, const std::vector<baseline::ScoredWindow>& windows) {
  const int members = ensemble.count;
  EnsembleValues all{members, withheld_values(samples, withheld, windows), {}, {}};
  const std::size_t every = all.values.size() / EnsembleValues::most_kept + 1;
  for (std::size_t i = 0; i < all.values.size(); i += every) all.values[i].kept = static_cast<std::ptrdiff_t>(i / every);
  all.member_background.resize((all.values.size() / every + 1) * static_cast<std::size_t>(members));
  all.member_anomaly.resize(all.member_background.size());
  std::vector<float> expected;
  baseline::Background::Workspace workspace;
  for (std::size_t begin = 0, end = 0; begin < all.values.size(); begin = end) {
    const int w = all.values[begin].window;
    while (end < all.values.size() && all.values[end].window == w) ++end;
    const std::size_t first =
        samples.fields().frame_size() * static_cast<std::size_t>(samples.starts()[static_cast<std::size_t>(w)]);
    expect_error(samples, w, threads, workspace, expected);
    for (std::size_t i = begin; i < end; ++i) all.values[i].expected = static_cast<double>(expected[all.values[i].at - first]);
    ensemble.evaluate(w, [&](std::size_t k, const sampler::Estimate& e) {
      for (std::size_t i = begin; i < end; ++i) {
        EnsembleValue& value = all.values[i];
        const float b = e.background[value.at - first], d = e.anomaly[value.at - first];
        add_member(value, static_cast<double>(b), static_cast<double>(d), static_cast<double>(k + 1));
        if (value.kept < 0) continue;
        const std::size_t row = static_cast<std::size_t>(value.kept) * static_cast<std::size_t>(members);
        all.member_background[row + k] = b;
        all.member_anomaly[row + k] = d;
      }
    });
    for (std::size_t i = begin; i < end; ++i) {
      all.values[i].var_background /= std::max(1, members - 1);
      all.values[i].var_anomaly /= std::max(1, members - 1);
      all.values[i].covariance /= std::max(1, members - 1);
    }
  }
  return all;
}

/// @brief Adds what the windows' own masks say.
template <class Sampler>
void add_self(EnsembleValues& all, Sampler& sampler, const train::Samples& samples, const Withheld& withheld,
              const std::vector<baseline::ScoredWindow>& windows) {
  std::size_t i = 0;
  score_contexts(
      sampler, samples, withheld, windows, [&](int w) { return self_request(samples, w); },
      [&](double background, double anomaly, double, std::size_t) {
        all.values[i].self_background = background;
        all.values[i++].self_anomaly = anomaly;
      });
}

}  // namespace lacuna::fill
