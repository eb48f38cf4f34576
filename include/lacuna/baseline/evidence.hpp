#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "lacuna/data/field.hpp"
#include "lacuna/data/windows.hpp"

namespace lacuna::baseline {

/// @brief Data to choose settings with: what may be learned from, and observations kept aside to score by.
struct Evidence {
  const data::Fields& available;              ///< normalised; NaN where missing or withheld
  const std::vector<float>& truth;            ///< (T,H,W,V) in the same units; read where withheld only
  const std::vector<std::uint8_t>& withheld;  ///< (T,H,W,V), 1 = kept aside
  data::WindowSettings windows;
};

/// @brief How much of the evidence is looked at.
struct FitSettings {
  int threads = 1;
  int climatology_windows = 8;  ///< windows to choose the climatology with
  int cells = 8000;             ///< cells that decide kriging's cost, per variable and candidate
  int most_windows = 24;
  int largest_grid = 20000;             ///< cells; larger grids are searched on crops of 128 x 160
  std::size_t dineof_values = 5000000;  ///< more values than this are not scored with DINEOF
};

/// @brief First frames of up to `most` windows that hold withheld values, evenly spread.
inline std::vector<int> scored_windows(const Evidence& e, int most) {
  std::vector<int> holding, chosen;
  const auto size = static_cast<std::ptrdiff_t>(e.available.frame_size());
  for (const int start : data::window_starts(e.available.frames(), e.windows)) {
    const auto first = e.withheld.begin() + size * start, last = first + size * e.windows.length;
    if (std::find(first, last, std::uint8_t{1}) != last) holding.push_back(start);
  }
  const int n = static_cast<int>(holding.size()), count = std::min(n, most);
  for (int i = 0; i < count; ++i) chosen.push_back(holding[static_cast<std::size_t>((2 * i + 1) * n / (2 * count))]);
  return chosen;
}

}  // namespace lacuna::baseline
