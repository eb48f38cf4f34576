#pragma once

#include "lacuna/core/configuration.hpp"
#include "lacuna/observer.hpp"
#include "lacuna/result.hpp"
#include "lacuna/settings.hpp"

namespace lacuna {
inline namespace LACUNA_CONFIGURATION {

/// @brief Fills the gaps of gappy fields on the CPU: chooses background, mask policy and contexts on held-out observations,
/// trains, and imputes every window with all observations as context.
///
/// fields (T,H,W,V) in the variables' own units, NaN = not observed; no complete sample is needed. What is found and chosen is
/// told to the observer, nothing is printed. Deterministic for a number of steps: the same settings, threads and build give the
/// same result bit for bit. Throws: OptionError that names the setting, DataError, ShapeError, Stopped; all are Error, with one
/// line.
Result impute(const data::Fields& fields, const Settings& settings = {}, Observer& observer = silent());

}  // namespace LACUNA_CONFIGURATION
}  // namespace lacuna

#ifndef LACUNA_COMPILED  // else it is in the library of the target lacuna::compiled
#include "lacuna/impute_inline.hpp"
#endif
