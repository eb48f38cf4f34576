#pragma once

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "lacuna/core/parse_number.hpp"
#include "lacuna/fill/options.hpp"
#include "words.hpp"

// The command line of lacuna-fill: words to settings. A word that is no setting gives one line that names its option.

/// @brief "auto", "self", "policy", or a ratio.
inline lacuna::fill::SamplingContexts parse_contexts(const std::string& word) {
  using Kind = lacuna::fill::SamplingContexts::Kind;
  if (word == "auto") return {Kind::automatic};
  if (word == "self") return {Kind::self};
  if (word == "policy") return {Kind::policy};
  constexpr double least = 0.001;  // with less, contexts are empty again and again
  return {Kind::ratio, number_of("--contexts", word, least, 1.0, "auto, self, policy or a ratio from 0.001 to 1")};
}

/// @brief "FIRST:END", counted from 0, END left out.
inline lacuna::data::FrameRange parse_frames(const std::string& word) {
  const std::size_t colon = word.find(':');
  const auto first = lacuna::parse_number<int>(word.substr(0, colon));
  const auto end = colon == std::string::npos ? std::nullopt : lacuna::parse_number<int>(word.substr(colon + 1));
  lacuna::require<lacuna::OptionError>(first && end && *first >= 0 && *first < *end, "--learn-frames ", word,
                                       ": expected FIRST:END with FIRST < END, such as 0:96");
  return {*first, *end};
}

/// @brief "auto" (0), or a number of members.
inline int parse_members(const std::string& word) {
  return word == "auto" ? 0 : number_of("--members", word, 2, 1000, "auto or a number from 2 to 1000");
}

/// Options that are words first.
struct Words {
  std::string contexts = "auto", members = "10", seed = "1", steps, learned, memory;
};

inline void declare(CLI::App& app, lacuna::fill::Options& o, Words& words) {
  app.add_option("inputs", o.inputs, "NetCDF files, on one grid")->required()->type_name("IN.nc");
  app.add_option("-v,--variable", o.variables, "variable to fill; repeat for several, which are learned together")
      ->required()
      ->type_name("NAME")
      ->allow_extra_args(false);
  app.add_option("-o,--output", o.output, "filled file to write")->required()->type_name("OUT.nc");
  app.add_option("--method", o.method,
                 "diffusion, or a fill that trains nothing: " + CLI::detail::join(lacuna::fill::classical_methods(), ", "))
      ->capture_default_str();
  app.add_option("--window", o.window.length, "frames seen at once")->capture_default_str();
  app.add_option("--stride", o.window.stride, "frames between windows (0: the window)")->capture_default_str();
  app.add_option("--learn-frames", words.learned, "frames to learn from, END left out (all of them); all frames are filled")
      ->type_name("FIRST:END");
  app.add_option("--background", o.background, "what the network corrects; auto: the best on withheld observations")
      ->check(CLI::IsMember({"auto", "none", "climatology", "kriging", "climatology+kriging"}))
      ->capture_default_str();
  app.add_option("--mask", o.mask, "how contexts are drawn; auto: by the gaps' structure, the exposure audit and withheld error")
      ->check(CLI::IsMember({"auto", "pixels", "blocks", "empirical"}))
      ->capture_default_str();
  app.add_option("--ratio", o.ratio, "with --mask pixels: a fixed context ratio, as in the paper (0: random from 0.5 to 1)")
      ->capture_default_str();
  app.add_option("--contexts", words.contexts, "contexts of the mean: auto, self (the mask itself), policy, or a ratio")
      ->capture_default_str();
  app.add_option("--members", words.members, "members of the context ensemble; auto: as many as help on withheld observations")
      ->capture_default_str();
  app.add_option("--samples", o.samples,
                 "samples of the posterior, drawn in many steps, that the spread comes from in place of the members (0: none)")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  app.add_option("--sampling-steps", o.sampling_steps, "steps of each sample")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  app.add_option("--steps", words.steps, "training steps (repeatable bit for bit)")->type_name("N");
  app.add_option("--minutes", o.minutes, "training time");
  app.add_option("--seed", words.seed, "seed of all randomness")->type_name("N")->capture_default_str();
  app.add_option("--device", o.device, "where the network runs: cpu, cuda, or cuda:N for one of several GPUs")
      ->type_name("DEVICE")
      ->capture_default_str();
  app.add_option("--threads", o.threads, "threads of the CPU (0: all)")->check(CLI::Range(0, 1024))->capture_default_str();
  app.add_option("--withhold", o.withhold, "share of the observations kept aside for choices and scores")->capture_default_str();
  app.add_option("--network", o.network, "network to train")
      ->check(CLI::IsMember({"unet", "space-time-unet", "fno"}))
      ->capture_default_str();
  app.add_option("--hidden", o.hidden, "width of the network")->check(CLI::Range(4, 1024))->capture_default_str();
  app.add_option("--batch", o.batch, "samples a step (0: chosen)")->check(CLI::Range(0, 4096))->capture_default_str();
  app.add_option("--crop", o.crop, "rows and columns trained on (-1: chosen, 0: the whole grid)")->capture_default_str();
  app.add_option("--memory", words.memory, "say what fits into so much memory (8GB), and train with the largest batch that does")
      ->type_name("SIZE");
  app.add_flag("--recompute", o.recompute, "compute the network's blocks again on the way back: less memory, more time");
  app.add_option(
         "--precision", o.precision,
         "what the network's images are kept in; bfloat16 needs a machine that multiplies it; tf32: float, multiplied with "
         "10 bits of mantissa on a GPU")
      ->check(CLI::IsMember({"float", "tf32", "bfloat16"}))
      ->capture_default_str();
  app.add_option("--learning-rate", o.learning_rate, "peak learning rate")->capture_default_str();
  app.add_option("--checkpoint", o.checkpoint, "folder to keep the training state in")->type_name("DIR");
  app.add_option("--save-every", o.save_every, "seconds between two checkpoints (0: after every step)")->capture_default_str();
  app.add_flag("--resume", o.resume, "continue from the checkpoint");
  app.add_option("--report", o.report, "JSON report to write")->type_name("R.json");
  app.add_option("--picture", o.picture, "PNG picture to write")->type_name("P.png");
  app.add_flag("--overwrite", o.overwrite, "replace files that exist");
  app.add_flag("--fill-static", o.fill_static, "also fill cells that are never observed (land)");
  app.add_flag("--profile", o.profile, "print time, traffic and memory of every operation of a training step");
  app.add_flag("--allow-unexposed", o.allow_unexposed, "train although the exposure audit refuses the mask policy");
}

/// @brief Takes what the parsed command line says. Throws: OptionError.
inline void take_words(const CLI::App& app, const Words& words, lacuna::fill::Options& o) {
  for (const CLI::Option* option : app.get_options())
    if (option->count() > 0 && option->nonpositional()) o.given.push_back("--" + option->get_lnames().front());
  const auto given = [&](const char* option) { return std::find(o.given.begin(), o.given.end(), option) != o.given.end(); };
  o.contexts = parse_contexts(words.contexts);
  if (given("--learn-frames")) o.learned = parse_frames(words.learned);
  if (given("--memory")) o.memory = lacuna::fill::parse_memory(words.memory);
  o.members = parse_members(words.members);
  o.seed = whole_number_of<std::uint64_t>("--seed", words.seed, 0);
  if (given("--steps")) o.steps = whole_number_of<std::int64_t>("--steps", words.steps, 1);
}
