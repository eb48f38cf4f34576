#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "lacuna/baseline/classical_background.hpp"
#include "lacuna/baseline/dineof.hpp"
#include "lacuna/baseline/fit.hpp"
#include "lacuna/baseline/planes.hpp"
#include "lacuna/model/classical_method.hpp"
#include "lacuna/model/ensemble_values.hpp"
#include "lacuna/model/report.hpp"
#include "lacuna/model/spread.hpp"
#include "lacuna/validation/holdout_split.hpp"

namespace lacuna::model {

/// @brief A classical fill of normalised fields, its settings chosen on held-out observations.
class ClassicalFill {
 public:
  /// What a fill gives: values, and the error it expects of itself as a fraction of one number per kind of gap (1 if it knows
  /// nothing better); both (T,H,W,V).
  struct Filled {
    std::vector<float> values, expected;
  };

  /// Refers to the data while it is made only.
  ClassicalFill(ClassicalMethod method, const validation::ValidationData& evidence, int threads)
      : method_(std::move(method)), windows_(evidence.windows), threads_(threads) {
    using baseline::BackgroundKind;
    const baseline::SearchBudget fit{.threads = threads};
    switch (method_.kind) {
      case Kind::kriging:
        kind_ = BackgroundKind::kriging;
        background_.values = baseline::CorrelationFit(evidence, nullptr, fit)();
        describe(evidence.available.names, background_.values);
        break;
      case Kind::optimal_interpolation:
        kind_ = BackgroundKind::climatology_kriging;
        background_ = baseline::fit_background(evidence, fit);
        describe(evidence.available.names, background_.anomalies);
        break;
      case Kind::climatology:
      case Kind::dineof:
        kind_ = BackgroundKind::climatology;
        background_.climatology = baseline::ClimatologyFit(evidence, fit)();
        if (method_.kind == Kind::dineof) choose_modes(evidence);
        break;
      case Kind::mean:
      case Kind::frames: break;
    }
  }

  /// What was chosen, for people; may be empty.
  const std::string& settings() const { return settings_; }

  /// learned: the frames that a climatology is taken from.
  Filled operator()(const data::Fields& fields, const data::FrameRange& learned) const {
    if (method_.kind == Kind::frames)
      return {baseline::fill_in_runs(fields, windows_.length, threads_, method_.frames),
              std::vector<float>(fields.values.size(), 1.0f)};
    if (method_.kind == Kind::dineof)
      return {baseline::dineof(fields, steady_climatology(fields, learned), modes_, {}, threads_),
              std::vector<float>(fields.values.size(), 1.0f)};
    return by_background(fields, learned);
  }

 private:
  using Kind = ClassicalMethod::Kind;

  std::vector<float> steady_climatology(const data::Fields& fields, const data::FrameRange& learned) const {
    return baseline::steady_climatology(fields, windows_, learned, background_.climatology, threads_);
  }

  void choose_modes(const validation::ValidationData& evidence) {
    modes_ =
        baseline::choose_dineof(evidence, steady_climatology(evidence.available, {0, evidence.available.frames()}), {}, threads_)
            .modes;
    settings_ = text(modes_, " modes");
  }

  void describe(const std::vector<std::string>& names, const std::vector<baseline::Correlation>& correlations) {
    for (std::size_t v = 0; v < names.size(); ++v) {
      const auto& c = correlations[v];
      settings_ +=
          text(v == 0 ? "" : "; ", names[v], ": ", c.kind == baseline::CorrelationKind::matern32 ? "Matern-3/2" : "exponential",
               ", length ", c.length, ", nugget ", c.nugget, ", stretch ", c.stretch);
    }
  }

