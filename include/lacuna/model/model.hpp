#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "lacuna/core/digest.hpp"
#include "lacuna/core/version.hpp"
#include "lacuna/mask/audit.hpp"
#include "lacuna/mask/pixels.hpp"
#include "lacuna/model/anomaly_scale.hpp"
#include "lacuna/model/calibration.hpp"
#include "lacuna/model/checkpoint.hpp"
#include "lacuna/model/dataset.hpp"
#include "lacuna/model/ensemble.hpp"
#include "lacuna/model/ensemble_values.hpp"
#include "lacuna/model/filling.hpp"
#include "lacuna/model/parts.hpp"
#include "lacuna/model/training.hpp"
#include "lacuna/observer.hpp"
#include "lacuna/settings.hpp"
#include "lacuna/train/trainer.hpp"

namespace lacuna {

/// @brief How a model is trained; when training ends is said to train().
struct ModelSettings {
  int batch = 16;
  int crop = 0;  ///< rows and columns of the patches trained on; 0: the whole grid
  std::uint64_t seed = 1;
  double learning_rate = 1e-3;
  double latest_time = 1;  ///< see train::TrainerSettings
  int threads = 0;         ///< of the device that the model makes; 0: all
  /// What the network says of a cell depends on the 32 cells around it only, as a UNet's: grids larger than it was trained on are
  /// filled in tiles. Otherwise it is never shown more at once than in training.
  bool local = false;
  bool allow_unexposed = false;  ///< train although the exposure audit refuses the mask policy
  std::vector<float> scale;      ///< (V) deviation of the anomaly; empty: measured
  EnsembleSettings ensemble;     ///< how it is used once it is trained
  model::Fingerprint marks;      ///< what a checkpoint belongs to, beside what the model knows
};

/// @brief Shapes the values that fill() returns.
struct FillSettings {
  data::FrameRange training_frames;  ///< frames of the input that the background is fitted to; empty: all
  bool fill_static = false;          ///< also fill cells that are never observed (land)
};

/// @brief A diffusion model of incomplete data: network, weights, policy, schedule, background, and what was chosen and measured
/// on held-out observations. Trains, calibrates, fills, draws.
///
/// Every part may be a user's own type; a missing member is named at compile time (model/parts.hpp). The model owns all that
/// belongs to its weights (layout, scale, schedule, average), so they cannot disagree; dataset and device are shared. Deduced
/// from the constructor's arguments. Deterministic for a number of steps: bit for bit with the same seed, threads and build.
/// Source: paper, Algorithms 1 and 2 (training), eq. 9 and 10 (the mean), Algorithm 4 (posterior samples).
template <class NetworkType, class PolicyType, class ScheduleType = schedule::VariancePreserving,
          class MatchingType = model::UsualMatching<PolicyType>, class DeviceType = cpu::Device>
class Model {
  static_assert(model::check_parts<NetworkType, PolicyType, ScheduleType, MatchingType, DeviceType>());

 public:
  using Network = NetworkType;
  using Policy = PolicyType;
  using Device = DeviceType;
  using Trainer = train::Trainer<Network, Policy, ScheduleType, MatchingType, Device>;
  using Sampler = sampler::SingleStep<Network, ScheduleType, MatchingType, Device>;

  /// factory(shape, parameters, seed) makes the network (train::NetworkShape; UNetFactory and its kin are factories). Without a
  /// device one is made. Throws: OptionError, ShapeError for a scale of the wrong size.
  template <class Factory>
  Model(std::shared_ptr<const Dataset> data, const Factory& factory, PolicyType policy, ModelSettings settings = {},
        ScheduleType schedule = {}, MatchingType matching = {}, std::shared_ptr<DeviceType> device = nullptr)
      : data_(std::move(data)),
        device_(device != nullptr ? std::move(device) : model::make_device<DeviceType>(settings.threads)),
        settings_(std::move(settings)),
        policy_(std::move(policy)),
        schedule_(std::move(schedule)),
        matching_(std::move(matching)),
        scale_(settings_.scale.empty() ? model::anomaly_scale(samples(), policy_, settings_.seed, device_->threads())
                                       : settings_.scale),
        layout_(train::input_layout(samples(), mask::shows_query<Policy>)),
        network_(
            factory(train::NetworkShape{layout_, side(samples().fields().grid.height()), side(samples().fields().grid.width())},
                    parameters_, settings_.seed)),
        averaged_(parameters_),
        trainer_(*device_, samples(), network_, parameters_, policy_, scale_,
                 {.batch = settings_.batch,
                  .crop = settings_.crop,
                  .seed = settings_.seed,
                  .latest_time = settings_.latest_time,
                  .optimizer = {}},
                 schedule_, matching_) {}
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  const Dataset& dataset() const { return *data_; }
  const train::Samples& samples() const { return data_->samples(); }
  Device& device() { return *device_; }
  const Policy& policy() const { return policy_; }
  const ModelSettings& settings() const { return settings_; }
  const train::InputLayout& layout() const { return layout_; }
  const std::vector<float>& scale() const { return scale_; }  ///< (V) deviation of the anomaly
  Trainer& trainer() { return trainer_; }
  Parameters<float>& parameters() { return parameters_; }
  std::int64_t steps_done() const { return trainer_.steps_done(); }
  double training_seconds() const { return training_seconds_; }

