#pragma once

#include <tuple>

#include "lacuna/core/shape.hpp"

namespace lacuna::ops {

/// @brief Extents of one 2-D convolution: what selects and plans its implementation.
///
/// Borders are zero. A transposed convolution has output extents (input - 1) * stride - 2 * padding + kernel.
struct ConvolutionGeometry {
  Shape input, output;  ///< (B, T, H, W, C): every (B, T) is an image of its own
  int kernel = 3, stride = 1, padding = 1;
  bool transposed = false;
  bool accumulate = false;  ///< the forward result is added to what the output holds

  auto key() const {
    return std::make_tuple(input.images(), input.height, input.width, input.channels, output.channels, kernel, stride, padding,
                           transposed, accumulate);
  }
};

/// @brief Output shape of a convolution. Throws ShapeError if the image is smaller than the kernel.
inline Shape convolution_output(const Shape& input, int channels, int kernel, int stride, int padding, bool transposed) {
  const auto extent = [&](int n) {
    if (transposed) return (n - 1) * stride - 2 * padding + kernel;
    require<ShapeError>(n + 2 * padding >= kernel, "convolution: input ", input, " is smaller than the ", kernel, " x ", kernel,
                        " kernel");
    return (n + 2 * padding - kernel) / stride + 1;
  };
  return {input.batch, input.frames, extent(input.height), extent(input.width), channels};
}

}  // namespace lacuna::ops
