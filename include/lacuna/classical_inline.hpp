#pragma once

// The definitions of lacuna/classical.hpp, for programs that do not link lacuna::compiled.

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "lacuna/baseline/interpolation.hpp"
#include "lacuna/baseline/linear.hpp"
#include "lacuna/baseline/temporal.hpp"
#include "lacuna/classical.hpp"
#include "lacuna/core/version.hpp"
#include "lacuna/model/classical_fill.hpp"
#include "lacuna/model/filling.hpp"
#include "lacuna/model/resident_memory.hpp"

namespace lacuna {
inline namespace LACUNA_CONFIGURATION {

LACUNA_DEFINITION const std::vector<ClassicalMethod>& classical_methods() {
  using Kind = ClassicalMethod::Kind;
  static const std::vector<ClassicalMethod> methods = {{"mean", Kind::mean},
                                                       {"climatology", Kind::climatology},
                                                       {"temporal", Kind::frames, baseline::temporal_consistency},
                                                       {"nearest", Kind::frames, baseline::fill_planes<baseline::NearestFill>},
                                                       {"linear", Kind::frames, baseline::fill_planes<baseline::LinearFill>},
                                                       {"laplace", Kind::frames, baseline::fill_planes<baseline::LaplaceFill>},
                                                       {"dineof", Kind::dineof},
                                                       {"kriging", Kind::kriging},
                                                       {"optimal-interpolation", Kind::optimal_interpolation}};
  return methods;
}

LACUNA_DEFINITION ClassicalMethod classical_method(const std::string& name) {
  std::string known;
  for (const auto& method : classical_methods()) {
    if (method.name == name) return method;
    known += (known.empty() ? "" : ", ") + method.name;
  }
  throw OptionError(text("method ", name, ": expected one of ", known));
}

LACUNA_DEFINITION Result fill_classical(const data::Fields& input, const ClassicalMethod& method, const Settings& settings,
                                        Observer& observer) {
  using namespace model;
  const auto start = std::chrono::steady_clock::now();
  data::require_consistent(input);
  Result result;
  Report& report = result.report;
  report.threads = settings.threads > 0 ? settings.threads : hardware_threads();
  report.learned = frames_to_learn(settings.training_frames, input.frames());
  auto holdout = settings.holdout;
  holdout.seed = settings.seed;
  observer.begins(Stage::gaps);
  const auto split = validation::hold_out(data::frames_of(input, report.learned), settings.window, holdout);
  report.variables = input.names;
  report.method = method.name;
  report.gaps = mask::describe(split.structure);
  report.held_out = report.scored = split.held_out_count();
  observer.tells(Stage::gaps, report.gaps);
  observer.begins(Stage::background);
  const ClassicalFill fill(method, split.data(), report.threads);
  report.settings = fill.settings();
  if (!report.settings.empty()) observer.tells(Stage::background, text(method.name, ": ", report.settings));
  const ClassicalScore score =
      score_classical(split, fill(split.available, {0, split.available.frames()}), settings.window.length);
  for (const auto& model : score.spread) report.spread_floors.push_back(model.floor);
  report.scores = {{"mean", score.mean_nmse}};
  if (method.kind != ClassicalMethod::Kind::mean) report.scores.push_back({method.name, score.nmse});
  report.spread_calibration = score.trust;

  observer.begins(Stage::filling);
  data::Fields everything = input;
  split.normalisation.apply(everything);
  auto filled = fill(everything, report.learned);
  const auto kinds = kinds_of_planes(everything);
  Overlap sums(input.values.size());
  sums.mean = std::move(filled.values);
  std::fill(sums.count.begin(), sums.count.end(), std::uint16_t{1});
  const std::size_t variables = input.names.size(), frame = input.frame_size();
  for (std::size_t i = 0; i < sums.spread.size(); ++i)
    sums.spread[i] = static_cast<float>(
        score.spread[kinds[i / frame * variables + i % variables]].spread(0, static_cast<double>(filled.expected[i])));
  auto merged = merge(input, split.normalisation, split.live, sums, settings.fill_static);
  result.filled = std::move(merged.fields);
  result.spread = std::move(merged.spread);
  result.observed = std::move(merged.observed);
  report.filled = merged.count;
  report.total_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  report.peak_bytes = peak_memory();
  report.seed = settings.seed;
  report.version = version;
  return result;
}

}  // namespace LACUNA_CONFIGURATION
}  // namespace lacuna
