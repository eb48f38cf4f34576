#pragma once

#include <cstddef>

#include "lacuna/ops/observed_ratio.hpp"
#include "port.cuh"
#include "vector.cuh"

namespace lacuna::kernels {

/// @brief y (cells, width) = value(cell, channel), n numbers; a thread makes 16 bytes and stores them at once.
template <class S, class Value>
__device__ __forceinline__ void fill(S* y, std::size_t n, unsigned width, const Value& value) {
  constexpr unsigned size = chunk_of<S>;
  for_chunks<size>(n, aligned<size>(y), [&](auto chunk) {
    std::size_t cell = chunk.begin / width;
    auto channel = static_cast<unsigned>(chunk.begin - cell * width);
    unsigned count = size;
    if constexpr (!decltype(chunk)::whole) count = static_cast<unsigned>(chunk.count);
    Values<float, size> v{};
    LACUNA_UNROLL
    for (unsigned k = 0; k < size; ++k) {
      if (k >= count) break;
      v.v[k] = value(cell, channel);
      if (++channel < width) continue;
      channel = 0;
      ++cell;
    }
    store(y, chunk, v);
  });
}

/// @brief y (cells, count) = the first `count` channels of x (cells, C), n = cells count.
///
/// NaN: copied. Moves n elements' bytes in and 4 n out.
template <int threads, class S>
__global__ void __launch_bounds__(threads)
    leading_channels_kernel(const S* __restrict__ x, std::size_t n, unsigned count, unsigned channels, float* __restrict__ y) {
  fill(y, n, count, [&](std::size_t cell, unsigned channel) { return static_cast<float>(x[cell * channels + channel]); });
}

/// @brief Multiplies the modes of a spectrum (planes, modes, C), n numbers, by their gains (modes).
///
/// NaN: stays within its element. Moves 4 n bytes in and 4 n out; a gain is 4 bytes more for each 16 (each 4 where C is no
/// multiple of 4), from cache.
template <int threads>
__global__ void __launch_bounds__(threads)
    taper_kernel(const float* __restrict__ gains, std::size_t n, unsigned modes, unsigned channels, float* spectrum) {
  const auto gain = [&](std::size_t i) { return gains[i / channels % modes]; };
  for_chunks(n, channels % chunk_size == 0 && aligned(spectrum), [&](auto chunk) {
    auto v = load(spectrum, chunk);
    if constexpr (decltype(chunk)::whole) {
      const float g = gain(chunk.begin);
      for (unsigned k = 0; k < chunk_size; ++k) v.v[k] *= g;
    } else {
      for (int k = 0; k < chunk.count; ++k) v.v[k] *= gain(chunk.begin + static_cast<std::size_t>(k));
    }
    store(spectrum, chunk, v);
  });
}

/// @brief y (cells, C + fields) = [x (cells, C), the ratios of smooth (cells, 2 fields): weights, then sums], n numbers.
///
/// NaN: copied; of a weight or a sum, in its ratio. Moves the bytes of x and of smooth, 4 a number, in (sums only
/// where there is weight enough) and those of y out.
template <int threads, class S>
__global__ void __launch_bounds__(threads)
    append_ratios_kernel(const S* __restrict__ x, const float* __restrict__ smooth, std::size_t n, unsigned channels,
                         unsigned fields, S* __restrict__ y) {
  fill(y, n, channels + fields, [&](std::size_t cell, unsigned channel) {
    if (channel < channels) return static_cast<float>(x[cell * channels + channel]);
    const float* const own = smooth + cell * 2 * fields + channel - channels;
    return ops::observed_ratio(own[0], own[fields]);
  });
}

/// @brief The three in plain functions; S: float or Bfloat16.
template <class S>
void leading_channels(Stream stream, const S* x, std::size_t cells, int channels, int count, float* y) {
  const std::size_t n = cells * static_cast<std::size_t>(count);
  launch(stream, &leading_channels_kernel<block_size, S>, blocks_for(n), block_size, 0, x, n, count, channels, y);
}
inline void taper(Stream stream, const float* gains, std::size_t planes, int modes, int channels, float* spectrum) {
  const std::size_t n = planes * static_cast<std::size_t>(modes) * static_cast<std::size_t>(channels);
  launch(stream, &taper_kernel<block_size>, blocks_for(n), block_size, 0, gains, n, modes, channels, spectrum);
}
template <class S>
void append_ratios(Stream stream, const S* x, const float* smooth, std::size_t cells, int channels, int fields, S* y) {
  const std::size_t n = cells * static_cast<std::size_t>(channels + fields);
  launch(stream, &append_ratios_kernel<block_size, S>, blocks_for<chunk_of<S>>(n), block_size, 0, x, smooth, n, channels, fields,
         y);
}

}  // namespace lacuna::kernels
