#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>

#include "lacuna/core/digest.hpp"
#include "lacuna/core/interruption.hpp"
#include "lacuna/core/version.hpp"
#include "lacuna/fill/checkpoint.hpp"
#include "lacuna/fill/learner.hpp"
#include "lacuna/fill/options.hpp"
#include "lacuna/fill/policy_choice.hpp"
#include "lacuna/fill/report.hpp"
#include "lacuna/fill/study.hpp"
#include "lacuna/fill/withheld_error.hpp"

namespace lacuna::fill {

/// @brief What a checkpoint of this run belongs to: the options, then what follows from them and from the data.
inline Fingerprint fingerprint(const Options& o, const Study& study, const LearnerSettings& settings, const Report& report) {
  const auto& grid = study.available.grid;
  std::string variables;
  for (const std::string& name : study.available.names) variables += (variables.empty() ? "" : " ") + name;
  const data::FrameRange learned = frames_to_learn(o, std::max(o.learned.end, study.available.frames()));
  return {{"version", version},
          {"variables", variables},
          {"seed", text(o.seed)},
          {"steps", text(o.steps)},
          {"window", text(o.window.length, "/", o.window.stride)},
          {"learned frames", text(learned.begin, ":", learned.end)},
          {"held-out share", text(o.withhold)},
          {"network", settings.network},
          {"hidden width", text(settings.hidden)},
          {"precision", settings.bfloat16 ? "bfloat16" : "float"},
          {"batch", text(settings.batch)},
          {"crop", text(settings.crop)},
          {"learning rate", text(settings.learning_rate)},
          {"coordinates",
           text(digest(grid.y), "/", digest(grid.x), "/", digest(study.available.time), study.available.time_units), true},
          {"observed values", text(digest(study.available.values)), true},
          {"background", report.background},
          {"mask policy", text(report.mask, " ", o.ratio)}};
}

/// @brief Trains a learner within the options' budget, with checkpoints now and then and at the end.
/// Throws: Interrupted when a signal asks the program to stop, once the step has ended and its checkpoint is written.
template <class LearnerType>
void train_learner(LearnerType& learner, const train::Samples& samples, const Options& o, const Scored& scored,
                   const std::optional<Checkpoint>& checkpoint, Report& report) {
  Interruption::Deferred interruption;
  Progress progress;
  TrainingRun training(learner, {.steps = o.steps, .minutes = o.minutes}, progress);
  auto& trainer = learner.trainer();
  if (checkpoint && o.resume) {
    auto state = trainer.state();
    if (const auto found = checkpoint->load(learner.parameters(), state)) {
      require<DataError>(o.steps == 0 || state.step <= o.steps, "checkpoint ", checkpoint->folder().string(),
                         " is damaged: it is at step ", state.step, " of ", o.steps);
      trainer.restore(std::move(state));
      training.resume(found->training);
      std::printf("resumed at step %lld\n", static_cast<long long>(trainer.steps_done()));
      if (found->threads != report.threads)
        std::printf("the checkpoint was made with %d threads, this run has %d: the result is not the same bit for bit\n",
                    found->threads, report.threads);
    } else {
      std::printf("no checkpoint in %s: starting afresh\n", checkpoint->folder().string().c_str());
    }
  }
  constexpr std::int64_t warm_up = 3;  // steps that are not profiled: the first ones touch new memory
  const std::int64_t profile_from = trainer.steps_done() + warm_up;
  Profile profile;
  double saved = training.seconds();
  const auto save = [&] {
    const auto& state = trainer.state();
    checkpoint->save(learner.parameters(), state, {training.state(), report.threads});
    Interruption::advise(text("with --resume it goes on from ", checkpoint->folder().string()));
  };
  const Policy contexts = sampling_policy(learner.policy(), o.contexts);
  training(
      [&] {
        auto sampler = learner.sampler(samples);
        return quick_error(sampler, samples, contexts, o, scored);
      },
      [&](std::int64_t step) {
        if (o.profile && step == profile_from) trainer.watch(&profile);
        if (Interruption::pending() != 0) {
          const int signal = interruption.take();
          if (checkpoint) save();
          throw Interrupted(signal, text("stopped by ", signal_name(signal), " after step ", step, " of the training; ",
                                         checkpoint ? text("with --resume it goes on from ", checkpoint->folder().string())
                                                    : "nothing is kept without --checkpoint DIR"));
        }
        if (!checkpoint || training.seconds() - saved < o.save_every) return;
        saved = training.seconds();
        save();
      });
  if (checkpoint) save();
  Interruption::advise(checkpoint ? text("its training is done: with --resume it goes on from ", checkpoint->folder().string())
                                  : "nothing is kept without --checkpoint DIR");
  trainer.watch(nullptr);
  if (o.profile && profile.steps() > 0) profile.print(stdout);
  if (o.profile && profile.steps() == 0)
    std::printf("no profile: it begins after %lld steps of training, of which there were fewer\n",
                static_cast<long long>(warm_up));
  report.steps = trainer.steps_done();
  report.training_seconds = training.seconds();
}

}  // namespace lacuna::fill
