#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/physics/advection.hpp"

namespace lacuna::metrics {

/// @brief Simulation error of a reconstructed initial field: it is advected with the true velocity to every frame's time, and
/// compared with the true frames (mean squared difference over all of them). The paper's tables give it times 10 (in units of
/// 0.1). What differs between solvers is their own error: the paper used finite differences, this is the exact shift.
///
/// Shapes: initial (n, n) | truth (T, n, n) at the T times. NaN: gives NaN. Throws ShapeError if the sizes do not fit.
inline double advection_error(std::span<const double> initial, std::span<const double> truth, int n,
                              std::array<double, 2> velocity, std::span<const double> times) {
  const std::vector<double> simulated = physics::advect(initial, n, velocity, physics::Advection::length, times);
  require<ShapeError>(simulated.size() == truth.size() && !truth.empty(), "advection error: ", truth.size(),
                      " true values, expected ", times.size(), " frames of ", n, " x ", n);
  double sum = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) sum += (simulated[i] - truth[i]) * (simulated[i] - truth[i]);
  return sum / static_cast<double>(truth.size());
}

}  // namespace lacuna::metrics
