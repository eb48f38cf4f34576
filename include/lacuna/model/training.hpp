#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <utility>

#include "lacuna/model/early_stopping.hpp"
#include "lacuna/observer.hpp"
#include "lacuna/settings.hpp"
#include "lacuna/train/optimizer.hpp"

namespace lacuna::model {

/// @brief Runs a trainer through its budget.
///
/// A number of steps fixes the run bit for bit: the learning rate depends on the step alone. With a time limit it depends on the
/// time gone; without either, EarlyStopping ends it.
template <class TrainerType>
class TrainingRun {
 public:
  TrainingRun(TrainerType& trainer, const Budget& budget, double learning_rate, Observer& observer)
      : trainer_(trainer), budget_(budget), learning_rate_(learning_rate), observer_(observer) {}

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

  /// score(): error on held-out observations now. after_step(step): called after every step (checkpoints).
  void operator()(const std::function<double()>& score, const std::function<void(std::int64_t)>& after_step) {
    const train::LearningRate cosine{.peak = learning_rate_};
    while (true) {
      const double now = seconds();
      const double done = budget_.steps > 0 ? static_cast<double>(trainer_.steps_done()) / static_cast<double>(budget_.steps)
                                            : now / budget_.seconds();
      const double timed = budget_.minutes > 0 ? now / budget_.seconds() : 0.0;  // both limits set: whichever ends first
      double rate = cosine(done);  // with a number of steps the clock may end the run, but not steer it
      double shown = std::max(done, timed);
      if (budget_.open()) {
        if (stopping_.due(state_, now)) {
          const double error = score();
          stopping_.update(state_, now, error, seconds());
        }
        const double left = stopping_.rate(state_, seconds());
        if (left <= 0.0) break;
        rate = learning_rate_ * std::min(1.0, static_cast<double>(trainer_.steps_done() + 1) / 100.0) * left;
        shown = now / stopping_.end(state_);
      } else if (done >= 1.0 || timed >= 1.0) {
        break;
      }
      const double loss = trainer_.step(rate);
      observer_.progresses({Stage::training, shown, trainer_.steps_done(), loss, seconds()});
      after_step(trainer_.steps_done());
    }
  }

 private:
  using Clock = std::chrono::steady_clock;

  TrainerType& trainer_;
  Budget budget_;
  double learning_rate_;
  Observer& observer_;
  EarlyStopping stopping_{.longest = budget_.seconds()};
  Clock::time_point start_ = Clock::now();
  TrainingState state_;
};

}  // namespace lacuna::model
