#pragma once

#include <string>

#include "lacuna/baseline/choice.hpp"
#include "lacuna/baseline/classical_background.hpp"
#include "lacuna/core/error.hpp"
#include "lacuna/model/background_choice.hpp"

namespace lacuna::model {
inline namespace LACUNA_CONFIGURATION {

LACUNA_DEFINITION baseline::AnyBackground choose_background(const Settings& settings, const validation::HoldoutSplit& split,
                                                            const std::vector<validation::ScoredWindow>& windows, int threads,
                                                            Report& report, Observer& observer) {
  using baseline::BackgroundKind;
  observer.begins(Stage::background);
  const auto found = baseline::choose_background(split.data(), windows, {.threads = threads});
  for (const auto& fill : found.errors) report.scores.push_back({fill.name, fill.nmse});
  BackgroundKind kind = found.kind;
  switch (settings.background) {
    case BackgroundChoice::automatic:
      if (settings.ensemble.samples > 0)
        kind = report.score("climatology") < report.score("mean") ? BackgroundKind::climatology : BackgroundKind::none;
      break;
    case BackgroundChoice::none: kind = BackgroundKind::none; break;
    case BackgroundChoice::climatology: kind = BackgroundKind::climatology; break;
    case BackgroundChoice::kriging: kind = BackgroundKind::kriging; break;
    case BackgroundChoice::climatology_kriging: kind = BackgroundKind::climatology_kriging; break;
  }
  report.background = baseline::name(kind);
  observer.tells(Stage::background, text("background: ", report.background, ", held-out error ",
                                         fixed(report.score(kind == BackgroundKind::none ? "mean" : report.background))));
  return baseline::ClassicalBackground(kind, found.settings);
}

}  // namespace LACUNA_CONFIGURATION
}  // namespace lacuna::model
