#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "lacuna/baseline/dineof.hpp"
#include "lacuna/baseline/linear.hpp"
#include "lacuna/baseline/temporal.hpp"
#include "lacuna/fill/impute.hpp"
#include "lacuna/fill/spread.hpp"
#ifdef LACUNA_HAS_OPENCV
#include "lacuna/baseline/inpainting.hpp"
#endif

namespace lacuna::fill {

/// @brief A classical fill of normalised fields, its settings chosen on withheld observations (lacuna-fill --method NAME).
///
/// mean: zero. climatology, kriging: baseline::Background; optimal-interpolation is what it calls climatology+kriging. temporal,
/// nearest, linear, laplace, telea, navier-stokes: fills of a run of frames. dineof: of the whole file.
/// Throws: OptionError for names that validate() does not let through.
class ClassicalFill {
 public:
  /// What a fill gives: values, and the error it expects of itself as a fraction of one number per kind of gap (1 if it knows
  /// nothing better); both (T,H,W,V).
  struct Filled {
    std::vector<float> values, expected;
  };

  /// Refers to the evidence's fields while it is made only.
  ClassicalFill(std::string method, const baseline::Evidence& evidence, int threads)
      : method_(std::move(method)), windows_(evidence.windows), threads_(threads) {
    using baseline::BackgroundKind;
    const baseline::FitSettings fit{.threads = threads};
    background_.windows = windows_;
    background_.threads = threads;
    if (method_ == "kriging") {
      background_.kind = BackgroundKind::kriging;
      background_.settings.values = baseline::CorrelationFit(evidence, nullptr, fit)();
      describe(evidence.available.names, background_.settings.values);
    } else if (method_ == "optimal-interpolation") {
      background_.kind = BackgroundKind::climatology_kriging;
      background_.settings = baseline::fit_background(evidence, fit);
      describe(evidence.available.names, background_.settings.anomalies);
    } else if (method_ == "climatology" || method_ == "dineof") {
      background_.kind = BackgroundKind::climatology;
      background_.settings.climatology = baseline::ClimatologyFit(evidence, fit)();
      if (method_ == "dineof") choose_modes(evidence);
    } else if (method_ != "mean") {
      frames_ = fill_of_frames(method_);
    }
  }

  /// What was chosen, for people; may be empty.
  const std::string& settings() const { return settings_; }

  /// learned: the frames that a climatology is taken from.
  Filled operator()(const data::Fields& fields, const data::FrameRange& learned) const {
    if (frames_ != nullptr)
      return {baseline::fill_in_runs(fields, windows_.length, threads_, frames_), std::vector<float>(fields.values.size(), 1.0f)};
    if (method_ == "dineof")
      return {baseline::dineof(fields, steady_climatology(fields, learned), modes_, {}, threads_),
              std::vector<float>(fields.values.size(), 1.0f)};
    return by_background(fields, learned);
  }

 private:
  /// Fills frames [first, first + count).
  using FrameFill = void (*)(const data::Fields&, const mask::Masks&, int first, int count, float* out);

  static FrameFill fill_of_frames(const std::string& method) {
    if (method == "temporal") return baseline::temporal_consistency;
    if (method == "nearest") return baseline::fill_planes<baseline::NearestFill>;
    if (method == "linear") return baseline::fill_planes<baseline::LinearFill>;
    if (method == "laplace") return baseline::fill_planes<baseline::LaplaceFill>;
#ifdef LACUNA_HAS_OPENCV
    if (method == "telea") return baseline::fill_planes<baseline::TeleaFill>;
    if (method == "navier-stokes") return baseline::fill_planes<baseline::NavierStokesFill>;
#endif
    throw OptionError(text("--method ", method, ": not a classical method of this build"));
  }

  std::vector<float> steady_climatology(const data::Fields& fields, const data::FrameRange& learned) const {
    return baseline::steady_climatology(fields, windows_, learned, background_.settings.climatology, threads_);
  }

  void choose_modes(const baseline::Evidence& evidence) {
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
    const baseline::Background background = background_.make(fields, learned);
    const auto observed = baseline::observed_of(fields);
    const auto patch = data::whole(fields.grid);
    Filled filled{std::vector<float>(fields.values.size()), std::vector<float>(fields.values.size())};
    const int run = windows_.length;
    parallel_for(threads_, (fields.frames() + run - 1) / run, [&](int part) {
      const int first = part * run, count = std::min(run, fields.frames() - first);
      const std::size_t at = fields.index(first, 0, 0, 0);
      baseline::Background::Workspace workspace;
      background.evaluate(first, count, patch, observed.data() + at, filled.values.data() + at, workspace);
      background.deviation(count, patch, observed.data() + at, filled.expected.data() + at, workspace);
    });
    return filled;
  }

