#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>

#include "lacuna/core/error.hpp"
#include "lacuna/data/field.hpp"
#include "lacuna/data/windows.hpp"
#include "lacuna/validation/holdout_settings.hpp"

namespace lacuna {

/// @brief What the network corrects; automatic: the one with the least error on held-out observations.
enum class BackgroundChoice { automatic, none, climatology, kriging, climatology_kriging };

/// @brief How training contexts are drawn; automatic: by the gaps' structure, the exposure audit and the held-out error.
enum class PolicyChoice { automatic, pixels, blocks, empirical };

enum class NetworkKind { unet, space_time_unet, fno };

/// @brief What the network's images are kept in. tf32: float, multiplied with 10 bits of mantissa on a GPU. bfloat16 is used
/// where the device multiplies it, and float where not.
enum class Precision { float32, tf32, bfloat16 };

/// @brief What the mean is formed by at the end.
enum class MeanContexts {
  automatic,  ///< all observations or the training policy's contexts, by the error on held-out observations
  all,        ///< all observations as one context
  policy,     ///< contexts of the training policy (the paper)
  ratio,      ///< contexts that keep pixels with a given probability
};

struct PolicySettings {
  PolicyChoice choice = PolicyChoice::automatic;
  double ratio = 0;              ///< pixels: a fixed context ratio as in the paper; 0: drawn from 0.5 to 1
  bool allow_unexposed = false;  ///< train although the exposure audit refuses the policy
};

struct NetworkSettings {
  NetworkKind kind = NetworkKind::unet;
  int hidden = 32;         ///< width
  bool recompute = false;  ///< activation checkpointing: less memory for more time
  Precision precision = Precision::float32;
};

/// @brief When training ends. Nothing set: when the held-out error stops falling, at most `longest_minutes`.
struct Budget {
  std::int64_t steps = 0;  ///< 0: no limit. A number of steps repeats bit for bit
  double minutes = 0;      ///< 0: no limit
  double longest_minutes = 10;

  bool open() const { return steps == 0 && minutes == 0; }
  double seconds() const { return 60.0 * (minutes > 0 ? minutes : longest_minutes); }
};

/// @brief Where training keeps its state, to go on after an interruption.
struct CheckpointSettings {
  std::filesystem::path folder;  ///< empty: nowhere
  double save_every = 60;        ///< seconds; 0: after every step
  bool resume = false;           ///< go on from the folder's checkpoint, where there is one
};

struct TrainingSettings {
  Budget budget;
  int batch = 0;  ///< samples a step; 0: chosen from grid and gaps
  int crop = -1;  ///< rows and columns of the patches; 0: the whole grid; -1: chosen
  double learning_rate = 1e-3;
  CheckpointSettings checkpoint;
};

/// @brief What mean and spread are made of.
struct EnsembleSettings {
  MeanContexts mean = MeanContexts::automatic;
  double ratio = 0.7;       ///< of MeanContexts::ratio
  int members = 10;         ///< contexts; 0: as many as help, by the held-out error
  int samples = 0;          ///< posterior samples that the spread comes from, in place of the contexts; 0: none
  int sampling_steps = 20;  ///< of each sample

