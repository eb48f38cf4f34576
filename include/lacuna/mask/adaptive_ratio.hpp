#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "lacuna/core/error.hpp"
#include "lacuna/mask/policy.hpp"

namespace lacuna::mask {

/// @brief What share of the grid a network saw in training: `ratio` of the observed values, of which there were `density`.
struct TrainedRatio {
  double density = 0.8, ratio = 0.5;
};

/// @brief A context ratio for data of another density.
struct AdaptedRatio {
  double ratio = 1;
  std::string warning;  ///< one line if there are too few observations to show the network as much as in training; else empty
};

/// @brief ratio = trained density x trained ratio / density: the network sees as large a share of the grid as in training; at
/// most 1, with a warning.
///
/// Of use for networks trained with one fixed ratio; after training with Pixels::random_ratio() the mask itself may be the
/// context. Throws: OptionError if a density or the ratio is not in (0, 1]. Source: paper, appendix G.3.
inline AdaptedRatio adapted_ratio(const TrainedRatio& trained, double density) {
  const auto share = [](double x) { return x > 0 && x <= 1; };
  require<OptionError>(share(trained.density) && share(trained.ratio) && share(density), "adapted_ratio: trained at density ",
                       trained.density, " and ratio ", trained.ratio, ", used at density ", density,
                       "; expected shares in (0, 1]");
  const double seen = trained.density * trained.ratio, ratio = seen / density;
  if (ratio <= 1) return {ratio, ""};
  return {1,
          text("the network was trained to see ", seen, " of the grid and only ", density, " are observed: all of it is shown")};
}

/// @brief Share of a window's values that were observed; of those that are not static, if `live` (H, W, V) is given.
inline double density(const Window& window, std::span<const std::uint8_t> live = {}) {
  const auto& observed = window.masks.observed;
  require<ShapeError>(live.empty() || (observed.size() % live.size() == 0 && !observed.empty()), "density: ", live.size(),
                      " bytes of live cells for a window of ", observed.size());
  std::size_t seen = 0, all = 0;
  for (std::size_t i = 0; i < observed.size(); ++i) {
    if (!live.empty() && live[i % live.size()] == 0) continue;
    ++all;
    seen += observed[i] != 0 ? 1 : 0;
  }
  return all > 0 ? static_cast<double>(seen) / static_cast<double>(all) : 0.0;
}

}  // namespace lacuna::mask
