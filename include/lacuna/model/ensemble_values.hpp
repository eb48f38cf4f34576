#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "lacuna/model/dataset.hpp"
#include "lacuna/model/ensemble.hpp"
#include "lacuna/sampler/single_step.hpp"
#include "lacuna/train/samples.hpp"
#include "lacuna/validation/error_sums.hpp"
#include "lacuna/validation/validation_data.hpp"

namespace lacuna::model {

using validation::ErrorSums;
using validation::Score;

/// @brief Which kind of gap a value of a window lies in: its variable's number for a gap in a plane that has observations, and
/// that plus the number of variables in a plane without any (a missing frame), where errors are of another size.
inline std::size_t gap_kind(const train::Samples& samples, int window, std::size_t in_window) {
  const auto variables = static_cast<std::size_t>(samples.fields().variables());
  const std::size_t variable = in_window % variables, frame = in_window / samples.fields().frame_size();
  const bool lost =
      samples.windows()[static_cast<std::size_t>(window)].group(static_cast<int>(frame), static_cast<int>(variable)) < 0;
  return lost ? variables + variable : variable;
}
inline std::size_t gap_kinds(const train::Samples& samples) { return 2 * static_cast<std::size_t>(samples.fields().variables()); }

/// @brief Visits the held-out values that count in a window: visit(place in the record, place in the window).
template <class Visit>
void each_held_out(const HeldOut& held_out, const validation::ScoredWindow& w, const Visit& visit) {
  const train::Samples& samples = held_out.samples;
  const std::size_t frame = samples.fields().frame_size();
  const std::size_t first = frame * static_cast<std::size_t>(samples.starts()[static_cast<std::size_t>(w.window)]);
  const std::size_t end = frame * static_cast<std::size_t>(w.frames.end);
  for (std::size_t i = frame * static_cast<std::size_t>(w.frames.begin); i < end; ++i)
    if (held_out.mask[i] != 0) visit(i, i - first);
}

/// @brief Score with one context a window: request(window) draws it. One evaluation a window.
///
/// visit(background, anomaly, truth, gap kind) is called for every held-out value, window by window in order.
template <class Sampler, class Draw, class Visit>
Score score_contexts(Sampler& sampler, const HeldOut& held_out, const Draw& request, const Visit& visit) {
  std::vector<sampler::Request> requests;
  for (const auto& w : held_out.windows) requests.push_back(request(w.window));
  Score score{std::vector<ErrorSums>(gap_kinds(held_out.samples))};
  sampler(requests, [&](std::size_t r, const sampler::Estimate& e) {
    each_held_out(held_out, held_out.windows[r], [&](std::size_t i, std::size_t j) {
      const auto background = static_cast<double>(e.background[j]), anomaly = static_cast<double>(e.anomaly[j]);
      const auto truth = static_cast<double>(held_out.truth[i]);
      const std::size_t kind = gap_kind(held_out.samples, held_out.windows[r].window, j);
      score.kinds[kind].add(truth - background, anomaly);
      visit(background, anomaly, truth, kind);
    });
  });
  return score;
}
template <class Sampler, class Draw>
Score score_contexts(Sampler& sampler, const HeldOut& held_out, const Draw& request) {
  return score_contexts(sampler, held_out, request, [](double, double, double, std::size_t) {});
}

/// @brief What an ensemble of contexts, and all observations as one context, say about one held-out value.
struct EnsembleValue {
  std::size_t at = 0;  ///< index into the truth
  int window = 0;
  std::size_t kind = 0;  ///< of gap
  double truth = 0;
  double kriging_std = 1;                                      ///< error that the background expects of itself, relative
  double background = 0, anomaly = 0;                          ///< means over the members
  double var_background = 0, var_anomaly = 0, covariance = 0;  ///< unbiased, over the members
  double all_background = 0, all_anomaly = 0;                  ///< with all observations as context, where asked for
  std::ptrdiff_t kept = -1;                                    ///< row of its members in EnsembleValues, if they were kept

  double variance(double weight) const {
    return std::max(0.0, var_background + 2.0 * weight * covariance + weight * weight * var_anomaly);
  }
  /// Estimate minus truth, with all observations as context or by the mean over the members.
  double error(bool all, double weight) const {
    return (all ? all_background + weight * all_anomaly : background + weight * anomaly) - truth;
  }
};

/// @brief The held-out values of some windows, window by window in order, and the members of an even selection of them.
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

/// @brief The error that the background expects of itself in a window of which all observations are known, as a fraction of the
/// anomaly's deviation.
inline void expect_error(const train::Samples& samples, int window, int threads, baseline::AnyBackground::Workspace& workspace,
                         std::vector<float>& out) {
  out.resize(samples.fields().frame_size() * static_cast<std::size_t>(samples.length()));
  const auto context = all_observations(samples, window);
  samples.background().expected_error(samples.background_request(window, context.data()), out.data(), workspace, threads);
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

/// @brief The held-out values of windows, before anything was estimated.
inline std::vector<EnsembleValue> held_out_values(const HeldOut& held_out) {
  std::vector<EnsembleValue> values;
  for (const auto& w : held_out.windows)
    each_held_out(held_out, w, [&](std::size_t i, std::size_t j) {
      values.push_back({.at = i,
                        .window = w.window,
                        .kind = gap_kind(held_out.samples, w.window, j),
                        .truth = static_cast<double>(held_out.truth[i])});
    });
  return values;
}

/// @brief Evaluates the ensemble of every window and keeps its moments at the held-out values, and the members of some of them.
inline EnsembleValues ensemble_values(const Ensemble& ensemble, const HeldOut& held_out, int threads) {
  const train::Samples& samples = held_out.samples;
  const int members = ensemble.count;
  EnsembleValues all{members, held_out_values(held_out), {}, {}};
  const std::size_t every = all.values.size() / EnsembleValues::most_kept + 1;
  for (std::size_t i = 0; i < all.values.size(); i += every) all.values[i].kept = static_cast<std::ptrdiff_t>(i / every);
  all.member_background.resize((all.values.size() / every + 1) * static_cast<std::size_t>(members));
  all.member_anomaly.resize(all.member_background.size());
  std::vector<float> expected;
  baseline::AnyBackground::Workspace workspace;
  for (std::size_t begin = 0, end = 0; begin < all.values.size(); begin = end) {
    const int w = all.values[begin].window;
    while (end < all.values.size() && all.values[end].window == w) ++end;
    const std::size_t first =
        samples.fields().frame_size() * static_cast<std::size_t>(samples.starts()[static_cast<std::size_t>(w)]);
    expect_error(samples, w, threads, workspace, expected);
    for (std::size_t i = begin; i < end; ++i) all.values[i].kriging_std = static_cast<double>(expected[all.values[i].at - first]);
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

/// @brief Adds what all observations as context say.
template <class Sampler>
void add_all_observations(EnsembleValues& values, Sampler& sampler, const HeldOut& held_out) {
  std::size_t i = 0;
  score_contexts(
      sampler, held_out, [&](int w) { return request_with_all(held_out.samples, w); },
      [&](double background, double anomaly, double, std::size_t) {
        values.values[i].all_background = background;
        values.values[i++].all_anomaly = anomaly;
      });
}

}  // namespace lacuna::model
