#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/device_choice.hpp"
#include "fill/methods.hpp"
#include "lacuna/core/error.hpp"
#include "lacuna/core/parse_number.hpp"
#include "lacuna/settings.hpp"

namespace lacuna::fill {

/// @brief Everything lacuna-fill can be told: files, and the library's settings.
struct Options {
  std::vector<std::string> inputs;     ///< NetCDF files
  std::vector<std::string> variables;  ///< names to fill together
  std::string output;
  std::string method = "diffusion";  ///< or one of the classical methods
  std::vector<std::string> given;    ///< options that were given by name on the command line, "--steps"
  Settings settings;
  std::string device = "cpu";   ///< cpu, cuda, or cuda:N for one of several GPUs
  std::string report, picture;  ///< files, or empty
  bool overwrite = false;
  std::string command;  ///< for the history attribute
};

/// @brief Words that stand for one of several settings.
template <class Choice>
using Choices = std::vector<std::pair<std::string, Choice>>;

inline const Choices<BackgroundChoice>& backgrounds() {
  static const Choices<BackgroundChoice> words = {{"auto", BackgroundChoice::automatic},
                                                  {"none", BackgroundChoice::none},
                                                  {"climatology", BackgroundChoice::climatology},
                                                  {"kriging", BackgroundChoice::kriging},
                                                  {"climatology+kriging", BackgroundChoice::climatology_kriging}};
  return words;
}
inline const Choices<PolicyChoice>& policies() {
  static const Choices<PolicyChoice> words = {{"auto", PolicyChoice::automatic},
                                              {"pixels", PolicyChoice::pixels},
                                              {"blocks", PolicyChoice::blocks},
                                              {"empirical", PolicyChoice::empirical}};
  return words;
}
inline const Choices<NetworkKind>& networks() {
  static const Choices<NetworkKind> words = {
      {"unet", NetworkKind::unet}, {"space-time-unet", NetworkKind::space_time_unet}, {"fno", NetworkKind::fno}};
  return words;
}
inline const Choices<Precision>& precisions() {
  static const Choices<Precision> words = {
      {"float", Precision::float32}, {"tf32", Precision::tf32}, {"bfloat16", Precision::bfloat16}};
  return words;
}

template <class Choice>
std::vector<std::string> words_of(const Choices<Choice>& choices) {
  std::vector<std::string> words;
  for (const auto& [word, choice] : choices) words.push_back(word);
  return words;
}

/// @brief What a word stands for. Throws: OptionError that names the option and the words that are known.
template <class Choice>
Choice choice_of(const char* option, const std::string& word, const Choices<Choice>& choices) {
  std::string known;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (choices[i].first == word) return choices[i].second;
    known += (i == 0 ? "" : i + 1 == choices.size() ? " or " : ", ") + choices[i].first;
  }
  throw OptionError(text(option, ' ', word, ": expected ", known));
}

/// @brief The library's words for its settings in the words of the command line: "training.batch = 4" becomes "--batch 4".
inline std::string in_options(std::string message) {
  static const std::vector<std::pair<std::string, std::string>> options = {{"training.checkpoint.save_every", "--save-every"},
                                                                           {"training.checkpoint.resume", "--resume"},
                                                                           {"training.checkpoint.folder", "--checkpoint DIR"},
                                                                           {"training.budget.steps", "--steps"},
                                                                           {"training.budget.minutes", "--minutes"},
                                                                           {"training.learning_rate", "--learning-rate"},
                                                                           {"training.batch", "--batch"},
                                                                           {"training.crop", "--crop"},
                                                                           {"training_frames", "--learn-frames"},
                                                                           {"network.precision", "--precision"},
                                                                           {"network.recompute", "--recompute"},
                                                                           {"network.hidden", "--hidden"},
                                                                           {"network.kind", "--network"},
                                                                           {"ensemble.sampling_steps", "--sampling-steps"},
                                                                           {"ensemble.samples", "--samples"},
                                                                           {"ensemble.members", "--members"},
                                                                           {"ensemble.ratio", "--contexts"},
                                                                           {"ensemble.mean", "--contexts"},
                                                                           {"policy.choice", "--mask"},
                                                                           {"policy.ratio", "--ratio"},
                                                                           {"settings.background", "--background"},
                                                                           {"holdout.share", "--withhold"},
                                                                           {"window.length", "--window"},
                                                                           {"memory_limit says", "--memory SIZE says"},
                                                                           {"memory_limit", "--memory"}};
  for (const auto& [setting, option] : options)
    for (std::size_t at = message.find(setting); at != std::string::npos; at = message.find(setting, at + option.size())) {
      const std::string_view rest = std::string_view(message).substr(at + setting.size());
      message.replace(at, setting.size() + (rest.starts_with(" = ") ? 2 : 0), option);
    }
  return message;
}

