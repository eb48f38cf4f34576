#pragma once

#include <cstddef>
#include <span>

#include "lacuna/core/error.hpp"
#include "lacuna/physics/shallow_water.hpp"

namespace lacuna::metrics {

/// @brief How far fields are from obeying the discrete shallow-water equations that generated them: the mean of r^2 over the
/// three equations, all pairs of consecutive frames and the interior, where
///   r = (new - old) / dt - rate,
/// rate being the right-hand side of physics::ShallowWaterScheme (u from the old v and h; v from the new u and the old h; h from
/// the new u and v). In SI units: r is in m/s^2 for u and v and in m/s for h. The paper's tables give it times 1e8
/// (`residual_unit`).
///
/// Shapes: values (3, T, n, n), the variables h, u, v as ShallowWater makes them. The interior is rows and columns 1 to n - 2,
/// whose stencils lie in the kept cells and reach no wall. What the generator makes, in double, scores below 1e-36 (the worst of
/// 200 samples 5e-37); rounded to float, 1e-20 to 1e-19.
/// NaN: gives NaN. Throws ShapeError unless T >= 2, n >= 3 and the sizes fit.
inline double shallow_water_residual(std::span<const double> values, int frames, int n,
                                     const physics::ShallowWaterScheme& scheme) {
  const auto row = static_cast<std::ptrdiff_t>(n), plane = row * row;
  require<ShapeError>(frames >= 2 && n >= 3 && values.size() == 3 * static_cast<std::size_t>(frames * plane),
                      "shallow-water residual: ", values.size(), " values, expected 3 x ", frames, " x ", n, " x ", n,
                      " with at least 2 frames of 3 x 3");
  const double *h = values.data(), *u = h + frames * plane, *v = u + frames * plane;
  double sum = 0;
  for (int t = 0; t + 1 < frames; ++t)
    for (int y = 1; y < n - 1; ++y)
      for (int x = 1; x < n - 1; ++x) {
        const std::ptrdiff_t i = t * plane + y * row + x, next = i + plane;
        const double ru = (u[next] - u[i]) / scheme.step - scheme.rate_u(v + i, h + i, row);
        const double rv = (v[next] - v[i]) / scheme.step - scheme.rate_v(u + next, h + i, row);
        const double rh = (h[next] - h[i]) / scheme.step - scheme.rate_h(u + next, v + next, row);
        sum += ru * ru + rv * rv + rh * rh;
      }
  return sum / (3.0 * (frames - 1) * (n - 2) * (n - 2));
}

/// @brief The paper's tables give the residual in units of 1e-8.
inline constexpr double residual_unit = 1e-8;

}  // namespace lacuna::metrics
