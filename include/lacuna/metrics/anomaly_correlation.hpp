#pragma once

#include <cmath>
#include <cstddef>
#include <numbers>
#include <span>
#include <vector>

#include "lacuna/core/error.hpp"

namespace lacuna::metrics {

/// @brief Correlation of filled with true anomalies from a climatology, not centred:
///   sum w (f - c) (a - c) / sqrt(sum w (f - c)^2 sum w (a - c)^2),
/// in [-1, 1]. Source: Miyakoda et al. 1972, Monthly Weather Review 100, as in Wilks, Statistical Methods in the Atmospheric
/// Sciences.
///
/// Shapes: filled, truth, climatology of one size | weights of that size, or shorter and then repeated (one of (H, W) that all
/// frames share); empty: all one.
/// NaN: positions at which the truth or the climatology is NaN, and those of weight 0, are left out.
/// Throws: ShapeError if sizes do not fit, DataError if a scored value, its truth or its climatology is infinite, or the value
/// NaN, a weight is negative or NaN, or one of the anomalies is zero throughout.
inline double anomaly_correlation(std::span<const double> filled, std::span<const double> truth,
                                  std::span<const double> climatology, std::span<const double> weights = {}) {
  require<ShapeError>(filled.size() == truth.size() && truth.size() == climatology.size() &&
                          (weights.empty() || truth.size() % weights.size() == 0),
                      "anomaly correlation: ", filled.size(), " filled values, ", truth.size(), " true ones, a climatology of ",
                      climatology.size(), " and ", weights.size(), " weights, expected equal sizes and weights that divide them");
  double both = 0, of_filled = 0, of_truth = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    const double w = weights.empty() ? 1.0 : weights[i % weights.size()];
    require<DataError>(w >= 0, "anomaly correlation: weight ", i, " is ", w, ", expected a number not below zero");
    if (w == 0 || std::isnan(truth[i]) || std::isnan(climatology[i])) continue;
    const double f = filled[i] - climatology[i], a = truth[i] - climatology[i];
    require<DataError>(std::isfinite(f) && std::isfinite(a), "anomaly correlation: value ", i, " is ", filled[i], ", the truth ",
                       truth[i], ", the climatology ", climatology[i]);
    both += w * f * a;
    of_filled += w * f * f;
    of_truth += w * a * a;
  }
  require<DataError>(of_filled > 0 && of_truth > 0, "anomaly correlation: the ", of_truth > 0 ? "filled" : "true",
                     " anomalies are zero throughout");
  return both / std::sqrt(of_filled * of_truth);
}

/// @brief Weights of area on the sphere: the cosine of latitude for each row of H x W cells, (H, W).
inline std::vector<double> area_weights(std::span<const double> latitudes, int width) {
  std::vector<double> out;
  for (const double latitude : latitudes)
    out.insert(out.end(), static_cast<std::size_t>(width), std::cos(latitude * std::numbers::pi / 180));
  return out;
}

}  // namespace lacuna::metrics