/// @brief Throws OptionError unless the method exists, and what was given on the command line has a meaning for it.
inline void validate_method(const Options& o) {
  if (o.method == "diffusion") return;
  find_method(o.method);
  static const std::vector<std::string> meaningful = {"--variable",     "--output",    "--method",     "--window",   "--stride",
                                                      "--learn-frames", "--seed",      "--threads",    "--withhold", "--report",
                                                      "--picture",      "--overwrite", "--fill-static"};
  for (const auto& option : o.given)
    require<OptionError>(std::find(meaningful.begin(), meaningful.end(), option) != meaningful.end(), option,
                         ": has no meaning with --method ", o.method, ", which trains nothing");
}

/// @brief Throws OptionError, naming the option, for settings that cannot work.
inline void validate(const Options& o) {
  validate_method(o);
  const auto& s = o.settings;
  const auto given = [&](const char* option) { return std::find(o.given.begin(), o.given.end(), option) != o.given.end(); };
  const int gpu = common::gpu_of(o.device);
  require<OptionError>(s.network.precision != Precision::tf32 || gpu >= 0,
                       "--precision tf32: expected --device cuda, a CPU has no TF32");
  require<OptionError>(!s.profile || gpu < 0, "--profile: times operations on the host, expected --device cpu");
  require<OptionError>(s.memory_limit == 0 || gpu < 0, "--memory: plans the host's memory, expected --device cpu");
  require<OptionError>(s.ensemble.samples > 0 || !given("--sampling-steps"), "--sampling-steps needs --samples N");
  require<OptionError>(s.ensemble.samples == 0 || !given("--members"), "--members: has no meaning with --samples ",
                       s.ensemble.samples, ", which take the place of the members' contexts");
  require<OptionError>(s.training.budget.minutes > 0 || !given("--minutes"), "--minutes ", s.training.budget.minutes,
                       ": expected more than 0");
  require<OptionError>(!s.training.checkpoint.folder.empty() || !given("--save-every"), "--save-every needs --checkpoint DIR");
  try {
    lacuna::validate(s);
  } catch (const OptionError& error) {
    throw OptionError(in_options(error.what()));
  }
}

/// @brief A number of bytes as people write it: 8GB, 512 MB, 1.5GiB. Throws OptionError, naming --memory.
inline std::size_t parse_memory(const std::string& word) {
  struct Unit {
    const char* name;
    double bytes;
  };
  constexpr Unit units[] = {{"MB", 1e6}, {"GB", 1e9}, {"MiB", 1048576.0}, {"GiB", 1073741824.0}};
  std::size_t end = word.find_first_not_of("0123456789.e+-");
  const auto number = parse_number<double>(word.substr(0, end));
  while (end < word.size() && word[end] == ' ') ++end;
  for (const Unit& unit : units)
    if (end < word.size() && word.substr(end) == unit.name && number && *number * unit.bytes >= 1 && *number < 1e9)
      return static_cast<std::size_t>(*number * unit.bytes);
  throw OptionError("--memory " + word + ": expected a number and MB, GB, MiB or GiB");
}

}  // namespace lacuna::fill
