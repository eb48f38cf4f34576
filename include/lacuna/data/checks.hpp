#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "lacuna/core/error.hpp"
#include "lacuna/data/field.hpp"

namespace lacuna::data {

/// @brief Counts of the cells of one variable over all frames.
struct GapCount {
  std::size_t observed = 0;
  std::size_t missing = 0;  ///< not observed here, but in another frame
  std::size_t never = 0;    ///< not observed in this nor any other frame (land, outside the domain)
};

inline GapCount count_gaps(const Fields& fields, int variable) {
  GapCount count;
  for (int y = 0; y < fields.grid.height(); ++y) {
    for (int x = 0; x < fields.grid.width(); ++x) {
      std::size_t seen = 0;
      for (int t = 0; t < fields.frames(); ++t) seen += fields.observed(t, y, x, variable) ? 1U : 0U;
      const std::size_t unseen = static_cast<std::size_t>(fields.frames()) - seen;
      count.observed += seen;
      (seen > 0 ? count.missing : count.never) += unseen;
    }
  }
  return count;
}

/// @brief Throws DataError if a variable has no observed value at all, naming it.
inline void require_observed(const Fields& fields) {
  for (int v = 0; v < fields.variables(); ++v) {
    require<DataError>(count_gaps(fields, v).observed > 0, "variable ", fields.names[static_cast<std::size_t>(v)],
                       ": all values are missing");
  }
}

/// @brief Throws DataError if there is nothing to fill: every variable is complete, apart from cells that stay missing (land).
/// live (H,W,V): 0 = stays missing.
inline void require_gappy(const Fields& fields, std::span<const std::uint8_t> live) {
  require<ShapeError>(live.size() == fields.frame_size(), "require_gappy: ", live.size(), " cells of ", fields.frame_size());
  std::size_t gaps = 0, stay = 0;
  for (std::size_t i = 0; i < fields.values.size(); ++i)
    if (std::isnan(fields.values[i])) ++(live[i % live.size()] != 0 ? gaps : stay);
  std::string names;
  for (const auto& name : fields.names) names += (names.empty() ? "" : ", ") + name;
  require<DataError>(gaps > 0, "nothing is missing in ", names, ": there is nothing to fill",
                     stay > 0 ? text(" (", stay, " values lie in cells never observed and stay missing)") : "");
}

/// @brief Throws DataError if a variable holds infinite values: only NaN says that a value was not observed.
/// `origin` (a file's name) begins the message.
inline void require_finite(const Fields& fields, const std::string& origin) {
  for (int v = 0; v < fields.variables(); ++v) {
    std::size_t count = 0;
    std::string first;
    for (int t = 0; t < fields.frames(); ++t) {
      for (int y = 0; y < fields.grid.height(); ++y) {
        for (int x = 0; x < fields.grid.width(); ++x) {
          if (!std::isinf(fields.at(t, y, x, v))) continue;
          if (count++ == 0) first = text("frame ", t, ", row ", y, ", column ", x);
        }
      }
    }
    require<DataError>(count == 0, origin, ": variable ", fields.names[static_cast<std::size_t>(v)], " holds ", count,
                       " infinite values, the first in ", first, " (NaN or the file's fill value means not observed)");
  }
}

}  // namespace lacuna::data
