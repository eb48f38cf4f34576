#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include "lacuna/core/error.hpp"

namespace lacuna::physics {

/// @brief Where, in cells of a periodic axis of n points, the centre of cell i of `kept` equal cells lies: (i + 1/2) n / kept -
/// 1/2.
inline double cell_centre(int i, int kept, int n) { return (i + 0.5) * n / kept - 0.5; }

/// @brief Bilinear interpolation of a periodic square (n, n) to (kept, kept) cell centres. With kept = n it is the identity, with
/// kept = n / 2 each result is the mean of four neighbours.
/// NaN: spreads to the results that touch it. Throws ShapeError unless `plane` is n x n and 1 <= kept <= n.
inline std::vector<double> resample_bilinear(std::span<const double> plane, int n, int kept) {
  require<ShapeError>(plane.size() == static_cast<std::size_t>(n) * static_cast<std::size_t>(n) && kept >= 1 && kept <= n,
                      "bilinear: ", plane.size(), " values to ", kept, " x ", kept, ", expected ", n, " x ", n,
                      " and no more cells");
  struct Pair {
    std::size_t first, second;
    double weight;  // of the second
  };
  std::vector<Pair> axis;
  for (int i = 0; i < kept; ++i) {
    const double at = cell_centre(i, kept, n), below = std::floor(at);
    const auto first = static_cast<int>(below);
    axis.push_back({static_cast<std::size_t>((first + n) % n), static_cast<std::size_t>((first + 1) % n), at - below});
  }
  std::vector<double> out;
  out.reserve(axis.size() * axis.size());
  const auto row = static_cast<std::size_t>(n);
  for (const Pair& y : axis)
    for (const Pair& x : axis) {
      const double* a = plane.data() + y.first * row;
      const double* b = plane.data() + y.second * row;
      const double above = a[x.first] + x.weight * (a[x.second] - a[x.first]);
      const double under = b[x.first] + x.weight * (b[x.second] - b[x.first]);
      out.push_back(above + y.weight * (under - above));
    }
  return out;
}

}  // namespace lacuna::physics
