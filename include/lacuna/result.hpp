#pragma once

#include <cstdint>
#include <vector>

#include "lacuna/data/field.hpp"
#include "lacuna/model/report.hpp"

namespace lacuna {

/// @brief Filled fields in the variables' units, and what is known about them.
struct Result {
  data::Fields filled;                 ///< observed values exactly as they came; NaN where never observed (unless asked for)
  std::vector<float> spread;           ///< (T,H,W,V) one standard deviation; 0 where observed, NaN where not filled
  std::vector<std::uint8_t> observed;  ///< (T,H,W,V)
  model::Report report;
};

}  // namespace lacuna
