#pragma once

#include <cstddef>

#include "lacuna/core/host_device.hpp"

namespace lacuna::ops {

/// @brief Cells of a sample along (T, H, W).
struct GridExtents {
  std::size_t frames, height, width;

  LACUNA_HOST_DEVICE std::size_t cells() const { return frames * height * width; }
};

template <class T>
struct GridCoordinates {
  T along[3];
};

/// @brief Where a cell of a sample lies: i/n for cell i of n, along (H, W) for two axes (and 0), (T, H, W) for three.
template <class T>
LACUNA_HOST_DEVICE GridCoordinates<T> grid_coordinates(const GridExtents& n, std::size_t cell, int axes) {
  const T row = static_cast<T>(cell / n.width % n.height) / static_cast<T>(n.height),
          column = static_cast<T>(cell % n.width) / static_cast<T>(n.width);
  if (axes == 2) return {{row, column, T(0)}};
  return {{static_cast<T>(cell / (n.width * n.height)) / static_cast<T>(n.frames), row, column}};
}

}  // namespace lacuna::ops
