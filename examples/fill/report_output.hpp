#pragma once

#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>

#include "lacuna/core/error.hpp"
#include "lacuna/model/report.hpp"

namespace lacuna::fill {

inline nlohmann::json to_json(const model::SpreadCalibration& t) {
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

inline nlohmann::json to_json(const model::Report& r) {
  nlohmann::json errors;
  for (const auto& s : r.scores) errors[s.method] = s.nmse;
  nlohmann::json json{{"method", r.method},
                      {"withheld_nmse", errors},
                      {"withheld_values", r.held_out},
                      {"scored_values", r.scored},
                      {"filled_values", r.filled},
                      {"variables", r.variables},
                      {"learned_frames", {r.learned.begin, r.learned.end}},
                      {"gaps", r.gaps},
                      {"spread_floors", r.spread_floors},
                      {"spread_trust", to_json(r.spread_calibration)},
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

/// @brief The table of held-out errors: what the user compares.
inline void print_scores(const model::Report& r, std::FILE* out) {
  const std::string which = r.scored == r.held_out ? text(r.held_out) : text(r.scored, " of ", r.held_out);
  std::fprintf(out, "\nerror on %s held-out observations (fraction of variance; smaller is better)\n", which.c_str());
  for (const auto& s : r.scores) std::fprintf(out, "  %-24s %8.4f\n", s.method.c_str(), s.nmse);
  if (r.spread_calibration.spread.count() == 0) return;
  std::fprintf(
      out, "50 %% and 90 %% intervals hold %.1f %% and %.1f %% of the held-out truths that they were not fitted to; CRPS %.4f\n",
      100.0 * r.spread_calibration.spread.coverage(0), 100.0 * r.spread_calibration.spread.coverage(1),
      r.spread_calibration.spread.crps());
}

/// @brief Time and memory in one line.
inline void print_cost(const model::Report& r, std::FILE* out) {
  std::fprintf(out, "filled %zu values in %.0f s", r.filled, r.total_seconds);
  if (r.method == "diffusion")
    std::fprintf(out, " (training %.0f s, %lld steps)", r.training_seconds, static_cast<long long>(r.steps));
  std::fprintf(out, "; peak memory %.0f MB", static_cast<double>(r.peak_bytes) / 1e6);
  if (r.method == "diffusion") std::fprintf(out, ", planned %.0f MB", static_cast<double>(r.planned_bytes) / 1e6);
  std::fprintf(out, "\n");
}

}  // namespace lacuna::fill
