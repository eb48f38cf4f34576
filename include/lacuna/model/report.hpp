#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "lacuna/data/field.hpp"
#include "lacuna/metrics/calibration.hpp"

namespace lacuna::model {

/// @brief Error of one method on the held-out observations, as a fraction of the variables' variance.
struct MethodScore {
  std::string method;
  double nmse = 0;
};

/// @brief How far mean and spread can be trusted: scores on held-out values that neither was fitted to, in normalised units.
struct SpreadCalibration {
  metrics::SpreadScores spread;         ///< of mean and calibrated spread, as normal laws; its mse() is that of the mean
  metrics::EnsembleScores ensemble{2};  ///< of the members as they come, if there are any
};

/// @brief What a run did and how well.
struct Report {
  std::vector<std::string> variables;
  std::string method = "diffusion";
  std::string settings;  ///< what was chosen for a classical method
  std::string gaps, background, mask, contexts, network, precision, device;
  std::string ensemble;             ///< what the spread comes from
  std::vector<MethodScore> scores;  ///< classical fills, then lacuna; of a classical method: the mean and itself
  std::vector<double> weights, spread_factors, spread_floors;  ///< per variable, then again for lost planes; floors in deviations
  data::FrameRange learned;                                    ///< frames that were learned from
  double fitted_nmse = 0;    ///< of lacuna, on the very held-out values that its weights and contexts were fitted to
  std::size_t held_out = 0;  ///< observations held out
  std::size_t scored = 0;    ///< those of them that the scores are taken over, the same for every method
  std::size_t filled = 0, parameters = 0, planned_bytes = 0, peak_bytes = 0;
  std::size_t device_bytes = 0;  ///< of a GPU's memory: the planned peak of a step or imputation
  std::int64_t steps = 0;
  double training_seconds = 0, total_seconds = 0;
  std::uint64_t seed = 0;
  int threads = 0, members = 0;
  bool members_chosen = false;  ///< by the held-out error
  SpreadCalibration spread_calibration;
  std::string version;

  double score(const std::string& name) const {
    for (const auto& s : scores)
      if (s.method == name) return s.nmse;
    return -1;
  }
};

/// @brief An error with four digits after the point, as tables have it.
inline std::string fixed(double error) {
  char digits[64];
  std::snprintf(digits, sizeof digits, "%.4f", error);
  return digits;
}

}  // namespace lacuna::model
