#pragma once

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "lacuna/core/version.hpp"
#include "lacuna/data/atomic_file.hpp"
#include "reproduce/job.hpp"
#include "reproduce/origin.hpp"
#include "reproduce/sample_set.hpp"
#include "reproduce/settings.hpp"

namespace lacuna::experiment {

/// @brief What a job gave with one seed.
struct Outcome {
  Errors errors;
  double training = 0;       ///< seconds in which its network was trained, which other outcomes share
  double seconds = 0;        ///< of filling
  std::vector<float> shown;  ///< (H, W): the plane of Runner::truth_shown() as it was filled
  Origin origin{};
};

/// @brief A folder of outcomes, one file for each job, seed and all settings (digest()), so that an interrupted table goes on
/// with what is missing.
class Results {
 public:
  explicit Results(std::filesystem::path folder) : folder_(std::move(folder)) { std::filesystem::create_directories(folder_); }

  /// None where there is none, or a damaged one.
  std::optional<Outcome> load(const Job& job, const SetSettings& s, std::uint64_t seed) const try {
    std::ifstream in(path(job, s, seed));
    const auto json = nlohmann::json::parse(in);
    Outcome out{.errors = {json.at("error"), json.at("missing")},
                .training = json.value("training", 0.0),
                .seconds = json.at("seconds"),
                .shown = {}};
    if (const auto made = json.find("made"); made != json.end())
      out.origin = {made->at("commit"), made->at("machine"), made->at("threads"), made->value("device", "cpu")};
    for (const auto& value : json.at("shown")) out.shown.push_back(value.get<float>());
    return out;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }

  /// Whether a job's outcome was written after a file was, which may not be there.
  bool newer(const Job& job, const SetSettings& s, std::uint64_t seed, const std::filesystem::path& file) const {
    return !std::filesystem::exists(file) ||
           std::filesystem::last_write_time(path(job, s, seed)) > std::filesystem::last_write_time(file);
  }

  void save(const Job& job, const SetSettings& s, std::uint64_t seed, const Outcome& outcome) const {
    const nlohmann::json json{{"settings", s.json()},
                              {"version", version},
                              {"seed", seed},
                              {"made", outcome.origin.json()},
                              {"error", outcome.errors.table},
                              {"missing", outcome.errors.missing},
                              {"training", outcome.training},
                              {"seconds", outcome.seconds},
                              {"shown", outcome.shown}};
    const std::string words = json.dump();
    data::write_atomically(path(job, s, seed).string(), {std::as_bytes(std::span(words))});
  }

 private:
  std::filesystem::path path(const Job& job, const SetSettings& s, std::uint64_t seed) const {
    return folder_ / text(job.key(), "_", seed, "_", digest(s), ".json");
  }

  std::filesystem::path folder_;
};

/// @brief Mean and deviation over seeds; NaN where there are none.
struct Statistics {
  double mean = std::nan(""), deviation = std::nan("");
  std::vector<double> values{};  ///< by seed
};
inline Statistics statistics(std::vector<double> values) {
  if (values.empty()) return {};
  double sum = 0, squares = 0;
  for (const double x : values) sum += x;
  const double mean = sum / static_cast<double>(values.size());
  for (const double x : values) squares += (x - mean) * (x - mean);
  const double deviation = values.size() > 1 ? std::sqrt(squares / static_cast<double>(values.size() - 1)) : std::nan("");
  return {mean, deviation, std::move(values)};
}

}  // namespace lacuna::experiment
