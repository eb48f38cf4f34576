#pragma once

#include "lacuna/core/host_device.hpp"

namespace lacuna::ops {

/// @brief What is seen beyond the ends of an axis.
enum class Border {
  zero,
  periodic,   ///< the other end: cell n is cell 0
  replicated  ///< the last cell, again and again
};

/// @brief Borders of an image's axes.
struct Borders {
  Border rows = Border::zero, columns = Border::zero;

  bool operator==(const Borders&) const = default;
};

/// @brief A rectangle on an image, and beyond its edges: (top, left) is where it begins, negative above or left of the image.
struct Window {
  int top = 0, left = 0, height = 1, width = 1;
};

/// @brief The cell of an axis of `cells` that is seen at a position; -1: none, a zero.
LACUNA_HOST_DEVICE inline int seen_cell(int position, int cells, Border border) {
  if (position >= 0 && position < cells) return position;
  switch (border) {
    case Border::periodic: return (position % cells + cells) % cells;
    case Border::replicated: return position < 0 ? 0 : cells - 1;
    case Border::zero: break;
  }
  return -1;
}

}  // namespace lacuna::ops
