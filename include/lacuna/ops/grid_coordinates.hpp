#pragma once

#include <cstddef>

#include "lacuna/core/host_device.hpp"

namespace lacuna::ops {

/// @brief Cells of a sample along (T, H, W); below 2^32 in all.
struct GridExtents {
  unsigned frames, height, width;

  LACUNA_HOST_DEVICE std::size_t cells() const { return std::size_t{frames} * height * width; }
  /// Along an axis of (H, W) for two axes, of (T, H, W) for three.
  LACUNA_HOST_DEVICE unsigned along(int axis, int axes) const {
    const int i = 3 - axes + axis;
    return i == 0 ? frames : i == 1 ? height : width;
  }
};

template <class T>
struct AlongAxes {
  T along[3];
};

/// @brief Where a cell of a sample lies: its number along each axis, and 0 beyond the last.
LACUNA_HOST_DEVICE inline AlongAxes<unsigned> grid_place(const GridExtents& n, unsigned cell, int axes) {
  const unsigned line = cell / n.width, column = cell - line * n.width;
  if (axes == 2) return {{line % n.height, column, 0}};
  const unsigned frame = line / n.height;
  return {{frame, line - frame * n.height, column}};
}

/// @brief The same as coordinates: i/n for cell i of n.
template <class T>
AlongAxes<T> grid_coordinates(const GridExtents& n, unsigned cell, int axes) {
  const auto place = grid_place(n, cell, axes);
  AlongAxes<T> at{};
  for (int a = 0; a < axes; ++a) at.along[a] = static_cast<T>(place.along[a]) / static_cast<T>(n.along(a, axes));
  return at;
}

}  // namespace lacuna::ops
