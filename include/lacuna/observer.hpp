#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "lacuna/core/error.hpp"

namespace lacuna {

/// @brief The stages of a run, in their order.
enum class Stage { gaps, background, policy, planning, training, calibration, filling };

/// @brief How far a stage is.
struct StageProgress {
  Stage stage = Stage::training;
  double done = 0;         ///< 0 to 1, of the whole stage
  std::int64_t steps = 0;  ///< training: steps done
  double loss = 0;         ///< training: of the last step
  double seconds = 0;      ///< since the stage began; training: before a resume, too
};

/// @brief What a run tells, and how it is stopped: the library prints nothing. By default nothing is heard.
///
/// Called by the thread that runs the library. An exception that it throws ends the run and reaches the caller.
class Observer {
 public:
  virtual ~Observer() = default;

  /// A stage begins.
  virtual void begins(Stage) {}
  /// What was found or chosen in a stage, in words; may have several lines.
  virtual void tells(Stage, const std::string& /*what*/) {}
  /// Something that the user should know: a setting that could not be kept to.
  virtual void warns(const std::string& /*what*/) {}
  virtual void progresses(const StageProgress&) {}
  /// Training has written a checkpoint; it can go on from there.
  virtual void saved(const std::filesystem::path& /*folder*/, bool /*training_done*/) {}
  /// Asked after every training step. true: a checkpoint is written, if there is a folder, and Stopped is thrown.
  virtual bool stops() { return false; }
};

/// @brief An observer that hears nothing.
inline Observer& silent() {
  static Observer nobody;
  return nobody;
}

/// @brief Training was stopped by its observer.
class Stopped : public Error {
 public:
  Stopped(std::int64_t after, std::filesystem::path kept_in)
      : Error(
            text("stopped after step ", after, " of the training; ",
                 kept_in.empty() ? "nothing is kept without a checkpoint's folder" : "the state is kept in " + kept_in.string())),
        step(after),
        folder(std::move(kept_in)) {}

  std::int64_t step;
  std::filesystem::path folder;  ///< of the checkpoint, or empty
};

}  // namespace lacuna