  std::string method_, settings_;
  data::WindowSettings windows_;
  int threads_;
  BackgroundPlan background_;
  FrameFill frames_ = nullptr;
  int modes_ = 0;
};

/// @brief Kind of gap (T,V) of each plane: its variable's number where the plane has observations, and that plus the number of
/// variables where it has none (as kind_of_gap() says of windows).
inline std::vector<std::size_t> kinds_of_planes(const data::Fields& fields) {
  const auto observed = baseline::observed_of(fields);
  const mask::Masks masks = baseline::masks_of(fields, observed);
  std::vector<std::size_t> kinds;
  for (int t = 0; t < fields.frames(); ++t)
    for (int v = 0; v < fields.variables(); ++v)
      kinds.push_back(static_cast<std::size_t>(mask::lost_plane(masks, t, v) ? fields.variables() + v : v));
  return kinds;
}

/// @brief What a fill of what is available says of the withheld observations.
struct ClassicalScore {
  double nmse = 0, mean_nmse = 0;   ///< mean squared errors, of the fill and of the mean
  std::vector<SpreadModel> spread;  ///< fitted to the errors, per kind of gap
  SpreadTrust trust;                ///< each half of the record scored by the spread that is fitted to the other
};
/// run: frames that share masks; the halves do not cut one.
inline ClassicalScore score_classical(const Study& study, const ClassicalFill::Filled& filled, int run) {
  const std::size_t variables = study.available.names.size(), frame = study.available.frame_size();
  const auto kinds = kinds_of_planes(study.available);
  std::vector<EnsembleValue> values;
  std::vector<double> errors;
  ClassicalScore score;
  for (std::size_t i = 0; i < study.withheld.size(); ++i) {
    if (study.withheld[i] == 0) continue;
    EnsembleValue value{.at = i};
    value.kind = kinds[i / frame * variables + i % variables];
    value.expected = static_cast<double>(filled.expected[i]);
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
    score.trust.spread.add(errors[i], (i < middle ? from_second : from_first)[values[i].kind].spread(0, values[i].expected));
  return score;
}

/// @brief Fills the gaps of gappy fields by the classical method that the options name: nothing is trained. Settings are chosen,
/// and errors measured, on withheld observations of the frames that are learned from, as impute() does; the fill then uses all
/// observations.
///
/// The spread is the deviation of the withheld errors per kind of gap, in the shape of the error that kriging expects where the
/// method is kriging or optimal interpolation, else constant. Deterministic: bit for bit, for any number of threads.
/// Throws: OptionError, DataError, ShapeError with one line.
inline Result fill_classical(const data::Fields& input, const Options& o) {
  const auto start = std::chrono::steady_clock::now();
  validate(o);
  Result result;
  Report& report = result.report;
  report.threads = o.threads > 0 ? o.threads : hardware_threads();
  report.learned = frames_to_learn(o, input.frames());
  const Study study = make_study(data::frames_of(input, report.learned), o.window, o.withhold, o.seed);
  report.variables = input.names;
  report.method = o.method;
  report.gaps = mask::describe(study.structure);
  report.withheld = static_cast<std::size_t>(std::count(study.withheld.begin(), study.withheld.end(), std::uint8_t{1}));
  report.scored = report.withheld;
  std::printf("%s\n", report.gaps.c_str());
  std::fflush(stdout);
  const ClassicalFill fill(o.method, {study.available, study.truth.values, study.withheld, o.window}, report.threads);
  report.settings = fill.settings();
  if (!report.settings.empty()) std::printf("%s: %s\n", o.method.c_str(), report.settings.c_str());
  const ClassicalScore score = score_classical(study, fill(study.available, {0, study.available.frames()}), o.window.length);
  for (const auto& model : score.spread) report.spread_floors.push_back(model.floor);
  report.scores = {{"mean", score.mean_nmse}};
  if (o.method != "mean") report.scores.push_back({o.method, score.nmse});
  report.trust = score.trust;

  data::Fields everything = input;
  study.normalisation.apply(everything);
  auto filled = fill(everything, report.learned);
  const auto kinds = kinds_of_planes(everything);
  Overlap sums(input.values.size());
  sums.mean = std::move(filled.values);
  std::fill(sums.count.begin(), sums.count.end(), std::uint16_t{1});
  const std::size_t variables = input.names.size(), frame = input.frame_size();
  for (std::size_t i = 0; i < sums.spread.size(); ++i)
    sums.spread[i] = static_cast<float>(
        score.spread[kinds[i / frame * variables + i % variables]].spread(0, static_cast<double>(filled.expected[i])));
  merge(input, study, sums, o.fill_static, result);
  finish(report, o, start);
  return result;
}

}  // namespace lacuna::fill
