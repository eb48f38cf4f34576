#pragma once

#include <cstddef>
#include <ostream>

#include "lacuna/core/error.hpp"

namespace lacuna {

/// @brief Extents of a channels-last activation (B, T, H, W, C): batch, frames, rows, columns, channels (contiguous).
///
/// Networks that treat frames as channels have T = 1 and C = frames x variables.
struct Shape {
  int batch = 1, frames = 1, height = 1, width = 1, channels = 1;

  bool operator==(const Shape&) const = default;

  /// Scalars in all.
  std::size_t size() const { return cells() * static_cast<std::size_t>(channels); }
  /// Positions (B, T, H, W), each with `channels` scalars.
  std::size_t cells() const { return static_cast<std::size_t>(images()) * static_cast<std::size_t>(pixels()); }
  /// Images (B, T), each of H x W positions: what a 2-D convolution sees as its batch.
  int images() const { return batch * frames; }
  /// Positions of one image.
  int pixels() const { return height * width; }

  Shape with_channels(int count) const { return {batch, frames, height, width, count}; }
};

inline std::ostream& operator<<(std::ostream& out, const Shape& s) {
  return out << '(' << s.batch << ", " << s.frames << ", " << s.height << ", " << s.width << ", " << s.channels << ')';
}

/// @brief Throws ShapeError, naming the operation and the operand, unless `given` equals `expected`.
inline void require_shape(const char* operation, const char* operand, const Shape& given, const Shape& expected) {
  require<ShapeError>(given == expected, operation, ": ", operand, " has shape ", given, ", expected ", expected);
}

}  // namespace lacuna
