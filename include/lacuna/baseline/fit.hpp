#pragma once

#include <algorithm>
#include <vector>

#include "lacuna/baseline/classical_background.hpp"
#include "lacuna/baseline/climatology_fit.hpp"
#include "lacuna/baseline/correlation_fit.hpp"
#include "lacuna/baseline/search_budget.hpp"
#include "lacuna/validation/validation_data.hpp"

namespace lacuna::baseline {

/// @brief Chooses all of a background's settings on held-out observations. Deterministic.
///
/// The climatology that is best by itself is not the one whose anomalies krige best: kriging mends what a smooth climatology
/// misses, but not the noise of a sharp one. So its widths and shrinkage are chosen again by the error of kriging.
class BackgroundFit {
 public:
  BackgroundFit(const validation::ValidationData& evidence, const SearchBudget& settings)
      : e_(evidence),
        s_(settings),
        climatology_(evidence.available, evidence.windows),
        field_(evidence.available.values.size()) {}

  BackgroundSettings operator()() {
    BackgroundSettings best;
    best.climatology = ClimatologyFit(e_, s_)();
    best.values = CorrelationFit(e_, nullptr, s_)();
    const auto windows = CorrelationFit(e_, nullptr, s_).windows();
    for (const int start : windows) frames_.push_back({start, start + e_.windows.length});
    best.anomalies = anomalies_from(best.climatology)();
    best.anomaly_climatology = best.climatology;
    if (windows.empty()) return best;
    double least = anomalies_from(best.climatology).error(best.anomalies);
    const auto refine = [&](double ClimatologySettings::*setting, double smallest, double factor) {
      for (int step = 0; step < 3; ++step) {
        ClimatologySettings c = best.anomaly_climatology;
        c.*setting = std::max(smallest, c.*setting * factor);
        const double found = anomalies_from(c).error(best.anomalies);
        if (found >= least) return;
        least = found;
        best.anomaly_climatology = c;
      }
    };
    refine(&ClimatologySettings::width, 0.5, 1.5);
    if (best.climatology.memory > 0) {
      refine(&ClimatologySettings::shrink, 0.01, 3.3);
      refine(&ClimatologySettings::memory_width, 0.5, 1.4);
    }
    best.anomalies = anomalies_from(best.anomaly_climatology).refined(best.anomalies);
    return best;
  }

 private:
  CorrelationFit anomalies_from(const ClimatologySettings& c) {
    climatology_.evaluate(c, frames_, field_, s_.threads);
    return {e_, field_.data(), s_};
  }

  const validation::ValidationData& e_;
  SearchBudget s_;
  Climatology climatology_;
  std::vector<data::FrameRange> frames_;  // that kriging is tried on
  std::vector<float> field_;              // (T,H,W,V), filled in these frames
};

inline BackgroundSettings fit_background(const validation::ValidationData& evidence, const SearchBudget& settings = {}) {
  return BackgroundFit(evidence, settings)();
}

}  // namespace lacuna::baseline
