#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include "lacuna/baseline/choice.hpp"
#include "lacuna/fill/options.hpp"
#include "lacuna/fill/report.hpp"
#include "lacuna/fill/study.hpp"

namespace lacuna::fill {

/// @brief The background that a run uses, with its fitted settings.
struct BackgroundPlan {
  baseline::BackgroundKind kind = baseline::BackgroundKind::none;
  baseline::BackgroundSettings settings;
  data::WindowSettings windows;
  int threads = 1;

  /// The background of these (normalised) fields, with a climatology of the frames that are learned from: the fields without the
  /// withheld values to train, all of them to impute.
  baseline::Background make(const data::Fields& fields, const data::FrameRange& learned) const {
    return {kind, fields, windows, settings, threads, learned};
  }
  baseline::Background make(const data::Fields& fields) const { return make(fields, {0, fields.frames()}); }
};

/// @brief Fits and scores the classical fills for the report and takes the background that the options name, or the best one (for
/// samples of the posterior the better one of climatology and none, see sampler::MultiStep).
inline BackgroundPlan choose_background(const Options& o, const Study& study, const std::vector<baseline::ScoredWindow>& windows,
                                        int threads, Report& report) {
  const auto found =
      baseline::choose_background({study.available, study.truth.values, study.withheld, o.window}, windows, {.threads = threads});
  for (const auto& fill : found.errors) report.scores.push_back({fill.name, fill.nmse});
  BackgroundPlan plan{.kind = found.kind, .settings = found.settings, .windows = o.window, .threads = threads};
  using baseline::BackgroundKind;
  for (const auto kind :
       {BackgroundKind::none, BackgroundKind::climatology, BackgroundKind::kriging, BackgroundKind::climatology_kriging})
    if (o.background == baseline::name(kind)) plan.kind = kind;
  if (o.samples > 0 && o.background == "auto")
    plan.kind = report.score("climatology") < report.score("mean") ? BackgroundKind::climatology : BackgroundKind::none;
  report.background = baseline::name(plan.kind);
  std::printf("background: %s, withheld error %.4f\n", report.background.c_str(),
              report.score(plan.kind == BackgroundKind::none ? "mean" : report.background));
  std::fflush(stdout);
  return plan;
}

}  // namespace lacuna::fill