  /// @brief Whether every position that will be filled is queried in training (Theorem 1): exact where the policy or the library
  /// knows it, else sampled on the data's masks.
  mask::Exposure audit() const {
    return mask::audit(policy_, data_->structure(), std::span<const mask::Window>(samples().windows()));
  }

  /// @brief Trains within the budget, going on from where it is, with checkpoints now and then and at the end.
  /// The first call audits the policy's exposure. profile: times the ops of the steps.
  /// Throws: OptionError if the audit refuses the policy; Stopped; Error if training diverges; DataError for a checkpoint that is
  /// damaged or another model's.
  void train(const Budget& budget, Observer& observer = silent(), const CheckpointSettings& checkpoint = {},
             Profile* profile = nullptr);

  /// @brief A sampler with the averaged weights as they are now, on these samples, which must outlive it as the model must.
  Sampler sampler(const train::Samples& samples) {
    averaged_.values() = trainer_.state().average;
    sampler::SingleStepSettings s{.seed = settings_.seed};
    if (!settings_.local) {  // sees all of its input at once: give it no more than in training
      const int whole = std::max(samples.fields().grid.height(), samples.fields().grid.width());
      s.margin = settings_.crop == 0 ? 0 : settings_.crop / 4;
      s.tile = settings_.crop == 0 ? whole : settings_.crop - 2 * s.margin;
    }
    return Sampler(*device_, samples, layout_, network_, averaged_, scale_, s, schedule_, matching_);
  }
  Sampler sampler() { return sampler(samples()); }

  /// @brief The error on held-out values from one context a window, as it decides choices and the end of training: all
  /// observations where they may form the mean, else the first of the contexts that do. A fraction of the variance.
  double held_out_error() {
    auto s = sampler();
    const EnsembleSettings& ensemble = settings_.ensemble;
    return with_contexts([&](const auto& contexts) {
      return model::score_contexts(s, data_->held_out(),
                                   [&](int w) {
                                     return ensemble.mean_may_be_all()
                                                ? model::request_with_all(samples(), w)
                                                : model::member_request(samples(), contexts, settings_.seed, w, 0);
                                   })
          .nmse();
    });
  }

  /// @brief Chooses on held-out observations the contexts of the mean, the weight of the learned part, the spread and, if asked
  /// to, the number of members; and measures what they reach on those that they were not fitted to. Throws: OptionError.
  const model::Calibration& calibrate(Observer& observer = silent());
  bool calibrated() const { return calibration_.has_value(); }
  const model::Calibration& calibration() const {
    require(calibrated(), "Model: not calibrated; call calibrate() first");
    return *calibration_;
  }
  const model::SpreadCalibration& spread_calibration() const { return spread_calibration_; }

  /// @brief Fills the gaps of fields in the units of the data, every window with all observations as context, by the calibration.
  /// Throws: ShapeError for fields of another grid or other variables; Error before calibrate().
  model::Filled fill(const data::Fields& input, const FillSettings& settings = {}, Observer& observer = silent());

  /// @brief What a checkpoint of this model belongs to; with a budget its steps too.
  model::Fingerprint fingerprint(const Budget& budget) const;

 private:
  int side(int cells) const { return settings_.crop == 0 ? cells : std::min(cells, settings_.crop); }

  /// visit(policy of the contexts at use).
  template <class Visit>
  decltype(auto) with_contexts(const Visit& visit) const {
    const EnsembleSettings& s = settings_.ensemble;
    if (s.mean == MeanContexts::ratio) return visit(mask::Pixels{.ratio = static_cast<float>(s.ratio)});
    return visit(mask::at_use(policy_));
  }
  model::Ensemble ensemble_of(Sampler& sampler, int members) const {
    const EnsembleSettings& s = settings_.ensemble;
    if (s.samples > 0)
      return model::sample_ensemble(sampler, mask::at_use(policy_), schedule_, settings_.seed, s.samples, s.sampling_steps);
    return with_contexts(
        [&](const auto& contexts) { return model::context_ensemble(sampler, contexts, settings_.seed, members); });
  }

