#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <type_traits>

#include "lacuna/core/error.hpp"
#include "lacuna/core/philox.hpp"
#include "lacuna/core/version.hpp"

namespace lacuna::experiment {

/// @brief How large an experiment on one set is. Everything but the seed that decides a result.
struct SetSettings {
  int train = 0, test = 0;  ///< samples
  int solver = 0;           ///< grid points a side that the set is solved on; 0 of era5, which is read
  int frames = 0;           ///< of each sample: its first ones
  int window = 0;           ///< frames that a network sees at once; divides `frames`
  int coarsen = 1;          ///< cells a side that become one
  int crop = 0;             ///< rows and columns trained on; 0: all
  std::string unet;         ///< what stands for the paper's UNet: unet (frames as channels) or space-time-unet
  int hidden = 0;           ///< width of the networks
  int batch = 0, steps = 0;
  double learning_rate = 1e-3;
  int members = 10;  ///< contexts that are averaged
  int seeds = 1;     ///< of masks and training: the tables give mean and deviation over them
  std::string data;  ///< a word for the content of the files that a set is read from; empty for a set that is made

  /// For comparison with what a result was made by.
  nlohmann::json json() const {
    nlohmann::json all{{"train", train},    {"test", test},       {"solver", solver}, {"frames", frames},
                       {"window", window},  {"coarsen", coarsen}, {"crop", crop},     {"unet", unet},
                       {"hidden", hidden},  {"batch", batch},     {"steps", steps},   {"learning_rate", learning_rate},
                       {"members", members}};
    if (!data.empty()) all["data"] = data;
    return all;
  }
};

/// @brief A word of eight letters that changes with the bytes.
inline std::string digest(const std::string& bytes) {
  std::uint64_t sum = 0;
  for (const char c : bytes) sum = mix_bits(sum ^ static_cast<unsigned char>(c));
  std::string word;
  for (int i = 0; i < 8; ++i, sum >>= 4) word += "0123456789abcdef"[sum & 15];
  return word;
}

/// @brief A word for names of files: it changes with any setting but the number of seeds, and with the version.
inline std::string digest(const SetSettings& s) { return digest(s.json().dump() + version); }

/// @brief The settings of a budget: by set and kind of gaps, "kolmogorov pixels".
using Budget = std::map<std::string, SetSettings>;

/// @brief Reads a budget from a file of them, {"small": {"kolmogorov pixels": {"train": 96, ...}, ...}, ...}.
/// Throws: OptionError for an unknown budget (it lists those there are), DataError naming the file and what is wrong in it.
inline Budget read_budget(const std::string& path, const std::string& name) {
  std::error_code failed;
  std::ifstream in(path);
  require<DataError>(std::filesystem::is_regular_file(path, failed) && in.good(), path, ": cannot be read");
  const auto all = nlohmann::json::parse(in, nullptr, false, true);
  require<DataError>(all.is_object(), path, ": is not a JSON object of budgets");
  std::string known;
  for (const auto& [key, value] : all.items()) known += (known.empty() ? "" : ", ") + key;
  require<OptionError>(all.contains(name), "--budget ", name, ": ", path, " has ", known);
  require<DataError>(all.at(name).is_object(), path, ": ", name, ": expected an object of settings by set and kind of gaps");
  Budget budget;
  for (const auto& [key, given] : all.at(name).items()) {
    SetSettings s;
    const std::string where = text(path, ": ", name, ", ", key, ": ");
    require<DataError>(given.is_object(), where, "expected an object of settings");
    std::set<std::string> entries;
    const auto number = [&, &given = given](const char* entry, auto& to, bool needed = true) {
      entries.insert(entry);
      if (!needed && !given.contains(entry)) return;
      constexpr bool whole = std::is_integral_v<std::remove_reference_t<decltype(to)>>;
      require<DataError>(given.contains(entry) && given.at(entry) >= 0 &&
                             (whole ? given.at(entry).is_number_integer() : given.at(entry).is_number()),
                         where, entry, " must be a ", whole ? "whole " : "", "number from 0");
      given.at(entry).get_to(to);
    };
    number("train", s.train), number("test", s.test), number("frames", s.frames);
    if (!key.starts_with("era5 ")) number("solver", s.solver);
    number("window", s.window), number("hidden", s.hidden), number("batch", s.batch), number("steps", s.steps);
    number("coarsen", s.coarsen, false), number("crop", s.crop, false), number("learning_rate", s.learning_rate, false);
    number("members", s.members, false), number("seeds", s.seeds, false);
    const nlohmann::json unet = given.value("unet", nlohmann::json("unet"));
    require<DataError>(unet == "unet" || unet == "space-time-unet", where, "unet must be \"unet\" or \"space-time-unet\"");
    s.unet = unet;
    entries.insert("unet");
    for (const auto& [entry, value] : given.items()) require<DataError>(entries.contains(entry), where, entry, " is no setting");
    // Errors of waves are of the grid that they were solved on; ERA5 is taken as it is.
    require<DataError>(s.coarsen == 1 || key.starts_with("kolmogorov "), where, "coarsen must be 1");
    require<DataError>(s.train > 0 && s.test > 0 && s.window > 0 && s.frames % s.window == 0 && s.coarsen > 0 && s.members > 0 &&
                           s.seeds > 0 && s.steps > 0 && s.batch > 0 && s.hidden > 0,
                       where, "numbers must be above 0, and window must divide frames");
    budget[key] = s;
  }
  return budget;
}

}  // namespace lacuna::experiment