  /// Each run of frames with all its observations as context.
  Filled by_background(const data::Fields& fields, const data::FrameRange& learned) const {
    const auto background =
        baseline::fitted(baseline::ClassicalBackground(kind_, background_), {fields, windows_, learned, threads_});
    const auto observed = mask::observed_of(fields);
    const auto patch = data::whole(fields.grid);
    Filled filled{std::vector<float>(fields.values.size()), std::vector<float>(fields.values.size())};
    const int run = windows_.length;
    parallel_for(threads_, (fields.frames() + run - 1) / run, [&](int part) {
      const int first = part * run, count = std::min(run, fields.frames() - first);
      const std::size_t at = fields.index(first, 0, 0, 0);
      baseline::ClassicalBackground::Workspace workspace;
      const baseline::BackgroundRequest request{
          first, count, fields.variables(), patch, fields.values.data() + at, observed.data() + at};
      background.evaluate(request, filled.values.data() + at, workspace);
      background.expected_error(request, filled.expected.data() + at, workspace);
    });
    return filled;
  }

  ClassicalMethod method_;
  std::string settings_;
  data::WindowSettings windows_;
  int threads_;
  baseline::BackgroundKind kind_ = baseline::BackgroundKind::none;
  baseline::BackgroundSettings background_;
  int modes_ = 0;
};

/// @brief Kind of gap (T,V) of each plane: its variable's number where the plane has observations, and that plus the number of
/// variables where it has none (as gap_kind() says of windows).
inline std::vector<std::size_t> kinds_of_planes(const data::Fields& fields) {
  const auto observed = mask::observed_of(fields);
  const mask::Masks masks = mask::masks_of(fields, observed);
  std::vector<std::size_t> kinds;
  for (int t = 0; t < fields.frames(); ++t)
    for (int v = 0; v < fields.variables(); ++v)
      kinds.push_back(static_cast<std::size_t>(mask::lost_plane(masks, t, v) ? fields.variables() + v : v));
  return kinds;
}

/// @brief What a fill of what is available says of the held-out observations.
struct ClassicalScore {
  double nmse = 0, mean_nmse = 0;   ///< mean squared errors, of the fill and of the mean
  std::vector<SpreadModel> spread;  ///< fitted to the errors, per kind of gap
  SpreadCalibration trust;          ///< each half of the record scored by the spread that is fitted to the other
};
/// run: frames that share masks; the halves do not cut one.
inline ClassicalScore score_classical(const validation::HoldoutSplit& study, const ClassicalFill::Filled& filled, int run) {
  const std::size_t variables = study.available.names.size(), frame = study.available.frame_size();
  const auto kinds = kinds_of_planes(study.available);
  std::vector<EnsembleValue> values;
  std::vector<double> errors;
  ClassicalScore score;
  for (std::size_t i = 0; i < study.held_out.size(); ++i) {
    if (study.held_out[i] == 0) continue;
    EnsembleValue value{.at = i};
    value.kind = kinds[i / frame * variables + i % variables];
    value.kriging_std = static_cast<double>(filled.expected[i]);
    values.push_back(value);
    errors.push_back(static_cast<double>(filled.values[i]) - static_cast<double>(study.truth.values[i]));
    score.nmse += errors.back() * errors.back();
    score.mean_nmse += std::pow(static_cast<double>(study.truth.values[i]), 2);
  }
  score.nmse /= static_cast<double>(errors.size());
  score.mean_nmse /= static_cast<double>(errors.size());
  const auto fit = [&](std::size_t begin, std::size_t end) {
    const auto at = [&](std::size_t i) { return errors.begin() + static_cast<std::ptrdiff_t>(i); };
    return fit_spread(std::span(values).subspan(begin, end - begin), {at(begin), at(end)},
                      std::vector<double>(2 * variables, 0.0));
  };
  score.spread = fit(0, values.size());
  const auto run_of = [&](std::size_t i) { return values[i].at / frame / static_cast<std::size_t>(run); };
  std::size_t middle = values.size() / 2;
  while (middle > 0 && run_of(middle - 1) == run_of(values.size() / 2)) --middle;
  if (middle == 0) return score;
  const auto from_first = fit(0, middle), from_second = fit(middle, values.size());
  for (std::size_t i = 0; i < values.size(); ++i)
    score.trust.spread.add(errors[i], (i < middle ? from_second : from_first)[values[i].kind].spread(0, values[i].kriging_std));
  return score;
}

}  // namespace lacuna::model
