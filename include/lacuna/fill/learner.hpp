#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "lacuna/core/progress.hpp"
#include "lacuna/fill/network.hpp"
#include "lacuna/fill/scoring.hpp"
#include "lacuna/fill/training_state.hpp"
#include "lacuna/mask/any_policy.hpp"
#include "lacuna/mask/structure.hpp"
#include "lacuna/train/trainer.hpp"

namespace lacuna::fill {

/// @brief What contexts are drawn by: a policy chosen at run time, with lost planes where the data have them.
using Policy = mask::LostPlanes<mask::AnyPolicy>;

/// @brief Deviation of the anomaly x - b of each variable at query positions, over contexts drawn as in training.
inline std::vector<float> anomaly_scale(const train::Samples& samples, const Policy& policy, std::uint64_t seed, int threads) {
  constexpr int most = 24;
  const int windows = static_cast<int>(samples.windows().size()), draws = std::min(windows, most);
  const auto variables = static_cast<std::size_t>(samples.fields().variables());
  const auto patch = data::whole(samples.fields().grid);
  const bool background = samples.background().kind() != baseline::BackgroundKind::none;
  std::vector<std::vector<ErrorSums>> sums(static_cast<std::size_t>(draws), std::vector<ErrorSums>(variables));
  parallel_for(threads, draws, [&](int i) {
    const int window = static_cast<int>(static_cast<long>(windows) * i / draws);
    train::SampleBuffers buffers;
    mask::partition(policy, philox_key(seed, Purpose::shuffle), static_cast<std::uint64_t>(i),
                    samples.windows()[static_cast<std::size_t>(window)], patch, buffers.partition);
    samples.cut(samples.fields().values, window, patch, buffers.values);
    buffers.background.assign(buffers.values.size(), 0.0f);
    if (background)
      samples.background().evaluate(samples.starts()[static_cast<std::size_t>(window)], samples.length(), patch,
                                    buffers.partition.context.data(), buffers.background.data(), buffers.workspace);
    for (std::size_t j = 0; j < buffers.values.size(); ++j)
      if (buffers.partition.query[j] != 0)
        sums[static_cast<std::size_t>(i)][j % variables].add(
            static_cast<double>(buffers.values[j]) - static_cast<double>(buffers.background[j]), 0.0);
  });
  std::vector<float> scale(variables, 1.0f);
  for (std::size_t v = 0; v < variables; ++v) {
    double squares = 0, count = 0;
    for (const auto& draw : sums) {
      squares += draw[v].xx;
      count += draw[v].count;
    }
    if (count > 0 && squares > 0) scale[v] = static_cast<float>(std::sqrt(squares / count));
  }
  return scale;
}

/// @brief The network, and the size of a batch.
struct LearnerSettings {
  std::string network = "unet";  ///< unet, space-time-unet or fno
  int hidden = 32, batch = 16, crop = 0;
  bool recompute = false;  ///< blocks are computed again on the way back: less memory for more time
  bool bfloat16 = false;   ///< images are kept in bfloat16
  std::uint64_t seed = 1;
  double learning_rate = 1e-3;
};

/// @brief A network, its averaged weights and its trainer on a device: everything that learning changes.
template <class DeviceType = cpu::Device>
class Learner {
 public:
  using Device = DeviceType;
  using Trainer = train::Trainer<Network, Policy, schedule::VariancePreserving, schedule::DataMatching, Device>;
  using Sampler = sampler::SingleStep<Network, schedule::VariancePreserving, schedule::DataMatching, Device>;

  Learner(Device& device, const train::Samples& samples, const Policy& policy, const LearnerSettings& settings)
      : Learner(device, samples, policy, settings, anomaly_scale(samples, policy, settings.seed, device.threads())) {}

  /// scale (V): the anomaly's deviation, where it is known.
  Learner(Device& device, const train::Samples& samples, const Policy& policy, const LearnerSettings& settings,
          std::vector<float> scale)
      : device_(device),
        settings_(settings),
        policy_(policy),
        scale_(std::move(scale)),
        layout_(train::input_layout(samples)),
        network_(
            {.name = settings.network, .hidden = settings.hidden, .recompute = settings.recompute, .bfloat16 = settings.bfloat16},
            layout_, least(samples.fields().grid.height(), settings.crop), least(samples.fields().grid.width(), settings.crop),
            parameters_, settings.seed),
        averaged_(parameters_),
        trainer_(device, samples, network_, parameters_, policy, scale_,
                 {.batch = settings.batch, .crop = settings.crop, .seed = settings.seed, .optimizer = {}}) {}

