#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "lacuna/autograd/graph.hpp"
#include "lacuna/core/philox.hpp"
#include "lacuna/mask/objectives.hpp"
#include "lacuna/mask/partition.hpp"
#include "lacuna/schedule/variance_preserving.hpp"
#include "lacuna/train/engine.hpp"
#include "lacuna/train/input.hpp"
#include "lacuna/train/optimizer.hpp"
#include "lacuna/train/samples.hpp"

namespace lacuna::train {

/// @brief Settings of a training run; the optimizer's and the schedule's own are theirs.
struct TrainerSettings {
  int batch = 16;
  int crop = 0;  ///< rows and columns of the patches trained on; 0: the whole grid
  std::uint64_t seed = 1;
  /// t ~ U(smallest_time, latest_time): 1 is Algorithm 1. Single-step imputation asks for the smallest time alone, while half of
  /// the times up to 1 have more noise than signal: where only it is wanted, less is learned faster (docs/theory.md). What was
  /// trained so knows nothing of later times and cannot sample in many steps.
  double latest_time = 1;
  OptimizerSettings optimizer;
};

/// @brief Buffers of one sample on its way into the batch. Reused: no allocation in steady state.
struct SampleBuffers {
  mask::Partition partition;
  std::vector<float> values, background, climate, place;
  baseline::AnyBackground::Workspace workspace;
};

/// @brief What a network is asked for unless told otherwise: x0 (the paper, Algorithm 1), or the noise where it is shown the
/// query (diffusion probabilistic fields, Algorithm 2).
template <mask::MaskPolicy Policy>
using UsualMatching = std::conditional_t<mask::shows_query<Policy>, schedule::NoiseMatching, schedule::DataMatching>;

/// @brief Trains a network on incomplete samples by Algorithm 1 of the paper, or for a policy that shows the query Algorithm 2.
///
/// Each step draws windows, patches, contexts and queries (counter-based: step and seed decide, so a resumed run repeats an
/// unbroken one), computes the background from each context alone, and minimises the query's squared error of the anomaly in
/// units of its deviation (or of its noise or velocity: Matching). Determinism: bit for bit with the same seed, threads, device
/// and build. Windows, masks and backgrounds are made on the host, input and target on the device: masks and noise are the same
/// on every one.
template <class Network, mask::MaskPolicy Policy, schedule::NoiseSchedule Schedule = schedule::VariancePreserving,
          schedule::Matching MatchingType = UsualMatching<Policy>, class DeviceType = cpu::Device>
class Trainer {
 public:
  using Settings = TrainerSettings;
  using Matching = MatchingType;

  /// scale (V): deviation of the anomaly, from anomaly_scale(). The references must outlive the trainer.
  Trainer(DeviceType& device, const Samples& samples, const Network& network, Parameters<float>& parameters, const Policy& policy,
          std::vector<float> scale, const Settings& settings, const Schedule& schedule = {}, const Matching& matching = {})
      : device_(device),
        samples_(samples),
        policy_(policy),
        schedule_(schedule),
        settings_(checked(settings)),
        scale_(require_scale(std::move(scale), samples.fields().names.size())),
        layout_(input_layout(samples, mask::shows_query<Policy>)),
        height_(side(settings.crop, samples.fields().grid.height())),
        width_(side(settings.crop, samples.fields().grid.width())),
        engine_(device, network, parameters, settings.optimizer, {layout_, settings.batch, height_, width_}, matching),
        buffers_(static_cast<std::size_t>(settings.batch)) {}

  /// @brief One step of Algorithm 1; returns the loss. Throws Error when the gradient is not finite.
  double step(double learning_rate) {
    const auto whole = Profile::step(profile_);
    const auto [loss, norm] = engine_.step(learning_rate, [this](std::int64_t step, int b) { return sample(step, b); });
    require(std::isfinite(norm), "training diverged at step ", steps_done() + 1,
            ": the gradient is not finite; use a smaller learning rate");
    return loss;
  }

  /// @brief Draws the next batch and runs a step without computing: afterwards buffers and primitives exist, and
  /// device.arena().high_water() is what a step takes. Nothing is written to the arena.
  void plan() {
    engine_.plan([this](std::int64_t step, int b) { return sample(step, b); });
  }

  /// The steps from now on are told to this profile; null: to none.
  void watch(Profile* profile) {
    profile_ = profile;
    engine_.watch(profile);
  }

  /// What the optimizer carries; afterwards the parameters given to the constructor are those that it belongs to.
  const OptimizerState<float>& state() { return engine_.state(); }
  /// Goes on from this state and the values that those parameters have now.
  void restore(OptimizerState<float> state) { engine_.restore(std::move(state)); }

