#pragma once

#include <cstddef>

#include "lacuna/core/shape.hpp"
#include "lacuna/ops/frame_channels.hpp"
#include "port.cuh"
#include "vector.cuh"

namespace lacuna::kernels {

/// @brief Frames' images (B, F, pixels, per_frame) from packed ones (B, pixels, packed), or back: element by element of the
/// former, 16 bytes at a time where variables and shared channels fill them.
///
/// NaN: copied. Moves 4 n bytes in and 4 n out, n elements of the frames' images.
template <int threads, bool packs>
__global__ void __launch_bounds__(threads) frame_axis_kernel(const float* __restrict__ from, std::size_t n, std::size_t pixels,
                                                             ops::FrameChannels c, float* __restrict__ to) {
  const bool wide = c.variables % 4 == 0 && c.shared % 4 == 0 && aligned(from) && aligned(to);
  const auto packed_at = [&](std::size_t i) {
    const auto per_frame = static_cast<std::size_t>(c.per_frame()), frames = static_cast<std::size_t>(c.frames);
    const std::size_t cell = i / per_frame, image = cell / pixels;
    const int channel = ops::packed_channel(c, static_cast<int>(image % frames), static_cast<int>(i % per_frame));
    return (image / frames * pixels + cell % pixels) * static_cast<std::size_t>(c.packed()) + static_cast<std::size_t>(channel);
  };
  for_chunks(n, wide, [&](auto chunk) {
    if constexpr (decltype(chunk)::whole) {
      const std::size_t at = packed_at(chunk.begin);
      store_bits(to + (packs ? at : chunk.begin), load_bits(from + (packs ? chunk.begin : at)));
    } else {
      for (int k = 0; k < chunk.count; ++k) {
        const std::size_t i = chunk.begin + static_cast<std::size_t>(k), at = packed_at(i);
        to[packs ? at : i] = from[packs ? i : at];
      }
    }
  });
}

template <bool packs>
void move_frames(Stream stream, const float* from, const Shape& shape, const ops::FrameChannels& c, float* to) {
  launch(stream, &frame_axis_kernel<block_size, packs>, blocks_for(shape.size()), block_size, 0, from, shape.size(),
         static_cast<std::size_t>(shape.pixels()), c, to);
}

/// @brief The meaning of the CPU's functions of these names; shape: of the frames' images.
inline void unpack_frames(Stream stream, const float* x, const Shape& shape, const ops::FrameChannels& c, float* y) {
  move_frames<false>(stream, x, shape, c, y);
}
inline void pack_frames(Stream stream, const float* x, const Shape& shape, const ops::FrameChannels& c, float* y) {
  move_frames<true>(stream, x, shape, c, y);
}

}  // namespace lacuna::kernels
