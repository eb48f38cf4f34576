#pragma once

#include <algorithm>
#include <map>
#include <sstream>
#include <string>

#include "lacuna/core/error.hpp"
#include "lacuna/core/parse_number.hpp"

namespace lacuna::model {

/// @brief What a training run carries besides parameters and optimizer: the clock, and how its stop is being decided.
struct TrainingState {
  double seconds = 0;            ///< of training so far
  double last_evaluated = 0;     ///< when the held-out error was last evaluated
  double best = 1e300;           ///< the least held-out error so far
  double stale_evaluations = 0;  ///< evaluations in a row without a fall
  double decay_from = -1;        ///< when the learning rate began to fall; -1: not yet
  double decay_length = 0;       ///< seconds it takes to fall to zero

  /// Writes to, or reads from, text with every digit. Throws DataError naming what is missing or damaged.
  void save(std::map<std::string, std::string>& to) const {
    for (const auto& [name, value] : fields()) {
      std::ostringstream digits;
      digits.precision(17);
      digits << this->*value;
      to[name] = digits.str();
    }
  }
  void load(const std::map<std::string, std::string>& from, const std::string& path) {
    for (const auto& [name, value] : fields()) {
      const auto found = from.find(name);
      require<DataError>(found != from.end(), path, " is damaged: it does not tell ", name);
      const auto number = parse_number<double>(found->second);
      require<DataError>(number.has_value(), path, " is damaged: ", name, " is ", found->second);
      this->*value = *number;
    }
  }

 private:
  static std::map<std::string, double TrainingState::*> fields() {
    return {{"seconds", &TrainingState::seconds},       {"looked", &TrainingState::last_evaluated},
            {"best error", &TrainingState::best},       {"misses", &TrainingState::stale_evaluations},
            {"decay from", &TrainingState::decay_from}, {"decay length", &TrainingState::decay_length}};
  }
};

/// @brief When a training without a given number of steps or minutes ends: the learning rate stays up until the error on held-out
/// observations has not fallen by 1 % in four evaluations (or four fifths of the longest time are gone), then it falls to zero
/// over a quarter of the time used.
struct EarlyStopping {
  double longest = 600;  ///< seconds

  static constexpr double enough = 0.01;  ///< fall of the error that counts
  static constexpr int patience = 4;      ///< evaluations without one
  static constexpr double last = 0.8;     ///< of the longest time: then the rate falls, whatever the error does

  bool decaying(const TrainingState& state) const { return state.decay_from >= 0; }
  /// Whether the held-out error is wanted, `now` seconds into the training: a thirtieth of the longest time after the last one.
  bool due(const TrainingState& state, double now) const {
    return !decaying(state) && (now >= last * longest || now - state.last_evaluated >= longest / 30);
  }
  /// Takes the error that was asked for at `asked`; `now` is later by what it took to find out.
  void update(TrainingState& state, double asked, double error, double now) const {
    state.last_evaluated = now;
    const bool fell = error < (1 - enough) * state.best;
    state.stale_evaluations = fell ? 0 : state.stale_evaluations + 1;
    if (fell) state.best = error;
    if (state.stale_evaluations < patience && asked < last * longest) return;
    state.decay_from = now;
    state.decay_length = std::min(0.25 * now + 5.0, std::max(1.0, longest - now));
  }
  /// Fraction of the peak learning rate that is left: 0 = the training has ended.
  double rate(const TrainingState& state, double now) const {
    return decaying(state) ? std::clamp(1 - (now - state.decay_from) / state.decay_length, 0.0, 1.0) : 1.0;
  }
  /// When the training is expected to end.
  double end(const TrainingState& state) const { return decaying(state) ? state.decay_from + state.decay_length : longest; }
};

}  // namespace lacuna::model
