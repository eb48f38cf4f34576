#pragma once

#include <cstdint>

#include "lacuna/core/error.hpp"

namespace lacuna::validation {

/// @brief Which observations are held out: never learned from, so that choices are made and errors measured on them.
struct HoldoutSettings {
  double share = 0.1;  ///< of the observations, in (0, 0.5]
  std::uint64_t seed = 1;
};

/// @brief Throws OptionError unless a share of the observations can be held out.
inline void require_share(double share) {
  require<OptionError>(share > 0 && share <= 0.5, "holdout.share = ", share, ": expected a share above 0 and at most 0.5");
}

}  // namespace lacuna::validation
