#pragma once

#include <map>
#include <string>

#include "lacuna/core/error.hpp"

namespace lacuna::fill {

/// @brief What a training run carries besides parameters and optimizer: the clock, and how its stop is being decided.
struct TrainingState {
  double seconds = 0;       ///< of training so far
  double looked = 0;        ///< when the withheld error was last looked at
  double best = 1e300;      ///< the least withheld error seen
  double misses = 0;        ///< looks in a row without a fall
  double decay_from = -1;   ///< when the learning rate began to fall; -1: not yet
  double decay_length = 0;  ///< seconds it takes to fall to zero

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
      try {
        this->*value = std::stod(found->second);
      } catch (const std::exception&) {
        throw DataError(text(path, " is damaged: ", name, " is ", found->second));
      }
    }
  }

 private:
  static std::map<std::string, double TrainingState::*> fields() {
    return {{"seconds", &TrainingState::seconds},       {"looked", &TrainingState::looked},
            {"best error", &TrainingState::best},       {"misses", &TrainingState::misses},
            {"decay from", &TrainingState::decay_from}, {"decay length", &TrainingState::decay_length}};
  }
};

}  // namespace lacuna::fill
