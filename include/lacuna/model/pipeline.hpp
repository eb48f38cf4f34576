#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lacuna/core/memory_limit.hpp"
#include "lacuna/core/version.hpp"
#include "lacuna/model/background_choice.hpp"
#include "lacuna/model/memory_planner.hpp"
#include "lacuna/model/model.hpp"
#include "lacuna/model/network.hpp"
#include "lacuna/model/policy_choice.hpp"
#include "lacuna/model/report.hpp"
#include "lacuna/model/resident_memory.hpp"
#include "lacuna/observer.hpp"
#include "lacuna/result.hpp"
#include "lacuna/settings.hpp"

namespace lacuna::model {

/// @brief Batch and crop for a grid: about 20000 cells a step; crops where gaps are small against the grid. What is set stays.
inline void choose_sizes(const data::Grid& grid, const mask::Structure& structure, NetworkKind network, int& batch, int& crop) {
  constexpr int cells_per_step = 20736, usual_crop = 36, largest_whole = 24000;
  if (network == NetworkKind::fno) crop = 0;  // its modes are those of the whole grid
  if (crop < 0) {
    const bool small_gaps = structure.kind == mask::Structure::Kind::pixels;
    const bool whole =
        small_gaps ? std::max(grid.height(), grid.width()) <= usual_crop + usual_crop / 3 : grid.cells() <= largest_whole;
    crop = whole ? 0 : small_gaps ? usual_crop : 96;
  }
  const int rows = crop == 0 ? grid.height() : std::min(crop, grid.height());
  const int columns = crop == 0 ? grid.width() : std::min(crop, grid.width());
  if (batch == 0) batch = std::clamp(cells_per_step / (rows * columns), 4, 32);
}

/// @brief What a report tells once the work is done that began at `start`.
inline void finish(Report& report, std::uint64_t seed, std::chrono::steady_clock::time_point start) {
  report.total_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  report.peak_bytes = peak_memory();
  report.seed = seed;
  report.version = version;
}

/// @brief impute(), step by step, for a factory of networks on a device.
template <class Factory, class DeviceType>
class Pipeline {
 public:
  Pipeline(std::shared_ptr<DeviceType> device, const Settings& settings, const Factory& factory, Observer& observer)
      : device_(std::move(device)), settings_(settings), factory_(factory), observer_(observer) {}

  Result operator()(const data::Fields& input) {
    const auto start = std::chrono::steady_clock::now();
    validate(settings_);
    data::require_consistent(input);
    if (settings_.training.checkpoint.resume) Checkpoint::check_readable(settings_.training.checkpoint.folder);
    report_.threads = device_->threads();
    report_.device = device_->name();
    report_.learned = frames_to_learn(settings_.training_frames, input.frames());
    report_.variables = input.names;
    auto holdout = settings_.holdout;
    holdout.seed = settings_.seed;
    make_dataset(report_.learned.size() == input.frames() ? input : data::frames_of(input, report_.learned), holdout);
    const auto candidates = audited_candidates();
    const auto work = workload(settings_.ensemble, data_->held_out().windows.size(), report_.scored, input.values.size());
    choose_network(candidates.front().policy, work);
    std::optional<ModelType> model(std::in_place, data_, factory_, candidates.front().policy, model_settings(), Schedule{},
                                   schedule::DataMatching{}, device_);
    plan(*model, work);
    const std::size_t chosen = choose_policy(candidates);
    trim_memory();
    report_.mask = candidates[chosen].name;
    if (chosen != 0)
      model.emplace(data_, factory_, candidates[chosen].policy, model_settings(), Schedule{}, schedule::DataMatching{}, device_);
    Profile profile;
    model->train(settings_.training.budget, observer_, settings_.training.checkpoint, settings_.profile ? &profile : nullptr);
    tell(profile);
    report_.steps = model->steps_done();
    report_.training_seconds = model->training_seconds();
    device_->release();  // a training step takes more than imputation does
    describe(model->calibrate(observer_), model->spread_calibration());
    auto filled = model->fill(input, {.training_frames = report_.learned, .fill_static = settings_.fill_static}, observer_);
    report_.filled = filled.count;
    finish(report_, settings_.seed, start);
    return {std::move(filled.fields), std::move(filled.spread), std::move(filled.observed), std::move(report_)};
  }

 private:
  using Schedule = schedule::VariancePreserving;
  using ModelType = Model<NetworkOf<Factory>, Policy, Schedule, schedule::DataMatching, DeviceType>;

  /// Holds out observations, chooses the background on them and makes the samples.
  void make_dataset(const data::Fields& fields, const validation::HoldoutSettings& holdout) {
    observer_.begins(Stage::gaps);
    auto split = validation::hold_out(fields, settings_.window, holdout);
    report_.gaps = mask::describe(split.structure);
    report_.held_out = split.held_out_count();
    observer_.tells(Stage::gaps, report_.gaps);
    const auto windows = validation::windows_to_score(split.data());
    report_.scored = validation::scored_values(split.data(), windows);
    auto background = choose_background(settings_, split, windows, device_->threads(), report_, observer_);
    data_ = std::make_shared<const Dataset>(std::move(split), std::move(background), device_->threads());
  }