  bool mean_may_be_all() const { return mean == MeanContexts::automatic || mean == MeanContexts::all; }
};

/// @brief Everything impute() can be told, by stage. Defaults are what wins on real data, not the paper's.
struct Settings {
  data::WindowSettings window;       ///< frames the network sees at once
  data::FrameRange training_frames;  ///< frames that are learned from; empty: all. All frames are filled
  validation::HoldoutSettings holdout;
  BackgroundChoice background = BackgroundChoice::automatic;
  PolicySettings policy;
  NetworkSettings network;
  TrainingSettings training;
  EnsembleSettings ensemble;
  std::uint64_t seed = 1;        ///< of all randomness
  int threads = 0;               ///< of the host; 0: all
  std::size_t memory_limit = 0;  ///< bytes: the largest batch that fits is trained with; 0: what the system allows
  bool fill_static = false;      ///< also fill cells that are never observed (land)
  bool profile = false;          ///< tell the observer time and memory of every op of a training step
};

/// @brief Throws OptionError that names the setting, for settings that cannot work.
inline void validate(const EnsembleSettings& s) {
  require<OptionError>(s.samples == 0 || s.samples >= 2, "ensemble.samples = ", s.samples, ": a spread needs at least 2 samples");
  require<OptionError>(s.sampling_steps >= 1, "ensemble.sampling_steps = ", s.sampling_steps, ": expected 1 or more");
  require<OptionError>(s.samples == 0 || s.members != 0, "ensemble.members: has no meaning with ensemble.samples = ", s.samples,
                       ", which take the place of the members' contexts");
  require<OptionError>(
      s.samples == 0 || s.mean_may_be_all(),
      "ensemble.mean: with ensemble.samples expected automatic or all, the mean is that of the samples or by all "
      "observations as context");
  require<OptionError>(s.members == 0 || s.members >= 2, "ensemble.members = ", s.members, ": a spread needs at least 2 members");
  require<OptionError>(s.ratio > 0 && s.ratio <= 1, "ensemble.ratio = ", s.ratio, ": expected a ratio in (0, 1]");
}

/// @brief Throws OptionError that names the setting, for settings that cannot work.
inline void validate(const TrainingSettings& s) {
  require<OptionError>(s.budget.steps >= 0, "training.budget.steps = ", s.budget.steps, ": expected 1 or more");
  require<OptionError>(s.budget.minutes >= 0 && std::isfinite(s.budget.minutes), "training.budget.minutes = ", s.budget.minutes,
                       ": expected more than 0");
  require<OptionError>(s.batch >= 0, "training.batch = ", s.batch, ": expected 0 (chosen) or more");
  require<OptionError>(s.crop >= -1, "training.crop = ", s.crop, ": expected -1 (chosen), 0 (the whole grid) or more");
  require<OptionError>(s.learning_rate > 0 && std::isfinite(s.learning_rate), "training.learning_rate = ", s.learning_rate,
                       ": expected a positive number");
  const auto& c = s.checkpoint;
  require<OptionError>(c.save_every >= 0 && std::isfinite(c.save_every), "training.checkpoint.save_every = ", c.save_every,
                       ": expected 0 or more seconds");
  require<OptionError>(!c.resume || !c.folder.empty(), "training.checkpoint.resume needs training.checkpoint.folder");
}

/// @brief Throws OptionError that names the setting, for settings that cannot work.
inline void validate(const Settings& s) {
  validation::require_share(s.holdout.share);
  validate(s.training);
  validate(s.ensemble);
  require<OptionError>(s.network.kind != NetworkKind::fno || s.training.crop <= 0, "training.crop = ", s.training.crop,
                       ": a Fourier neural operator must see the whole grid, its modes are the grid's");
  require<OptionError>(
      s.ensemble.samples == 0 || s.background == BackgroundChoice::automatic || s.background == BackgroundChoice::none ||
          s.background == BackgroundChoice::climatology,
      "settings.background: with ensemble.samples expected automatic, none or climatology: kriging is exact where something "
      "was observed, so the network has learned nothing of anomalies there");
  require<OptionError>(s.network.hidden >= 4 && s.network.hidden % 2 == 0, "network.hidden = ", s.network.hidden,
                       ": expected an even width from 4");
  require<OptionError>(s.policy.ratio >= 0 && s.policy.ratio < 1, "policy.ratio = ", s.policy.ratio,
                       ": expected 0 (drawn from 0.5 to 1) or a ratio below 1: with 1 nothing would be hidden");
  require<OptionError>(s.policy.ratio == 0 || s.policy.choice == PolicyChoice::pixels, "policy.ratio = ", s.policy.ratio,
                       ": has no meaning but with policy.choice pixels");
}

/// @brief The frames that are learned from. Throws OptionError if the data do not have them.
inline data::FrameRange frames_to_learn(const data::FrameRange& asked, int frames) {
  if (asked == data::FrameRange{}) return {0, frames};
  require<OptionError>(asked.begin >= 0 && asked.begin < asked.end && asked.end <= frames, "training_frames = ", asked.begin, ":",
                       asked.end, ": expected FIRST:END with 0 <= FIRST < END <= ", frames, ", the number of frames");
  return asked;
}

inline const char* name(NetworkKind kind) {
  switch (kind) {
    case NetworkKind::unet: return "unet";
    case NetworkKind::space_time_unet: return "space-time-unet";
    case NetworkKind::fno: return "fno";
  }
  return "";
}

}  // namespace lacuna
