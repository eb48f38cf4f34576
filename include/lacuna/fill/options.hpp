#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "lacuna/core/parse_number.hpp"
#include "lacuna/data/field.hpp"
#include "lacuna/data/windows.hpp"

namespace lacuna::fill {

/// @brief How the contexts of the mean are drawn at the end.
struct SamplingContexts {
  enum class Kind {
    automatic,  ///< the mask itself or the training policy's contexts, by the error on withheld observations
    self,       ///< the mask itself
    policy,     ///< the training policy's contexts (the paper)
    ratio,      ///< pixels kept with a given probability
  };
  Kind kind = Kind::automatic;
  double ratio = 0.7;

  bool may_be_self() const { return kind == Kind::automatic || kind == Kind::self; }
};

/// @brief Everything lacuna-fill can be told. Defaults are what wins on real data, not the paper's.
struct Options {
  std::vector<std::string> inputs;     ///< NetCDF files
  std::vector<std::string> variables;  ///< names to fill together
  std::string output;
  std::string method = "diffusion";  ///< or one of classical_methods()
  std::vector<std::string> given;    ///< options that were given by name on the command line, "--steps"
  data::WindowSettings window;
  data::FrameRange learned;         ///< frames that are learned from; empty: all
  std::string background = "auto";  ///< auto, none, climatology, kriging, climatology+kriging
  std::string mask = "auto";        ///< auto, pixels, blocks, empirical
  double ratio = 0;                 ///< pixels: a fixed context ratio as in the paper; 0: random from 0.5 to 1
  SamplingContexts contexts;
  int members = 10;         ///< 0: as many as help, by the error on withheld observations
  int samples = 0;          ///< samples of the posterior that the spread comes from, in place of the members' contexts; 0: none
  int sampling_steps = 20;  ///< of each sample
  std::int64_t steps = 0;   ///< 0: no limit of steps
  double minutes = 0;       ///< 0: no limit of time (with no limit at all: until the withheld error stops falling, at most 10)
  std::uint64_t seed = 1;
  std::string device = "cpu";             ///< cpu, cuda, or cuda:N for one of several GPUs
  int threads = 0;                        ///< of the host; 0: all
  double withhold = 0.1;                  ///< share of the observations kept aside to choose settings and to score
  std::string network = "unet";           ///< unet, space-time-unet, fno
  int hidden = 32, batch = 0, crop = -1;  ///< batch 0 and crop -1: chosen from the grid and the gaps; crop 0: the whole grid
  std::size_t memory = 0;                 ///< bytes that may be taken: the largest batch that fits is trained with; 0: no limit
  bool recompute = false;                 ///< the network's blocks are computed again on the way back: less memory for more time
  std::string precision = "float";  ///< of the network's images: float or bfloat16; tf32: float, multiplied as TF32 on a GPU
  double learning_rate = 1e-3;
  std::string checkpoint;  ///< folder, or empty
  double save_every = 60;  ///< seconds between two checkpoints; 0: after every step
  bool resume = false;
  std::string report, picture;  ///< files, or empty
  bool overwrite = false;
  bool fill_static = false;      ///< also fill cells that are never observed
  bool allow_unexposed = false;  ///< train although the audit refuses the policy
  bool profile = false;          ///< print time and memory of every op of a training step
  std::string command;           ///< for the history attribute
};

/// @brief Whether this build can inpaint by OpenCV (target lacuna::opencv).
#ifdef LACUNA_HAS_OPENCV
inline constexpr bool has_opencv = true;
#else
inline constexpr bool has_opencv = false;
#endif

/// @brief Names of the fills that train nothing.
inline const std::vector<std::string>& classical_methods() {
  static const std::vector<std::string> names = {
      "mean",    "climatology",          "temporal", "nearest", "linear", "laplace", "telea", "navier-stokes", "dineof",
      "kriging", "optimal-interpolation"};
  return names;
}

/// @brief Throws OptionError unless the method exists, and what was given on the command line has a meaning for it.
inline void validate_method(const Options& o) {
  if (o.method == "diffusion") return;
  const auto& classical = classical_methods();
  require<OptionError>(std::find(classical.begin(), classical.end(), o.method) != classical.end(), "--method ", o.method,
                       ": expected diffusion, mean, climatology, temporal, nearest, linear, laplace, telea, navier-stokes, "
                       "dineof, kriging or optimal-interpolation");
  require<OptionError>(has_opencv || (o.method != "telea" && o.method != "navier-stokes"), "--method ", o.method,
                       ": this build has no OpenCV (Debian: apt-get install libopencv-photo-dev, then build again)");
  static const std::vector<std::string> meaningful = {"--variable",     "--output",    "--method",     "--window",   "--stride",
                                                      "--learn-frames", "--seed",      "--threads",    "--withhold", "--report",
                                                      "--picture",      "--overwrite", "--fill-static"};
  for (const auto& option : o.given)
    require<OptionError>(std::find(meaningful.begin(), meaningful.end(), option) != meaningful.end(), option,
                         ": has no meaning with --method ", o.method, ", which trains nothing");
}

/// @brief Which GPU a device's name means, -1 for the CPU. Throws OptionError for other words.
inline int gpu_of(const std::string& device) {
  if (device == "cpu") return -1;
  if (device == "cuda") return 0;
  const int gpu = device.starts_with("cuda:") ? parse_number<int>(device.substr(5)).value_or(-1) : -1;
  require<OptionError>(gpu >= 0, "--device ", device, ": expected cpu, cuda or cuda:N");
  return gpu;
}

/// @brief Throws OptionError unless a share of the observations can be held out.
inline void require_share(double share) {
  require<OptionError>(share > 0 && share <= 0.5, "--withhold ", share, ": expected a share above 0 and at most 0.5");
}

/// @brief Throws OptionError, naming the option, for settings that cannot work.
inline void validate(const Options& o) {
  validate_method(o);
  require_share(o.withhold);
  const auto one_of = [](const std::string& word, std::initializer_list<const char*> words) {
    return std::find(words.begin(), words.end(), word) != words.end();
  };
  require<OptionError>(one_of(o.background, {"auto", "none", "climatology", "kriging", "climatology+kriging"}), "--background ",
                       o.background, ": expected auto, none, climatology, kriging or climatology+kriging");
  require<OptionError>(one_of(o.mask, {"auto", "pixels", "blocks", "empirical"}), "--mask ", o.mask,
                       ": expected auto, pixels, blocks or empirical");
  require<OptionError>(one_of(o.network, {"unet", "space-time-unet", "fno"}), "--network ", o.network,
                       ": expected unet, space-time-unet or fno");
  require<OptionError>(one_of(o.precision, {"float", "tf32", "bfloat16"}), "--precision ", o.precision,
                       ": expected float, tf32 or bfloat16");
  const int gpu = gpu_of(o.device);
  require<OptionError>(o.precision != "tf32" || gpu >= 0, "--precision tf32: expected --device cuda, a CPU has no TF32");
  require<OptionError>(!o.profile || gpu < 0, "--profile: times operations on the host, expected --device cpu");
  require<OptionError>(o.memory == 0 || gpu < 0, "--memory: plans the host's memory, expected --device cpu");
  require<OptionError>(o.network != "fno" || o.crop <= 0, "--crop ", o.crop,
                       ": a Fourier neural operator must see the whole grid, its modes are the grid's");
  require<OptionError>(o.samples == 0 || o.samples >= 2, "--samples ", o.samples, ": a spread needs at least 2 samples");
  require<OptionError>(o.sampling_steps >= 1, "--sampling-steps ", o.sampling_steps, ": expected 1 or more");
  const auto given = [&](const char* option) { return std::find(o.given.begin(), o.given.end(), option) != o.given.end(); };
  require<OptionError>(o.samples > 0 || !given("--sampling-steps"), "--sampling-steps needs --samples N");
  require<OptionError>(o.samples == 0 || (!given("--members") && o.members != 0), "--members: has no meaning with --samples ",
                       o.samples, ", which take the place of the members' contexts");
  require<OptionError>(o.samples == 0 || o.contexts.may_be_self(),
                       "--contexts: with --samples expected auto or self, the mean is that of the samples or by the mask itself");
  require<OptionError>(o.samples == 0 || one_of(o.background, {"auto", "none", "climatology"}), "--background ", o.background,
                       ": with --samples expected auto, none or climatology: kriging is exact where something was observed, so "
                       "the network has learned nothing of anomalies there");
  require<OptionError>(o.members == 0 || o.members >= 2, "--members ", o.members, ": a spread needs at least 2 members");
  require<OptionError>(o.steps >= 0, "--steps ", o.steps, ": expected 1 or more");
  require<OptionError>(o.minutes >= 0 && std::isfinite(o.minutes) && (o.minutes > 0 || !given("--minutes")), "--minutes ",
                       o.minutes, ": expected more than 0");
  require<OptionError>(o.hidden >= 4 && o.hidden % 2 == 0, "--hidden ", o.hidden, ": expected an even width from 4");
  require<OptionError>(o.batch >= 0 && o.crop >= -1, "--batch ", o.batch, " --crop ", o.crop,
                       ": expected a batch from 0 and a crop from -1");
  require<OptionError>(o.ratio >= 0 && o.ratio < 1, "--ratio ", o.ratio,
                       ": expected 0 (drawn from 0.5 to 1) or a ratio below 1: with 1 nothing would be hidden");
  require<OptionError>(o.ratio == 0 || o.mask == "pixels", "--ratio ", o.ratio, ": has no meaning with --mask ", o.mask,
                       ", expected --mask pixels");
  require<OptionError>(o.contexts.ratio > 0 && o.contexts.ratio <= 1, "--contexts ", o.contexts.ratio,
                       ": expected a ratio in (0, 1]");
  require<OptionError>(o.learning_rate > 0 && std::isfinite(o.learning_rate), "--learning-rate ", o.learning_rate,
                       ": expected a positive number");
  require<OptionError>(o.save_every >= 0 && std::isfinite(o.save_every), "--save-every ", o.save_every,
                       ": expected 0 or more seconds");
  require<OptionError>(!o.checkpoint.empty() || !given("--save-every"), "--save-every needs --checkpoint DIR");
  require<OptionError>(!o.resume || !o.checkpoint.empty(), "--resume needs --checkpoint DIR");
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

/// @brief The frames that a run learns from. Throws OptionError if the data do not have them.
inline data::FrameRange frames_to_learn(const Options& o, int frames) {
  const auto& asked = o.learned;
  if (asked == data::FrameRange{}) return {0, frames};
  require<OptionError>(asked.begin >= 0 && asked.begin < asked.end && asked.end <= frames, "--learn-frames ", asked.begin, ":",
                       asked.end, ": expected FIRST:END with 0 <= FIRST < END <= ", frames, ", the number of frames");
  return asked;
}

}  // namespace lacuna::fill