  std::vector<PolicyCandidate> audited_candidates() {
    observer_.begins(Stage::policy);
    auto candidates = policy_candidates(settings_.policy, data_->structure(), data_->samples());
    constexpr int map_rows = 12;
    for (const auto& candidate : candidates) {
      std::string words = mask::summary(candidate.exposure, map_rows);
      if (words.ends_with('\n')) words.pop_back();
      observer_.tells(Stage::policy, words);
    }
    return allowed_policies(std::move(candidates), settings_.policy.allow_unexposed, data_->structure());
  }

  ModelSettings model_settings() const {
    const auto& t = settings_.training;
    const auto& n = settings_.network;
    return {.batch = batch_,
            .crop = crop_,
            .seed = settings_.seed,
            .learning_rate = t.learning_rate,
            .local = n.kind == NetworkKind::unet && has_settings,
            .allow_unexposed = true,  // the candidates have been audited
            .scale = {},
            .ensemble = settings_.ensemble,
            .marks = {{"learned frames", text(report_.learned.begin, ":", report_.learned.end)},
                      {"network", network_name()},
                      {"hidden width", text(n.hidden)},
                      {"precision", n.precision == Precision::bfloat16 ? "bfloat16" : "float"}}};
  }
  static constexpr bool has_settings = requires(Factory & f, const NetworkSettings& s) { f.settings = s; };
  std::string network_name() const { return has_settings ? name(settings_.network.kind) : "own"; }
  Factory with(const NetworkSettings& network) const {
    Factory factory = factory_;
    if constexpr (has_settings) factory.settings = network;
    return factory;
  }

  /// Sizes, precision and, with a limit of memory, the largest batch that fits.
  void choose_network(const Policy& policy, const Workload& work) {
    auto& network = settings_.network;
    batch_ = settings_.training.batch;
    crop_ = settings_.training.crop;
    choose_sizes(data_->samples().fields().grid, data_->structure(), network.kind, batch_, crop_);
    if (network.precision == Precision::bfloat16) {
      const char* reason = device_->lacks_bfloat16();
      if (reason != nullptr &&
          network.kind != NetworkKind::fno) {  // which computes in float where the device does not multiply it
        observer_.warns(text("network.precision bfloat16: ", reason, "; the network is trained in float"));
        network.precision = Precision::float32;
      }
    }
    observer_.begins(Stage::planning);
    if (settings_.memory_limit > 0) {
      if constexpr (std::is_same_v<DeviceType, cpu::Device>)
        plan_within_limit(policy, work);
      else
        throw OptionError("memory_limit: plans the host's memory, expected the CPU");
    }
    factory_ = with(network);
  }

  void plan_within_limit(const Policy& policy, const Workload& work) {
    const std::size_t resident = resident_memory();
    const std::vector<float> scale(data_->samples().fields().names.size(), 1.0f);  // decides no sizes
    const MemoryPlanner planner(data_->samples().fields().grid, [&](const MemoryPlan& plan) {
      trim_memory();
      const std::size_t before = resident_memory();
      // A device without memory, since a plan may be larger than any; what libraries keep of earlier plans is left out.
      const auto device = std::make_shared<cpu::Device>(cpu::Device::Settings{.threads = device_->threads(), .arena_bytes = 0});
      auto settings = model_settings();
      settings.batch = plan.batch;
      settings.crop = plan.crop;
      settings.scale = scale;
      ModelType model(data_, with(plan.network), policy, settings, Schedule{}, schedule::DataMatching{}, device);
      const std::size_t planned = resident + std::max(plan_memory(model, work), before) - before;
      // What a plan misses of a run: measured were 5 MB of 58 and 11 MB of 92.
      return planned + planned / 10 + (std::size_t{4} << 20);
    });
    const MemoryPlan asked{.batch = batch_, .crop = crop_, .network = settings_.network};
    const auto plans = planner(asked, settings_.training.batch == 0);
    observer_.tells(Stage::planning, MemoryPlanner::table(plans, settings_.memory_limit));
    const MemoryPlan chosen = MemoryPlanner::choose(plans, asked, settings_.memory_limit);
    batch_ = chosen.batch;
    crop_ = chosen.crop;
    settings_.network = chosen.network;
  }

