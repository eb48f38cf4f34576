#pragma once

#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>

#include "common/progress_bar.hpp"
#include "fill/options.hpp"
#include "lacuna/core/interruption.hpp"
#include "lacuna/observer.hpp"

namespace lacuna::fill {

/// @brief Prints what a run tells, shows how far it is, and lets a signal end its training after the step that it came in.
class RunObserver final : public Observer {
 public:
  explicit RunObserver(bool keeps_state) : keeps_state_(keeps_state) {}

  void begins(Stage stage) override {
    bar_.finish();
    if (stage == Stage::training) {
      deferred_.emplace();
      return;
    }
    if (deferred_.has_value() && !keeps_state_) Interruption::advise("nothing is kept without --checkpoint DIR");
    deferred_.reset();
  }
  void tells(Stage, const std::string& what) override { print(what); }
  void warns(const std::string& what) override { print(what); }
  void progresses(const StageProgress& p) override {
    if (p.stage == Stage::training)
      bar_.step(p.done, p.steps, p.loss, p.seconds);
    else
      bar_.show("imputing", p.done);
  }
  void saved(const std::filesystem::path& folder, bool training_done) override {
    Interruption::advise(text(training_done ? "its training is done: " : "", "with --resume it goes on from ", folder.string()));
  }
  bool stops() override { return Interruption::pending() != 0; }

  /// What the program says and ends with when its training was stopped.
  Interrupted interrupted(const Stopped& stopped) {
    const int signal = deferred_->take();
    return {signal, text("stopped by ", signal_name(signal), " after step ", stopped.step, " of the training; ",
                         stopped.folder.empty() ? "nothing is kept without --checkpoint DIR"
                                                : "with --resume it goes on from " + stopped.folder.string())};
  }

 private:
  void print(const std::string& what) {
    bar_.finish();
    std::printf("%s\n", in_options(what).c_str());
    std::fflush(stdout);
  }

  bool keeps_state_;
  common::ProgressBar bar_;
  std::optional<Interruption::Deferred> deferred_;
};

}  // namespace lacuna::fill