  Device& device() { return device_; }
  Trainer& trainer() { return trainer_; }
  const Policy& policy() const { return policy_; }
  const LearnerSettings& settings() const { return settings_; }
  Parameters<float>& parameters() { return parameters_; }
  const std::vector<float>& scale() const { return scale_; }

  /// A sampler with the averaged weights as they are now, on these samples.
  Sampler sampler(const train::Samples& samples) {
    averaged_.values() = trainer_.state().average;
    sampler::SingleStepSettings s{.seed = settings_.seed};
    if (settings_.network != "unet") {  // sees all of its input at once: give it no more than in training
      const int whole = std::max(samples.fields().grid.height(), samples.fields().grid.width());
      s.margin = settings_.crop == 0 ? 0 : settings_.crop / 4;
      s.tile = settings_.crop == 0 ? whole : settings_.crop - 2 * s.margin;
    }
    return Sampler(device_, samples, layout_, network_, averaged_, scale_, s);
  }

 private:
  static int least(int cells, int crop) { return crop == 0 ? cells : std::min(cells, crop); }

  Device& device_;
  LearnerSettings settings_;
  Policy policy_;
  std::vector<float> scale_;
  train::InputLayout layout_;
  Parameters<float> parameters_;
  Network network_;
  Parameters<float> averaged_;
  Trainer trainer_;
};

/// @brief When training ends. Nothing set: when the withheld error stops falling, at most `longest` minutes.
struct Budget {
  std::int64_t steps = 0;
  double minutes = 0;
  double longest = 10;

  bool open() const { return steps == 0 && minutes == 0; }
  double seconds() const { return 60.0 * (minutes > 0 ? minutes : longest); }
};

/// @brief Runs a learner through its budget.
///
/// A number of steps fixes the run bit for bit: the learning rate depends on the step alone. With a time limit it depends on the
/// time gone; without either, the StopRule ends it.
template <class LearnerType>
class TrainingRun {
 public:
  TrainingRun(LearnerType& learner, const Budget& budget, Progress& progress)
      : learner_(learner), budget_(budget), progress_(progress) {}

  double seconds() const { return state_.seconds + std::chrono::duration<double>(Clock::now() - start_).count(); }
  /// What a checkpoint keeps, and a run that goes on from it.
  TrainingState state() const {
    TrainingState now = state_;
    now.seconds = seconds();
    return now;
  }
  void resume(const TrainingState& state) {
    state_ = state;
    start_ = Clock::now();
  }

  /// score(): error on withheld observations now. after_step(step): called after every step (checkpoints).
  void operator()(const std::function<double()>& score, const std::function<void(std::int64_t)>& after_step) {
    const train::LearningRate cosine{.peak = learner_.settings().learning_rate};
    auto& trainer = learner_.trainer();
    while (true) {
      const double now = seconds();
      const double done = budget_.steps > 0 ? static_cast<double>(trainer.steps_done()) / static_cast<double>(budget_.steps)
                                            : now / budget_.seconds();
      const double timed = budget_.minutes > 0 ? now / budget_.seconds() : 0.0;  // both limits set: whichever ends first
      double rate = cosine(done);  // with a number of steps the clock may end the run, but not steer it
      double shown = std::max(done, timed);
      if (budget_.open()) {
        if (stop_.due(state_, now)) {
          const double error = score();
          stop_.look(state_, now, error, seconds());
        }
        const double left = stop_.rate(state_, seconds());
        if (left <= 0.0) break;
        rate = learner_.settings().learning_rate * std::min(1.0, static_cast<double>(trainer.steps_done() + 1) / 100.0) * left;
        shown = now / stop_.end(state_);
      } else if (done >= 1.0 || timed >= 1.0) {
        break;
      }
      const double loss = trainer.step(rate);
      progress_.step(shown, trainer.steps_done(), loss, seconds());
      after_step(trainer.steps_done());
    }
    progress_.finish();
  }

 private:
  using Clock = std::chrono::steady_clock;

  LearnerType& learner_;
  Budget budget_;
  Progress& progress_;
  StopRule stop_{.longest = budget_.seconds()};
  Clock::time_point start_ = Clock::now();
  TrainingState state_;
};

}  // namespace lacuna::fill
