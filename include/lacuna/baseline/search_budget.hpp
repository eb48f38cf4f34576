#pragma once

#include <cstddef>

namespace lacuna::baseline {

/// @brief How much of the data a search of settings looks at.
struct SearchBudget {
  int threads = 1;
  int climatology_windows = 8;  ///< windows to choose the climatology with
  int cells = 8000;             ///< cells that decide kriging's cost, per variable and candidate
  int most_windows = 24;
  int largest_grid = 20000;             ///< cells; larger grids are searched on crops of 128 x 160
  std::size_t dineof_values = 5000000;  ///< more values than this are not scored with DINEOF
};

}  // namespace lacuna::baseline
