#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "lacuna/core/memory_limit.hpp"
#include "lacuna/core/version.hpp"
#include "lacuna/fill/background_choice.hpp"
#include "lacuna/fill/calibration.hpp"
#include "lacuna/fill/memory.hpp"
#include "lacuna/fill/memory_plan.hpp"
#include "lacuna/fill/options.hpp"
#include "lacuna/fill/policy_choice.hpp"
#include "lacuna/fill/report.hpp"
#include "lacuna/fill/study.hpp"
#include "lacuna/fill/training.hpp"
#include "lacuna/fill/withheld_error.hpp"
#include "lacuna/sampler/ensemble_pass.hpp"

namespace lacuna::fill {

/// @brief Filled fields in the variables' units, and what is known about them.
struct Result {
  data::Fields filled;                 ///< observed values exactly as they came; NaN where never observed (unless asked for)
  std::vector<float> spread;           ///< (T,H,W,V) one standard deviation; 0 where observed, NaN where not filled
  std::vector<std::uint8_t> observed;  ///< (T,H,W,V)
  Report report;
};

/// @brief Batch and crop for a grid: about 20000 cells a step; crops where gaps are small against the grid.
inline void choose_sizes(const data::Grid& grid, const mask::Structure& structure, LearnerSettings& settings) {
  constexpr int cells_per_step = 20736, usual_crop = 36, largest_whole = 24000;
  if (settings.network == "fno") settings.crop = 0;  // its modes are those of the whole grid
  if (settings.crop < 0) {
    const bool small_gaps = structure.kind == mask::Structure::Kind::pixels;
    const bool whole =
        small_gaps ? std::max(grid.height(), grid.width()) <= usual_crop + usual_crop / 3 : grid.cells() <= largest_whole;
    settings.crop = whole ? 0 : small_gaps ? usual_crop : 96;
  }
  const int rows = settings.crop == 0 ? grid.height() : std::min(settings.crop, grid.height());
  const int columns = settings.crop == 0 ? grid.width() : std::min(settings.crop, grid.width());
  if (settings.batch == 0) settings.batch = std::clamp(cells_per_step / (rows * columns), 4, 32);
}

/// @brief Sums of means and spreads over the windows that cover each value.
struct Overlap {
  explicit Overlap(std::size_t size) : mean(size, 0.0f), spread(size, 0.0f), count(size, 0) {}
  std::vector<float> mean, spread;
  std::vector<std::uint16_t> count;
};

/// @brief Buffers of impute_window, kept from window to window.
struct WindowMoments {
  std::vector<float> weights;   ///< of the learned part, per value of the window
  std::vector<float> expected;  ///< error that the background expects of itself
  baseline::Background::Workspace workspace;
  sampler::Moments moments;
};

/// @brief Imputes one window: the mean by the calibration's contexts, the spread always by the ensemble.
template <class SamplerType>
void impute_window(SamplerType& sampler, const train::Samples& samples, const Ensemble& ensemble, const Calibration& c,
                   int window, WindowMoments& buffers, Overlap& out) {
  const std::size_t frame = samples.fields().frame_size(), size = frame * static_cast<std::size_t>(samples.length());
  const std::size_t at = frame * static_cast<std::size_t>(samples.starts()[static_cast<std::size_t>(window)]);
  auto& weights = buffers.weights;  // no structured binding: Clang before 16 cannot capture it
  auto& expected = buffers.expected;
  auto& moments = buffers.moments;
  expect_error(samples, window, sampler.threads(), buffers.workspace, expected);
  weights.resize(size);
  for (std::size_t j = 0; j < size; ++j) weights[j] = static_cast<float>(c.weights[kind_of_gap(samples, window, j)]);
  ensemble.moments(window, weights, moments);
  const std::vector<sampler::Request> itself{self_request(samples, window)};
  if (c.self)
    sampler(itself, [&](std::size_t, const sampler::Estimate& e) {
      for (std::size_t j = 0; j < size; ++j) out.mean[at + j] += e.background[j] + weights[j] * e.anomaly[j];
    });
  for (std::size_t j = 0; j < size; ++j) {
    if (!c.self) out.mean[at + j] += moments.mean[j];
    out.spread[at + j] += static_cast<float>(c.spread[kind_of_gap(samples, window, j)].spread(
        static_cast<double>(moments.deviation[j]), static_cast<double>(expected[j])));
    ++out.count[at + j];
  }
}

/// @brief Imputes every window with all observations as context.
template <class LearnerType>
Overlap impute_windows(LearnerType& learner, const data::Fields& input, const Study& study, const BackgroundPlan& background,
                       const Policy& contexts, const Calibration& calibration, const Options& o, const Report& report) {
  data::Fields everything = input;
  study.normalisation.apply(everything);
  auto known = background.make(everything, report.learned);
  const train::Samples all(std::move(everything), o.window, std::move(known), study.live, report.learned);
  auto sampler = learner.sampler(all);
  const Ensemble ensemble = ensemble_of(sampler, contexts, o, calibration.members);
  Overlap sums(input.values.size());
  WindowMoments buffers;
  Progress progress;
  const int windows = static_cast<int>(all.windows().size());
  for (int w = 0; w < windows; ++w) {
    impute_window(sampler, all, ensemble, calibration, w, buffers, sums);
    progress.show("imputing", static_cast<double>(w + 1) / windows);
  }
  progress.finish();
  return sums;
}

/// @brief Averages overlaps, restores units, and puts the observed values back exactly. Filled are the study's live cells and
/// those observed in any frame of the input, learned from or not; with fill_static all.
inline void merge(const data::Fields& input, const Study& study, const Overlap& sums, bool fill_static, Result& result) {
  const auto variables = input.names.size();
  result.filled = input;
  result.observed.assign(input.values.size(), 0);
  result.spread.assign(input.values.size(), data::not_observed);
  std::vector<std::uint8_t> live = study.live;
  for (std::size_t i = 0; i < input.values.size(); ++i)
    if (!std::isnan(input.values[i])) live[i % live.size()] = 1;
  for (std::size_t i = 0; i < input.values.size(); ++i) {
    const std::size_t v = i % variables;
    if (!std::isnan(input.values[i])) {
      result.observed[i] = 1;
      result.spread[i] = 0.0f;
      continue;
    }
    if (!fill_static && live[i % live.size()] == 0) continue;
    const double count = sums.count[i];
    result.filled.values[i] = static_cast<float>(static_cast<double>(sums.mean[i]) / count * study.normalisation.deviation[v] +
                                                 study.normalisation.mean[v]);
    result.spread[i] = static_cast<float>(static_cast<double>(sums.spread[i]) / count * study.normalisation.deviation[v]);
    require(std::isfinite(result.filled.values[i]), "the value imputed for ", input.names[v], " in frame ",
            i / input.frame_size(), " is not finite");
    ++result.report.filled;
  }
}

/// @brief Chooses among the allowed policies, the structure's own first: each trains a small network for the same few steps, and
/// another takes its place if its error on withheld observations is clearly lower. Deterministic. The trials have a device of
/// their own where its memory is then gone when they end.
template <class DeviceType>
Policy choose_policy(DeviceType& device, const train::Samples& samples, const std::vector<PolicyCandidate>& allowed,
                     LearnerSettings settings, const Options& o, const Scored& scored, Report& report) {
  constexpr int trial_steps = 100, trial_hidden = 16;
  constexpr double clearly_lower = 0.98;
  settings.hidden = std::min(settings.hidden, trial_hidden);
  std::size_t best = 0;
  double least = 0;
  auto&& trials = device.another();
  for (std::size_t i = 0; i < allowed.size() && allowed.size() > 1; ++i) {
    Learner learner(trials, samples, allowed[i].policy, settings);
    const train::LearningRate rate{.peak = settings.learning_rate};
    for (int step = 0; step < trial_steps; ++step) learner.trainer().step(rate(static_cast<double>(step) / trial_steps));
    auto sampler = learner.sampler(samples);
    const double error = quick_error(sampler, samples, sampling_policy(allowed[i].policy, o.contexts), o, scored);
    std::printf("mask policy %s: withheld error %.4f after %d trial steps\n", allowed[i].name.c_str(), error, trial_steps);
    if (i == 0 || error < clearly_lower * least) {
      least = error;
      best = i;
    }
  }
  report.mask = allowed[best].name;
  return allowed[best].policy;
}

/// @brief Whether the network's images are kept in bfloat16: if asked for, and if the device multiplies it (a Fourier neural
/// operator computes in float where it does not); else it says why not.
template <class DeviceType>
bool in_bfloat16(const DeviceType& device, const Options& o) {
  if (o.precision != "bfloat16") return false;
  const char* reason = device.lacks_bfloat16();
  if (reason == nullptr || o.network == "fno") return true;
  std::printf("--precision bfloat16: %s; the network is trained in float\n", reason);
  return false;
}

/// @brief What a learner is made with, by options, grid and gaps; with --memory the largest batch that fits.
template <class DeviceType>
LearnerSettings learner_settings(const DeviceType& device, const Options& o, const train::Samples& samples,
                                 const mask::Structure& structure, const Policy& policy, const Workload& work) {
  LearnerSettings settings{.network = o.network,
                           .hidden = o.hidden,
                           .batch = o.batch,
                           .crop = o.crop,
                           .recompute = o.recompute,
                           .bfloat16 = in_bfloat16(device, o),
                           .seed = o.seed,
                           .learning_rate = o.learning_rate};
  choose_sizes(samples.fields().grid, structure, settings);
  if (o.memory == 0) return settings;
  if constexpr (std::is_same_v<DeviceType, cpu::Device>) {  // validate() refuses it elsewhere
    using Question = MemoryQuestion<DeviceType>;
    const auto plans = Question(samples, policy, device.threads(), work)(settings, o.batch == 0);
    Question::print(plans, o.memory, stdout);
    return Question::choose(plans, settings, o.memory);
  }
  return settings;
}

/// @brief plan_memory(). Throws: where the device's memory does not suffice, ArenaFull that tells the largest batch that fits.
template <class DeviceType>
std::size_t plan_on_device(const train::Samples& samples, const Policy& policy, Learner<DeviceType>& learner,
                           const Workload& work) {
  const auto fits = [&](const LearnerSettings& settings) {
    try {
      Learner smaller(learner.device(), samples, policy, settings, learner.scale());
      plan_memory(samples, smaller, work);
      return true;
    } catch (const ArenaFull&) {
      return false;
    }
  };
  try {
    return plan_memory(samples, learner, work);
  } catch (const ArenaFull& full) {
    auto settings = learner.settings();
    while (settings.batch > 1 || !settings.recompute) {
      if (settings.batch > 1)
        settings.batch /= 2;
      else
        settings.recompute = true;
      if (fits(settings))
        throw ArenaFull(text(full.what(), "; --batch ", settings.batch,
                             settings.recompute && !learner.settings().recompute ? " --recompute" : "", " would fit"));
    }
    throw;
  }
}

/// @brief What a report tells once the work is done that began at `start`.
inline void finish(Report& report, const Options& o, std::chrono::steady_clock::time_point start) {
  report.total_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  report.peak_bytes = peak_memory();
  report.seed = o.seed;
  report.version = version;
}

/// @brief Throws OptionError or Error if the planned memory, or what was taken to get here, is more than --memory or the system
/// allow: libraries that get no memory crash.
inline void require_within_limits(const Options& o, const Report& report) {
  const std::size_t needed = std::max(report.planned_bytes, peak_memory());
  const auto megabytes = [](std::size_t bytes) { return text((bytes + 500000) / 1000000, " MB"); };
  require<OptionError>(o.memory == 0 || needed <= o.memory, "--memory ", megabytes(o.memory), ": ", megabytes(needed),
                       report.planned_bytes < needed ? " were taken before training began" : " are needed", "; give more");
  const std::size_t limit = memory_limit();
  require(needed <= limit, "out of memory: ", megabytes(needed), " are needed, ", megabytes(limit),
          " can be had; --memory SIZE says which settings take less");
}

/// @brief Fills the gaps of gappy fields on a device: chooses background, mask policy and contexts on withheld observations,
/// trains, and imputes every window with all observations as context.
///
/// Progress and choices are printed to standard output. Deterministic for a number of steps: the same options, threads and build
/// give the same result bit for bit. Throws: OptionError, DataError, ShapeError with one line.
template <class DeviceType>
Result impute(DeviceType& device, const data::Fields& input, const Options& o) {
  const auto start = std::chrono::steady_clock::now();
  validate(o);
  if (o.resume) Checkpoint::check_readable(o.checkpoint);
  Result result;
  Report& report = result.report;
  report.threads = device.threads();
  report.device = device.name();
  report.learned = frames_to_learn(o, input.frames());
  const bool learns_all = report.learned.size() == input.frames();
  const Study study = make_study(learns_all ? input : data::frames_of(input, report.learned), o.window, o.withhold, o.seed);
  report.variables = input.names;
  report.gaps = mask::describe(study.structure);
  report.withheld = static_cast<std::size_t>(std::count(study.withheld.begin(), study.withheld.end(), std::uint8_t{1}));
  std::printf("%s\n", report.gaps.c_str());
  const baseline::Evidence evidence{study.available, study.truth.values, study.withheld, o.window};
  const Scored scored{{study.truth.values, study.withheld}, baseline::windows_to_score(evidence)};
  report.scored = baseline::scored_values(evidence, scored.windows);

  const auto background = choose_background(o, study, scored.windows, device.threads(), report);
  const train::Samples samples(study.available, o.window, background.make(study.available), study.live);
  const auto structure = mask::detect(samples.masks(), samples.windows(), samples.live());
  const auto candidates = policy_candidates(o, structure, samples);
  constexpr int map_rows = 12;
  for (const auto& candidate : candidates) std::printf("%s", mask::summary(candidate.exposure, map_rows).c_str());
  const auto allowed = allowed_policies(candidates, o, structure);
  const Workload work = workload(o, scored.windows.size(), report.scored, input.values.size());
  const LearnerSettings settings = learner_settings(device, o, samples, structure, allowed[0].policy, work);
  std::optional<Learner<DeviceType>> made(std::in_place, device, samples, allowed[0].policy, settings);
  report.network = settings.network;
  report.precision = settings.bfloat16 ? "bfloat16" : o.precision == "tf32" ? "tf32" : "float";
  report.parameters = made->parameters().size();
  report.planned_bytes = plan_on_device(samples, allowed[0].policy, *made, work);
  require_within_limits(o, report);
  report.device_bytes = device.arena().high_water() - device.host_bytes();
  std::printf("network: %s of %zu parameters in %s on %s, batch %d of %s; planned peak memory %.0f MB%s\n",
              settings.network.c_str(), report.parameters, report.precision.c_str(), report.device.c_str(), settings.batch,
              settings.crop == 0 ? "the whole grid" : text(settings.crop, " x ", settings.crop, " crops").c_str(),
              static_cast<double>(report.planned_bytes) / 1e6,
              report.device_bytes > 0 ? text(", and ", report.device_bytes / 1000000, " MB of the GPU's").c_str() : "");
  std::fflush(stdout);
  const Policy policy = choose_policy(device, samples, allowed, settings, o, scored, report);
  trim_memory();
  if (report.mask != allowed[0].name) made.emplace(device, samples, policy, settings);
  auto& learner = *made;
  std::optional<Checkpoint> checkpoint;
  if (!o.checkpoint.empty()) checkpoint.emplace(o.checkpoint, fingerprint(o, study, settings, report));
  train_learner(learner, samples, o, scored, checkpoint, report);
  device.release();  // a training step takes more than imputation does

  const Policy contexts = sampling_policy(policy, o.contexts);
  const Calibration calibration = [&] {
    auto scorer = learner.sampler(samples);
    return calibrate(scorer, samples, contexts, o, scored, report);
  }();

  const Overlap sums = impute_windows(learner, input, study, background, contexts, calibration, o, report);
  merge(input, study, sums, o.fill_static, result);
  finish(report, o, start);
  return result;
}

/// @brief The same on the CPU, with the options' threads. Throws: OptionError if the options say another device.
template <class DeviceType = cpu::Device>  // so that it is compiled where it is called
Result impute(const data::Fields& input, const Options& o) {
  validate(o);
  require<OptionError>(gpu_of(o.device) < 0, "--device ", o.device, ": impute() without a device runs on the CPU");
  DeviceType device({.threads = o.threads});
  return impute(device, input, o);
}

}  // namespace lacuna::fill
