#pragma once

#include <cstdint>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "lacuna/data/field.hpp"
#include "lacuna/metrics/calibration.hpp"

namespace lacuna::fill {

/// @brief Error of one method on the withheld observations, as a fraction of the variables' variance.
struct MethodScore {
  std::string method;
  double nmse = 0;
};

/// @brief How far mean and spread can be trusted: scores on withheld values that neither was fitted to, in normalised units.
struct SpreadTrust {
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
  double fitted_nmse = 0;    ///< of lacuna, on the very withheld values that its weights and contexts were fitted to
  std::size_t withheld = 0;  ///< observations kept aside
  std::size_t scored = 0;    ///< those of them that the scores are taken over, the same for every method
  std::size_t filled = 0, parameters = 0, planned_bytes = 0, peak_bytes = 0;
  std::size_t device_bytes = 0;  ///< of a GPU's memory: the planned peak of a step or imputation
  std::int64_t steps = 0;
  double training_seconds = 0, total_seconds = 0;
  std::uint64_t seed = 0;
  int threads = 0, members = 0;
  bool members_chosen = false;  ///< by the withheld error
  SpreadTrust trust;
  std::string version;

  double score(const std::string& name) const {
    for (const auto& s : scores)
      if (s.method == name) return s.nmse;
    return -1;
  }
};

inline nlohmann::json to_json(const SpreadTrust& t) {
  nlohmann::json json{{"values", t.spread.count()},
                      {"coverage_50", t.spread.coverage(0)},
                      {"coverage_90", t.spread.coverage(1)},
                      {"scale", t.spread.scale()},
                      {"crps", t.spread.crps()}};
  if (t.ensemble.count() == 0) return json;
  json["members_values"] = t.ensemble.count();
  json["members_crps"] = t.ensemble.crps();
  json["members_rank_histogram"] = t.ensemble.ranks();
  return json;
}

inline nlohmann::json to_json(const Report& r) {
  nlohmann::json errors;
  for (const auto& s : r.scores) errors[s.method] = s.nmse;
  nlohmann::json json{{"method", r.method},
                      {"withheld_nmse", errors},
                      {"withheld_values", r.withheld},
                      {"scored_values", r.scored},
                      {"filled_values", r.filled},
                      {"variables", r.variables},
                      {"learned_frames", {r.learned.begin, r.learned.end}},
                      {"gaps", r.gaps},
                      {"spread_floors", r.spread_floors},
                      {"spread_trust", to_json(r.trust)},
                      {"total_seconds", r.total_seconds},
                      {"peak_memory_bytes", r.peak_bytes},
                      {"seed", r.seed},
                      {"threads", r.threads},
                      {"version", r.version}};
  if (r.method != "diffusion") {
    json["settings"] = r.settings;
    return json;
  }
  json.update({{"background", r.background},
               {"mask", r.mask},
               {"contexts", r.contexts},
               {"ensemble", r.ensemble},
               {"fitted_nmse", r.fitted_nmse},
               {"weights", r.weights},
               {"spread_factors", r.spread_factors},
               {"network", r.network},
               {"precision", r.precision},
               {"device", r.device},
               {"planned_device_memory_bytes", r.device_bytes},
               {"parameters", r.parameters},
               {"steps", r.steps},
               {"training_seconds", r.training_seconds},
               {"planned_memory_bytes", r.planned_bytes},
               {"members", r.members},
               {"members_chosen", r.members_chosen}});
  return json;
}

/// @brief The table of withheld errors: what the user compares.
inline void print_scores(const Report& r, std::FILE* out) {
  const std::string which = r.scored == r.withheld ? text(r.withheld) : text(r.scored, " of ", r.withheld);
  std::fprintf(out, "\nerror on %s withheld observations (fraction of variance; smaller is better)\n", which.c_str());
  for (const auto& s : r.scores) std::fprintf(out, "  %-24s %8.4f\n", s.method.c_str(), s.nmse);
  if (r.trust.spread.count() == 0) return;
  std::fprintf(
      out, "50 %% and 90 %% intervals hold %.1f %% and %.1f %% of the withheld truths that they were not fitted to; CRPS %.4f\n",
      100.0 * r.trust.spread.coverage(0), 100.0 * r.trust.spread.coverage(1), r.trust.spread.crps());
}

/// @brief Time and memory in one line.
inline void print_cost(const Report& r, std::FILE* out) {
  std::fprintf(out, "filled %zu values in %.0f s", r.filled, r.total_seconds);
  if (r.method == "diffusion")
    std::fprintf(out, " (training %.0f s, %lld steps)", r.training_seconds, static_cast<long long>(r.steps));
  std::fprintf(out, "; peak memory %.0f MB", static_cast<double>(r.peak_bytes) / 1e6);
  if (r.method == "diffusion") std::fprintf(out, ", planned %.0f MB", static_cast<double>(r.planned_bytes) / 1e6);
  std::fprintf(out, "\n");
}

}  // namespace lacuna::fill
