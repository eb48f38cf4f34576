#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "lacuna/data/field.hpp"
#include "lacuna/mask/groups.hpp"

namespace lacuna::mask {

/// @brief Which values (T,H,W,V) are observed, 1 = observed.
inline std::vector<std::uint8_t> observed_of(const data::Fields& fields) {
  std::vector<std::uint8_t> observed(fields.values.size());
  for (std::size_t i = 0; i < observed.size(); ++i) observed[i] = std::isnan(fields.values[i]) ? 0 : 1;
  return observed;
}
/// @brief The same as masks; `observed` must outlive them.
inline Masks masks_of(const data::Fields& fields, const std::vector<std::uint8_t>& observed) {
  return {fields.frames(), fields.grid.height(), fields.grid.width(), fields.variables(), fields.grid.periodic_x, observed};
}

}  // namespace lacuna::mask
