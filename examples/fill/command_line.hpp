#pragma once

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "common/words.hpp"
#include "fill/options.hpp"
#include "lacuna/core/parse_number.hpp"

// The command line of lacuna-fill: words to settings. A word that is no setting gives one line that names its option.

/// @brief "auto", "self" (all observations), "policy", or a ratio.
inline void parse_contexts(const std::string& word, lacuna::EnsembleSettings& ensemble) {
  using lacuna::MeanContexts;
  if (word == "auto") return;
  ensemble.mean = word == "self" ? MeanContexts::all : word == "policy" ? MeanContexts::policy : MeanContexts::ratio;
  if (ensemble.mean != MeanContexts::ratio) return;
  constexpr double least = 0.001;  // with less, contexts are empty again and again
  ensemble.ratio = number_of("--contexts", word, least, 1.0, "auto, self, policy or a ratio from 0.001 to 1");
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
  std::string background = "auto", mask = "auto", network = "unet", precision = "float";
};

inline void declare(CLI::App& app, lacuna::fill::Options& o, Words& words) {
  app.add_option("inputs", o.inputs, "NetCDF files, on one grid")->required()->type_name("IN.nc");
  app.add_option("-v,--variable", o.variables, "variable to fill; repeat for several, which are learned together")
      ->required()
      ->type_name("NAME")
      ->allow_extra_args(false);
  app.add_option("-o,--output", o.output, "filled file to write")->required()->type_name("OUT.nc");
  app.add_option("--method", o.method,
                 "diffusion, or a fill that trains nothing: " + CLI::detail::join(lacuna::fill::method_names(), ", "))
      ->capture_default_str();
  app.add_option("--window", o.settings.window.length, "frames seen at once")->capture_default_str();
  app.add_option("--stride", o.settings.window.stride, "frames between windows (0: the window)")->capture_default_str();
  app.add_option("--learn-frames", words.learned, "frames to learn from, END left out (all of them); all frames are filled")
      ->type_name("FIRST:END");
  app.add_option("--background", words.background, "what the network corrects; auto: the best on held-out observations")
      ->check(CLI::IsMember(lacuna::fill::words_of(lacuna::fill::backgrounds())))
      ->capture_default_str();
  app.add_option("--mask", words.mask,
                 "how contexts are drawn; auto: by the gaps' structure, the exposure audit and held-out error")
      ->check(CLI::IsMember(lacuna::fill::words_of(lacuna::fill::policies())))
      ->capture_default_str();
  app.add_option("--ratio", o.settings.policy.ratio,
                 "with --mask pixels: a fixed context ratio, as in the paper (0: random from 0.5 to 1)")
      ->capture_default_str();
  app.add_option("--contexts", words.contexts, "contexts of the mean: auto, self (all observations), policy, or a ratio")
      ->capture_default_str();
  app.add_option("--members", words.members, "members of the context ensemble; auto: as many as help on held-out observations")
      ->capture_default_str();
  app.add_option("--samples", o.settings.ensemble.samples,
                 "samples of the posterior, drawn in many steps, that the spread comes from in place of the members (0: none)")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  app.add_option("--sampling-steps", o.settings.ensemble.sampling_steps, "steps of each sample")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  app.add_option("--steps", words.steps, "training steps (repeatable bit for bit)")->type_name("N");
  app.add_option("--minutes", o.settings.training.budget.minutes, "training time");
  app.add_option("--seed", words.seed, "seed of all randomness")->type_name("N")->capture_default_str();
  app.add_option("--device", o.device, "where the network runs: cpu, cuda, or cuda:N for one of several GPUs")
      ->type_name("DEVICE")
      ->capture_default_str();
  app.add_option("--threads", o.settings.threads, "threads of the CPU (0: all)")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  app.add_option("--withhold", o.settings.holdout.share, "share of the observations held out for choices and scores")
      ->capture_default_str();
  app.add_option("--network", words.network, "network to train")
      ->check(CLI::IsMember(lacuna::fill::words_of(lacuna::fill::networks())))
      ->capture_default_str();
  app.add_option("--hidden", o.settings.network.hidden, "width of the network")
      ->check(CLI::Range(4, 1024))
      ->capture_default_str();
  app.add_option("--batch", o.settings.training.batch, "samples a step (0: chosen)")
      ->check(CLI::Range(0, 4096))
      ->capture_default_str();
  app.add_option("--crop", o.settings.training.crop, "rows and columns trained on (-1: chosen, 0: the whole grid)")
      ->capture_default_str();
  app.add_option("--memory", words.memory, "say what fits into so much memory (8GB), and train with the largest batch that does")
      ->type_name("SIZE");
  app.add_flag("--recompute", o.settings.network.recompute, "activation checkpointing: less memory, more time");
  app.add_option(
         "--precision", words.precision,
         "what the network's images are kept in; bfloat16 needs a machine that multiplies it; tf32: float, multiplied with "
         "10 bits of mantissa on a GPU")
      ->check(CLI::IsMember(lacuna::fill::words_of(lacuna::fill::precisions())))
      ->capture_default_str();
  app.add_option("--learning-rate", o.settings.training.learning_rate, "peak learning rate")->capture_default_str();
  app.add_option("--checkpoint", o.settings.training.checkpoint.folder, "folder to keep the training state in")->type_name("DIR");
  app.add_option("--save-every", o.settings.training.checkpoint.save_every,
                 "seconds between two checkpoints (0: after every step)")
      ->capture_default_str();
  app.add_flag("--resume", o.settings.training.checkpoint.resume, "continue from the checkpoint");
  app.add_option("--report", o.report, "JSON report to write")->type_name("R.json");
  app.add_option("--picture", o.picture, "PNG picture to write")->type_name("P.png");
  app.add_flag("--overwrite", o.overwrite, "replace files that exist");
  app.add_flag("--fill-static", o.settings.fill_static, "also fill cells that are never observed (land)");
  app.add_flag("--profile", o.settings.profile, "print time, traffic and memory of every operation of a training step");
  app.add_flag("--allow-unexposed", o.settings.policy.allow_unexposed,
               "train although the exposure audit refuses the mask policy");
}

/// @brief Takes what the parsed command line says. Throws: OptionError.
inline void take_words(const CLI::App& app, const Words& words, lacuna::fill::Options& o) {
  for (const CLI::Option* option : app.get_options())
    if (option->count() > 0 && option->nonpositional()) o.given.push_back("--" + option->get_lnames().front());
  const auto given = [&](const char* option) { return std::find(o.given.begin(), o.given.end(), option) != o.given.end(); };
  auto& s = o.settings;
  parse_contexts(words.contexts, s.ensemble);
  s.background = lacuna::fill::choice_of("--background", words.background, lacuna::fill::backgrounds());
  s.policy.choice = lacuna::fill::choice_of("--mask", words.mask, lacuna::fill::policies());
  s.network.kind = lacuna::fill::choice_of("--network", words.network, lacuna::fill::networks());
  s.network.precision = lacuna::fill::choice_of("--precision", words.precision, lacuna::fill::precisions());
  if (given("--learn-frames")) s.training_frames = parse_frames(words.learned);
  if (given("--memory")) s.memory_limit = lacuna::fill::parse_memory(words.memory);
  s.ensemble.members = parse_members(words.members);
  s.seed = whole_number_of<std::uint64_t>("--seed", words.seed, 0);
  if (given("--steps")) s.training.budget.steps = whole_number_of<std::int64_t>("--steps", words.steps, 1);
}
