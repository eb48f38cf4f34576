#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "lacuna/model/ensemble_values.hpp"
#include "lacuna/model/report.hpp"
#include "lacuna/model/spread.hpp"
#include "lacuna/settings.hpp"

namespace lacuna::model {

/// @brief How mean and spread are formed, as chosen on held-out observations.
struct Calibration {
  bool all = true;                  ///< all observations are the context of the mean
  int members = 0;                  ///< of the ensemble
  std::vector<double> weights;      ///< of the learned anomaly, per kind of gap
  std::vector<SpreadModel> spread;  ///< per kind of gap
  double nmse = 0;                  ///< on the held-out observations that it was fitted to

  double error(const EnsembleValue& v) const { return v.error(all, weights[v.kind]); }
  double spread_of(const EnsembleValue& v) const {
    return spread[v.kind].spread(std::sqrt(v.variance(weights[v.kind])), v.kriging_std);
  }
};

/// @brief Error of the mean over the members, or with all observations as context, per kind of gap.
inline Score score_values(std::span<const EnsembleValue> values, bool all, std::size_t kinds) {
  Score score{std::vector<ErrorSums>(kinds)};
  for (const auto& v : values)
    all ? score.kinds[v.kind].add(v.truth - v.all_background, v.all_anomaly)
        : score.kinds[v.kind].add(v.truth - v.background, v.anomaly);
  return score;
}

/// @brief Fits contexts of the mean, weight of the learned part and spread to held-out values.
inline Calibration fit_calibration(std::span<const EnsembleValue> values, int members, MeanContexts contexts, std::size_t kinds) {
  const Score by_members = score_values(values, false, kinds), by_all = score_values(values, true, kinds);
  Calibration c;
  c.members = members;
  c.all = contexts == MeanContexts::all || (contexts == MeanContexts::automatic && by_all.nmse() <= by_members.nmse());
  const Score& chosen = c.all ? by_all : by_members;
  c.weights = chosen.best_weights();
  std::vector<double> errors;
  for (const auto& v : values) errors.push_back(c.error(v));
  c.spread = fit_spread(values, errors, c.weights);
  c.nmse = chosen.nmse(c.weights);
  return c;
}

/// @brief Which of two folds each held-out value is in, 0 or 1; values come window by window. Of each kind of gap the earlier
/// windows are in the first and the later ones in the second; a single one is cut in half, so that a kind with two values is in
/// both.
inline std::vector<std::uint8_t> two_folds(std::span<const EnsembleValue> values, std::size_t kinds) {
  std::vector<std::vector<std::size_t>> of_kind(kinds);
  for (std::size_t i = 0; i < values.size(); ++i) of_kind[values[i].kind].push_back(i);
  std::vector<std::uint8_t> folds(values.size(), 0);
  for (const auto& own : of_kind) {
    std::vector<std::size_t> begins;  // of windows, in `own`
    for (std::size_t i = 0; i < own.size(); ++i)
      if (i == 0 || values[own[i]].window != values[own[i - 1]].window) begins.push_back(i);
    for (std::size_t i = begins.size() < 2 ? own.size() / 2 : begins[begins.size() / 2]; i < own.size(); ++i) folds[own[i]] = 1;
  }
  return folds;
}

/// @brief Fits on each fold and scores on the other one.
inline SpreadCalibration cross_validate(const EnsembleValues& all, MeanContexts contexts, std::size_t kinds) {
  SpreadCalibration trust{{}, metrics::EnsembleScores(static_cast<std::size_t>(all.members))};
  const auto folds = two_folds(all.values, kinds);
  std::vector<EnsembleValue> fitted;
  std::vector<double> members;
  for (const std::uint8_t fold : {std::uint8_t{0}, std::uint8_t{1}}) {
    fitted.clear();
    for (std::size_t i = 0; i < folds.size(); ++i)
      if (folds[i] == fold) fitted.push_back(all.values[i]);
    const Calibration c = fit_calibration(fitted, all.members, contexts, kinds);
    for (std::size_t i = 0; i < folds.size(); ++i) {
      const auto& v = all.values[i];
      if (folds[i] == fold) continue;
      trust.spread.add(c.error(v), c.spread_of(v));
      if (v.kept < 0) continue;
      all.members_of(v, c.weights[v.kind], members);
      trust.ensemble.add(std::span<const double>(members), v.truth);
    }
  }
  return trust;
}

/// @brief Numbers of members beyond which more do not help, and what asks for them.
struct MembersNeeded {
  double mean = 0;    ///< the 1 / K term of Theorem 2 has become a fiftieth of the error's floor; 0 if no members form the mean
  double spread = 0;  ///< the members' deviation is known well enough

  static constexpr int least = 2, most = 50;
  int count() const { return static_cast<int>(std::clamp(std::ceil(std::max(mean, spread)), double{least}, double{most})); }
};

/// @brief Estimates from an ensemble on held-out values how many members bring its CRPS within 1 % of that of infinitely many.
///
/// Mean: the squared error is floor + V / K, V the variance between members (Theorem 2; the floor here holds what cannot be
/// known, too); an excess of 2 % is 1 % of the CRPS. Spread: the variance of K members is wrong by sqrt(2 / (K - 1)) of itself;
/// where it makes up a share a of spread^2, that costs a normal law's CRPS a^2 / (8 (K - 1)) of itself, to second order.
inline MembersNeeded members_needed(const EnsembleValues& all, const Calibration& c) {
  constexpr double loss = 0.01;
  double squares = 0, variance = 0, shares = 0;
  std::vector<double> from_members(c.weights.size(), 0.0), total(c.weights.size(), 0.0);
  for (const auto& v : all.values) {
    const double between = v.variance(c.weights[v.kind]);
    squares += std::pow(c.error(v), 2);
    variance += between;
    from_members[v.kind] += std::pow(c.spread[v.kind].factor, 2) * between;
    total[v.kind] += std::pow(c.spread_of(v), 2);
  }
  for (const auto& v : all.values) shares += total[v.kind] > 0 ? std::pow(from_members[v.kind] / total[v.kind], 2) : 0.0;
  const double floor = squares - variance / c.members;
  MembersNeeded needed;
  if (!c.all) needed.mean = floor > 0 ? variance / (2.0 * loss * floor) : double{MembersNeeded::most};
  if (shares > 0) needed.spread = 1.0 + shares / static_cast<double>(all.values.size()) / (8.0 * loss);
  return needed;
}

}  // namespace lacuna::model