  const InputLayout& layout() const { return layout_; }
  const Settings& settings() const { return settings_; }
  std::int64_t steps_done() const { return engine_.steps_done(); }

 private:
  static const Settings& checked(const Settings& settings) {
    require<OptionError>(settings.batch >= 1 && settings.crop >= 0, "Trainer: batch ", settings.batch, ", crop ", settings.crop,
                         "; expected a batch from 1 and a crop from 0");
    require<OptionError>(settings.latest_time >= schedule::smallest_time && settings.latest_time <= 1, "Trainer: latest time ",
                         settings.latest_time, "; expected ", schedule::smallest_time, " to 1");
    return settings;
  }
  static float level(const char* name, double value, double t) {
    require<OptionError>(std::isfinite(value) && value >= 0, "noise schedule: ", name, '(', t, ") is ", value,
                         ", expected a finite number from 0");
    return static_cast<float>(value);
  }
  static int side(int crop, int cells) { return crop == 0 ? cells : std::min(crop, cells); }

  /// Sample b of a step's batch. One whose query is empty (a patch inside a gap) is drawn anew, a bounded number of times.
  SampleView sample(std::int64_t step, int b) {
    constexpr std::uint64_t attempts = 8;
    auto& buffers = buffers_[static_cast<std::size_t>(b)];
    int window = 0;
    data::Patch patch;
    std::uint64_t number = 0;
    for (std::uint64_t attempt = 0; attempt < attempts; ++attempt) {
      number = (static_cast<std::uint64_t>(step) * static_cast<std::uint64_t>(settings_.batch) + static_cast<std::uint64_t>(b)) *
                   attempts +
               attempt;
      std::tie(window, patch) = choose(number);
      mask::partition(policy_, philox_key(settings_.seed, Purpose::context), number,
                      samples_.windows()[static_cast<std::size_t>(window)], patch, buffers.partition);
      if (buffers.partition.query_count > 0 && buffers.partition.context_count > 0) break;
    }
    const float u = uniform(philox(philox_key(settings_.seed, Purpose::time), 0, number)[0]);
    const double t = schedule::smallest_time + (settings_.latest_time - schedule::smallest_time) * static_cast<double>(u);
    return cut(buffers, window, patch, number, t);
  }

  std::pair<int, data::Patch> choose(std::uint64_t number) const {
    const auto& grid = samples_.fields().grid;
    const auto words = philox(philox_key(settings_.seed, Purpose::crop), 0, number);
    const int window = uniform_below(words[0], static_cast<int>(samples_.windows().size()));
    const int x_choices = width_ == grid.width() ? 1 : grid.periodic_x ? grid.width() : grid.width() - width_ + 1;
    return {window, {uniform_below(words[1], grid.height() - height_ + 1), uniform_below(words[2], x_choices), height_, width_}};
  }

  SampleView cut(SampleBuffers& buffers, int window, const data::Patch& patch, std::uint64_t number, double t) const {
    samples_.cut(samples_.fields().values, window, patch, buffers.values);
    samples_.cut_place(patch, buffers.place);
    if (layout_.background) {
      buffers.background.resize(buffers.values.size());
      samples_.background().evaluate(
          samples_.background_request(window, patch, buffers.values.data(), buffers.partition.context.data()),
          buffers.background.data(), buffers.workspace);
    }
    if (layout_.climate) samples_.cut(samples_.background().climatology_channel(), window, patch, buffers.climate);
    return {.patch = patch,
            .grid_width = samples_.fields().grid.width(),
            .values = buffers.values.data(),
            .context = buffers.partition.context.data(),
            .query = buffers.partition.query.data(),
            .background = layout_.background ? buffers.background.data() : nullptr,
            .climate = layout_.climate ? buffers.climate.data() : nullptr,
            .place = buffers.place.data(),
            .season = samples_.season(window),
            .scale = scale_.data(),
            .time = static_cast<float>(t),
            .alpha = level("alpha", schedule_.alpha(t), t),
            .sigma = level("sigma", schedule_.sigma(t), t),
            .noise = philox_key(settings_.seed, Purpose::noise),
            .query_noise = philox_key(settings_.seed, Purpose::query),
            .sample = number};
  }

  DeviceType& device_;
  const Samples& samples_;
  Policy policy_;
  Schedule schedule_;
  Settings settings_;
  std::vector<float> scale_;
  InputLayout layout_;
  int height_, width_;
  Engine<Network, DeviceType, Matching> engine_;
  std::vector<SampleBuffers> buffers_;
  Profile* profile_ = nullptr;
};

}  // namespace lacuna::train
