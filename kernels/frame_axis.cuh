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
/// NaN: copied. Moves an element in and one out for each of the frames' images: 4 bytes of float, 2 of bfloat16.
template <int threads, class S, bool packs>
__global__ void __launch_bounds__(threads)
    frame_axis_kernel(const S* __restrict__ from, std::size_t n, std::size_t pixels, ops::FrameChannels c, S* __restrict__ to) {
  constexpr unsigned size = chunk_of<S>;
  constexpr int width = static_cast<int>(size);
  const bool wide = c.variables % width == 0 && c.shared % width == 0 && aligned<size>(from) && aligned<size>(to);
  const auto packed_at = [&](std::size_t i) {
    const auto per_frame = static_cast<std::size_t>(c.per_frame()), frames = static_cast<std::size_t>(c.frames);
    const std::size_t cell = i / per_frame, image = cell / pixels;
    const int channel = ops::packed_channel(c, static_cast<int>(image % frames), static_cast<int>(i % per_frame));
    return (image / frames * pixels + cell % pixels) * static_cast<std::size_t>(c.packed()) + static_cast<std::size_t>(channel);
  };
  for_chunks<size>(n, wide, [&](auto chunk) {
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

template <bool packs, class S>
void move_frames(Stream stream, const S* from, const Shape& shape, const ops::FrameChannels& c, S* to) {
  launch(stream, &frame_axis_kernel<block_size, S, packs>, blocks_for<chunk_of<S>>(shape.size()), block_size, 0, from,
         shape.size(), static_cast<std::size_t>(shape.pixels()), c, to);
}

/// @brief The meaning of the CPU's functions of these names; shape: of the frames' images. S: float or Bfloat16.
template <class S>
void unpack_frames(Stream stream, const S* x, const Shape& shape, const ops::FrameChannels& c, S* y) {
  move_frames<false>(stream, x, shape, c, y);
}
template <class S>
void pack_frames(Stream stream, const S* x, const Shape& shape, const ops::FrameChannels& c, S* y) {
  move_frames<true>(stream, x, shape, c, y);
}

}  // namespace lacuna::kernels