  std::shared_ptr<const Dataset> data_;
  std::shared_ptr<Device> device_;
  ModelSettings settings_;
  Policy policy_;
  ScheduleType schedule_;
  MatchingType matching_;
  std::vector<float> scale_;
  train::InputLayout layout_;
  Parameters<float> parameters_;
  Network network_;
  Parameters<float> averaged_;
  Trainer trainer_;
  std::optional<model::Calibration> calibration_;
  model::SpreadCalibration spread_calibration_;
  double training_seconds_ = 0;
  bool audited_ = false;
};

template <class Factory, class PolicyType>
Model(std::shared_ptr<const Dataset>, const Factory&, PolicyType, ModelSettings = {})
    -> Model<model::NetworkOf<Factory>, PolicyType>;
template <class Factory, class PolicyType, class ScheduleType>
Model(std::shared_ptr<const Dataset>, const Factory&, PolicyType, ModelSettings, ScheduleType)
    -> Model<model::NetworkOf<Factory>, PolicyType, ScheduleType>;
template <class Factory, class PolicyType, class ScheduleType, class MatchingType>
Model(std::shared_ptr<const Dataset>, const Factory&, PolicyType, ModelSettings, ScheduleType, MatchingType)
    -> Model<model::NetworkOf<Factory>, PolicyType, ScheduleType, MatchingType>;
template <class Factory, class PolicyType, class ScheduleType, class MatchingType, class DeviceType>
Model(std::shared_ptr<const Dataset>, const Factory&, PolicyType, ModelSettings, ScheduleType, MatchingType,
      std::shared_ptr<DeviceType>) -> Model<model::NetworkOf<Factory>, PolicyType, ScheduleType, MatchingType, DeviceType>;

/// @brief What a model learns from: fields in their own units, with a share of the observations held out.
template <class BackgroundType = baseline::AnyBackground>
std::shared_ptr<const Dataset> make_dataset(const data::Fields& fields, const data::WindowSettings& windows = {},
                                            BackgroundType background = {}, const validation::HoldoutSettings& holdout = {},
                                            int threads = 1) {
  return std::make_shared<const Dataset>(validation::hold_out(fields, windows, holdout),
                                         model::any_background(std::move(background)), threads);
}

template <class N, class P, class S, class M, class D>
void Model<N, P, S, M, D>::train(const Budget& budget, Observer& observer, const CheckpointSettings& where, Profile* profile) {
  if (!audited_ && !settings_.allow_unexposed) mask::require_exposure(audit());
  audited_ = true;
  observer.begins(Stage::training);
  std::optional<model::Checkpoint> checkpoint;
  if (!where.folder.empty()) checkpoint.emplace(where.folder, fingerprint(budget));
  model::TrainingRun run(trainer_, budget, settings_.learning_rate, observer);
  run.resume({.seconds = training_seconds_});
  std::int64_t loaded = -1;
  if (checkpoint && where.resume) {
    auto state = trainer_.state();
    if (const auto found = checkpoint->load(parameters_, state)) {
      require<DataError>(budget.steps == 0 || state.step <= budget.steps, "checkpoint ", where.folder.string(),
                         " is damaged: it is at step ", state.step, " of ", budget.steps);
      trainer_.restore(std::move(state));
      run.resume(found->training);
      loaded = steps_done();
      training_seconds_ = found->training.seconds;
      observer.tells(Stage::training, text("resumed at step ", steps_done()));
      if (found->threads != device_->threads())
        observer.warns(text("the checkpoint was made with ", found->threads, " threads, this run has ", device_->threads(),
                            ": the result is not the same bit for bit"));
    } else {
      observer.tells(Stage::training, text("no checkpoint in ", where.folder.string(), ": starting afresh"));
    }
  }
  constexpr std::int64_t warm_up = 3;  // steps that are not profiled: the first ones touch new memory
  const std::int64_t profile_from = steps_done() + warm_up;
  double saved = run.seconds();
  const auto save = [&](bool done) {
    const auto state = run.state();
    checkpoint->save(parameters_, trainer_.state(), {state, device_->threads()});
    training_seconds_ = state.seconds;
    observer.saved(where.folder, done);
  };
  run([&] { return held_out_error(); },
      [&](std::int64_t step) {
        if (step == profile_from) trainer_.watch(profile);
        if (observer.stops()) {
          if (checkpoint) save(false);
          if (!checkpoint) training_seconds_ = run.seconds();
          throw Stopped(step, where.folder);
        }
        if (!checkpoint || run.seconds() - saved < where.save_every) return;
        saved = run.seconds();
        save(false);
      });
  if (checkpoint && steps_done() != loaded) save(true);
  if (checkpoint && steps_done() == loaded) observer.saved(where.folder, true);
  trainer_.watch(nullptr);
  if (!checkpoint) training_seconds_ = run.seconds();
}

template <class N, class P, class S, class M, class D>
const model::Calibration& Model<N, P, S, M, D>::calibrate(Observer& observer) {
  const EnsembleSettings& ensemble = settings_.ensemble;
  validate(ensemble);
  observer.begins(Stage::calibration);
  constexpr int pilot = 10;
  auto s = sampler();
  const auto held_out = data_->held_out();
  const std::size_t kinds = model::gap_kinds(samples());
  const auto evaluate = [&](int members) {
    auto values = model::ensemble_values(ensemble_of(s, members), held_out, device_->threads());
    if (ensemble.mean_may_be_all()) model::add_all_observations(values, s, held_out);
    return values;
  };
  const auto fit = [&](const model::EnsembleValues& v) {
    return model::fit_calibration(v.values, v.members, ensemble.mean, kinds);
  };
  auto values = evaluate(ensemble.members == 0 ? pilot : ensemble.members);
  auto c = fit(values);
  if (ensemble.members == 0) {
    const auto needed = model::members_needed(values, c);
    observer.tells(Stage::calibration, text("members: the mean asks for ", std::ceil(needed.mean), ", the spread for ",
                                            std::ceil(needed.spread), "; ", needed.count(), " are taken"));
    if (needed.count() != pilot) {
      values = evaluate(needed.count());
      c = fit(values);
    }
  }
  spread_calibration_ = model::cross_validate(values, ensemble.mean, kinds);
  calibration_ = std::move(c);
  return *calibration_;
}

template <class N, class P, class S, class M, class D>
model::Filled Model<N, P, S, M, D>::fill(const data::Fields& input, const FillSettings& settings, Observer& observer) {
  const auto& c = calibration();
  const auto& learned = samples().fields();
  require<ShapeError>(
      input.grid.height() == learned.grid.height() && input.grid.width() == learned.grid.width() && input.names == learned.names,
      "Model: fields of ", input.grid.height(), " x ", input.grid.width(), " cells and ", input.variables(),
      " variables, expected those that it was trained on: ", learned.grid.height(), " x ", learned.grid.width(), " cells and ",
      learned.variables(), " variables of the same names");
  observer.begins(Stage::filling);
  const auto sums = [&] {  // what is normalised is gone before the result is made
    data::Fields everything = input;
    data_->normalisation().apply(everything);
    const train::Samples all(std::move(everything), data_->windows(), samples().background(), samples().live(),
                             settings.training_frames, device_->threads());
    auto s = sampler(all);
    return model::impute_windows(s, ensemble_of(s, c.members), c, observer);
  }();
  return model::merge(input, data_->normalisation(), samples().live(), sums, settings.fill_static);
}

template <class N, class P, class S, class M, class D>
model::Fingerprint Model<N, P, S, M, D>::fingerprint(const Budget& budget) const {
  const auto& fields = samples().fields();
  std::string variables;
  for (const std::string& name : fields.names) variables += (variables.empty() ? "" : " ") + name;
  std::string network;
  for (const auto& entry : parameters_.entries()) {
    network += entry.name;
    for (const int d : entry.dims) network += text(' ', d);
  }
  model::Fingerprint all{
      {"version", version},
      {"variables", variables},
      {"seed", text(settings_.seed)},
      {"steps", text(budget.steps)},
      {"window", text(data_->windows().length, "/", data_->windows().stride)},
      {"held-out share", text(data_->held_out_share())},
      {"batch", text(settings_.batch)},
      {"crop", text(settings_.crop)},
      {"learning rate", text(settings_.learning_rate)},
      {"coordinates", text(digest(fields.grid.y), "/", digest(fields.grid.x), "/", digest(fields.time), fields.time_units), true},
      {"observed values", text(digest(fields.values)), true},
      {"names and shapes of the parameters", text(digest_bytes(std::as_bytes(std::span(network.data(), network.size())))), true},
      {"background", samples().background().name()},
      {"mask policy", mask::policy_name(policy_)}};
  all.insert(all.begin() + 6, settings_.marks.begin(), settings_.marks.end());
  return all;
}

}  // namespace lacuna
