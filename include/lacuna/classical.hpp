#pragma once

#include <string>
#include <vector>

#include "lacuna/core/configuration.hpp"
#include "lacuna/data/field.hpp"
#include "lacuna/model/classical_method.hpp"
#include "lacuna/observer.hpp"
#include "lacuna/result.hpp"
#include "lacuna/settings.hpp"

namespace lacuna {

inline namespace LACUNA_CONFIGURATION {

/// @brief The methods of the library. Inpainting needs OpenCV: baseline/inpainting.hpp has its fills of frames.
const std::vector<ClassicalMethod>& classical_methods();

/// @brief The library's method of that name. Throws: OptionError.
ClassicalMethod classical_method(const std::string& name);

/// @brief Fills the gaps of gappy fields by a classical method: nothing is trained. Its settings are chosen, and errors measured,
/// on held-out observations of the frames that are learned from, as impute() does; the fill then uses all observations. Of the
/// settings those of training, network, background, policy and ensemble have no meaning.
///
/// The spread is the deviation of the held-out errors per kind of gap, in the shape of the error that kriging expects where the
/// method is kriging or optimal interpolation, else constant. Deterministic: bit for bit, for any number of threads.
/// Throws: OptionError, DataError, ShapeError with one line.
Result fill_classical(const data::Fields& input, const ClassicalMethod& method, const Settings& settings = {},
                      Observer& observer = silent());

}  // namespace LACUNA_CONFIGURATION
}  // namespace lacuna

#ifndef LACUNA_COMPILED  // else it is in the library of the target lacuna::compiled
#include "lacuna/classical_inline.hpp"
#endif