  /// Plans memory. Throws: OptionError or Error if it, or what was taken to get here, is more than the limit or the system allow:
  /// libraries that get no memory crash. Where the device's memory does not suffice, ArenaFull that tells what would fit.
  void plan(ModelType& model, const Workload& work) {
    report_.network = network_name();
    report_.precision = settings_.network.precision == Precision::bfloat16 ? "bfloat16"
                        : settings_.network.precision == Precision::tf32   ? "tf32"
                                                                           : "float";
    report_.parameters = model.parameters().size();
    report_.planned_bytes = plan_on_device(model, work);
    const std::size_t needed = std::max(report_.planned_bytes, peak_memory());
    require<OptionError>(settings_.memory_limit == 0 || needed <= settings_.memory_limit,
                         "memory_limit = ", megabytes(settings_.memory_limit), ": ", megabytes(needed),
                         report_.planned_bytes < needed ? " were taken before training began" : " are needed", "; give more");
    const std::size_t limit = memory_limit();
    require(needed <= limit, "out of memory: ", megabytes(needed), " are needed, ", megabytes(limit),
            " can be had; memory_limit says which settings take less");
    report_.device_bytes = device_->arena().high_water() - device_->host_bytes();
    observer_.tells(
        Stage::planning,
        text("network: ", report_.network, " of ", report_.parameters, " parameters in ", report_.precision, " on ",
             report_.device, ", batch ", batch_, " of ", crop_ == 0 ? "the whole grid" : text(crop_, " x ", crop_, " crops"),
             "; planned peak memory ", megabytes(report_.planned_bytes),
             report_.device_bytes > 0 ? text(", and ", report_.device_bytes / 1000000, " MB of the GPU's") : ""));
  }

  std::size_t plan_on_device(ModelType& model, const Workload& work) {
    try {
      return plan_memory(model, work);
    } catch (const ArenaFull& full) {
      auto settings = model.settings();
      auto network = settings_.network;
      while (settings.batch > 1 || !network.recompute) {
        if (settings.batch > 1)
          settings.batch /= 2;
        else
          network.recompute = true;
        try {
          settings.scale = model.scale();
          ModelType smaller(data_, with(network), model.policy(), settings, Schedule{}, schedule::DataMatching{}, device_);
          plan_memory(smaller, work);
        } catch (const ArenaFull&) {
          continue;
        }
        throw ArenaFull(text(full.what(), "; training.batch = ", settings.batch,
                             network.recompute && !settings_.network.recompute ? " network.recompute" : "", " would fit"));
      }
      throw;
    }
  }

  /// Chooses among the allowed policies, the structure's own first: each trains a small network for the same few steps, and
  /// another takes its place if its error on held-out observations is clearly lower. Deterministic. The trials have a device of
  /// their own where its memory is then gone when they end.
  std::size_t choose_policy(const std::vector<PolicyCandidate>& allowed) {
    constexpr int trial_steps = 100, trial_hidden = 16;
    constexpr double clearly_lower = 0.98;
    std::size_t best = 0;
    double least = 0;
    auto network = settings_.network;
    network.hidden = std::min(network.hidden, trial_hidden);
    if (allowed.size() == 1) return best;
    const auto device = sibling();
    for (std::size_t i = 0; i < allowed.size(); ++i) {
      ModelType trial(data_, with(network), allowed[i].policy, model_settings(), Schedule{}, schedule::DataMatching{}, device);
      const train::LearningRate rate{.peak = settings_.training.learning_rate};
      for (int step = 0; step < trial_steps; ++step) trial.trainer().step(rate(static_cast<double>(step) / trial_steps));
      const double error = trial.held_out_error();
      observer_.tells(Stage::policy, text("mask policy ", allowed[i].name, ": held-out error ", fixed(error), " after ",
                                          trial_steps, " trial steps"));
      if (i == 0 || error < clearly_lower * least) {
        least = error;
        best = i;
      }
    }
    return best;
  }
  std::shared_ptr<DeviceType> sibling() const {
    if constexpr (requires { device_->sibling(); })
      return device_->sibling();
    else
      return device_;
  }

  void tell(const Profile& profile) {
    if (!settings_.profile) return;
    observer_.tells(Stage::training, profile.steps() > 0
                                         ? profile.table()
                                         : "no profile: it begins after 3 steps of training, of which there were fewer");
  }

  void describe(const Calibration& c, const SpreadCalibration& trust) {
    const auto& e = settings_.ensemble;
    report_.members = c.members;
    report_.members_chosen = e.members == 0;
    report_.ensemble = e.samples > 0 ? text(c.members, " samples of ", e.sampling_steps, " steps") : text(c.members, " contexts");
    report_.contexts = c.all ? "all observations" : text("mean of ", report_.ensemble);
    report_.weights = c.weights;
    for (const auto& model : c.spread) {
      report_.spread_factors.push_back(model.factor);
      report_.spread_floors.push_back(model.floor);
    }
    report_.spread_calibration = trust;
    report_.fitted_nmse = c.nmse;
    report_.scores.push_back({"lacuna", trust.spread.mse()});
  }

  std::shared_ptr<DeviceType> device_;
  Settings settings_;
  Factory factory_;
  Observer& observer_;
  Report report_;
  std::shared_ptr<const Dataset> data_;
  int batch_ = 0, crop_ = -1;
};

/// @brief Fills the gaps of gappy fields on a device with the networks of a factory: see lacuna/impute.hpp.
template <class DeviceType, class Factory>
Result impute_on(std::shared_ptr<DeviceType> device, const data::Fields& fields, const Settings& settings, const Factory& factory,
                 Observer& observer = silent()) {
  return Pipeline<Factory, DeviceType>(std::move(device), settings, factory, observer)(fields);
}

}  // namespace lacuna::model
