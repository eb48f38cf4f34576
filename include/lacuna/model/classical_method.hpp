#pragma once

#include <string>

#include "lacuna/data/field.hpp"
#include "lacuna/mask/groups.hpp"

namespace lacuna {

/// @brief Fills frames [first, first + count) of normalised fields: out (count,H,W,V).
using FrameFill = void (*)(const data::Fields&, const mask::Masks&, int first, int count, float* out);

/// @brief A fill that trains nothing.
struct ClassicalMethod {
  enum class Kind {
    mean,                   ///< zero, in normalised units
    climatology,            ///< of the calendar, with persistence
    kriging,                ///< about the mean
    optimal_interpolation,  ///< kriging of the anomaly from the climatology
    dineof,                 ///< empirical orthogonal functions, of the whole record
    frames,                 ///< a fill of runs of frames
  };
  std::string name;
  Kind kind = Kind::mean;
  FrameFill frames = nullptr;  ///< of Kind::frames
};

}  // namespace lacuna
