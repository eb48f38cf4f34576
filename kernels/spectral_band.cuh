#pragma once

#include <cstddef>

#include "lacuna/core/error.hpp"
#include "port.cuh"
#include "vector.cuh"

namespace lacuna::kernels {

/// @brief The kept modes (T', H', W'/2 + 1) of a real transform with all frequencies (T, H, W/2 + 1): -m/2 to m/2 - 1 of m (odd
/// m: symmetric) along T and H, 0 to m/2 along W. Without frames both are 1.
struct SpectralBand {
  unsigned frames, height, width;                 ///< cells
  unsigned kept_frames, kept_height, kept_width;  ///< modes; kept_width of W's half spectrum
  unsigned channels;

  __device__ __forceinline__ unsigned half() const { return width / 2 + 1; }
  std::size_t modes() const { return std::size_t{kept_frames} * kept_height * kept_width; }
  std::size_t frequencies() const { return std::size_t{frames} * height * (width / 2 + 1); }
};

/// @brief Factors of the frequencies: of those along W that have no conjugate (0 and W/2), and of the others.
struct BandScales {
  float alone, paired;
};

/// Where all n frequencies have mode j of m.
__device__ __forceinline__ unsigned frequency_of(unsigned mode, unsigned n, unsigned m) {
  return mode < m / 2 ? mode + n - m / 2 : mode - m / 2;
}
/// Which mode frequency number p of n is; m or more: none.
__device__ __forceinline__ unsigned mode_of(unsigned p, unsigned n, unsigned m) {
  if (p < m - m / 2) return p + m / 2;
  return p + m / 2 >= n ? p + m / 2 - n : m;
}

/// @brief real and imaginary parts (modes, C) of the kept ones of all frequencies, (T, H, W/2 + 1, C) complex, each times its
/// factor.
///
/// NaN: stays within its number. Moves 8 bytes in and 8 out for each mode and channel.
template <int threads>
__global__ void __launch_bounds__(threads)
    crop_modes_kernel(const float* __restrict__ all, SpectralBand band, BandScales scales, std::size_t n,
                      float* __restrict__ real, float* __restrict__ imaginary) {
  const bool wide = band.channels % chunk_size == 0 && aligned(all) && aligned(real) && aligned(imaginary);
  for_chunks(n, wide, [&](auto chunk) {
    const auto at = [&](std::size_t i, float& scale) {
      const auto mode = static_cast<unsigned>(i / band.channels), channel = static_cast<unsigned>(i % band.channels);
      const unsigned line = mode / band.kept_width, w = mode % band.kept_width;
      const unsigned h = frequency_of(line % band.kept_height, band.height, band.kept_height),
                     t = frequency_of(line / band.kept_height, band.frames, band.kept_frames);
      scale = 2 * w % band.width == 0 ? scales.alone : scales.paired;
      return 2 * (((std::size_t{t} * band.height + h) * band.half() + w) * band.channels + channel);
    };
    float scale = 0;
    if constexpr (decltype(chunk)::whole) {
      const auto v = load(all, WholeChunkOf<8>{at(chunk.begin, scale)});
      Four<float> re, im;
      for (unsigned k = 0; k < chunk_size; ++k) {
        re.v[k] = scale * v.v[2 * k];
        im.v[k] = scale * v.v[2 * k + 1];
      }
      store(real, chunk, re);
      store(imaginary, chunk, im);
    } else {
      for (int k = 0; k < chunk.count; ++k) {
        const std::size_t i = chunk.begin + static_cast<std::size_t>(k), from = at(i, scale);
        real[i] = scale * all[from];
        imaginary[i] = scale * all[from + 1];
      }
    }
  });
}

/// @brief All frequencies, (T, H, W/2 + 1, C) complex, of the kept ones, (2, modes, C), each times its factor; the others are 0.
/// Of the frequencies without a conjugate along W only what a real field has comes through: v(k) + conj(v(-k)).
///
/// NaN: stays within its number, and that of its conjugate. Moves 8 bytes in for each mode and channel (16 for those without a
/// conjugate along W) and 8 out for each frequency and channel.
template <int threads>
__global__ void __launch_bounds__(threads) pad_modes_kernel(const float* __restrict__ spectrum, SpectralBand band,
                                                            BandScales scales, std::size_t n, std::size_t imaginary, float* all) {
  const bool wide = band.channels % chunk_size == 0 && aligned(all) && aligned(spectrum);
  for_chunks(n, wide, [&](auto chunk) {
    // Four channels of a frequency, from number i on: real parts, then imaginary ones.
    const auto gather = [&](auto part, std::size_t i) {
      Values<float, 8> sum{};
      const auto frequency = static_cast<unsigned>(i / band.channels), channel = static_cast<unsigned>(i % band.channels);
      const unsigned line = frequency / band.half(), w = frequency % band.half(), h = line % band.height, t = line / band.height;
      const auto add = [&](unsigned at_t, unsigned at_h, float scale, float sign) {
        const unsigned kept_t = mode_of(at_t, band.frames, band.kept_frames),
                       kept_h = mode_of(at_h, band.height, band.kept_height);
        if (kept_t >= band.kept_frames || kept_h >= band.kept_height || w >= band.kept_width) return;
        part.begin = ((std::size_t{kept_t} * band.kept_height + kept_h) * band.kept_width + w) * band.channels + channel;
        const auto re = load(spectrum, part), im = load(spectrum + imaginary, part);
        for (unsigned k = 0; k < chunk_size; ++k) {
          sum.v[k] += scale * re.v[k];
          sum.v[chunk_size + k] += sign * scale * im.v[k];
        }
      };
      const bool alone = 2 * w % band.width == 0;
      add(t, h, alone ? scales.alone : scales.paired, 1.0f);
      if (alone) add((band.frames - t) % band.frames, (band.height - h) % band.height, scales.alone, -1.0f);
      return sum;
    };
    if constexpr (decltype(chunk)::whole) {
      const auto sum = gather(chunk, chunk.begin);
      Values<float, 8> v;
      for (unsigned k = 0; k < chunk_size; ++k) {
        v.v[2 * k] = sum.v[k];
        v.v[2 * k + 1] = sum.v[chunk_size + k];
      }
      store(all, WholeChunkOf<8>{2 * chunk.begin}, v);
    } else {
      for (int k = 0; k < chunk.count; ++k) {
        const std::size_t i = chunk.begin + static_cast<std::size_t>(k);
        const auto sum = gather(PartChunk{0, 1}, i);
        all[2 * i] = sum.v[0];
        all[2 * i + 1] = sum.v[chunk_size];
      }
    }
  });
}

/// @brief Both in plain functions, for one block.
inline void crop_modes(Stream stream, const float* all, const SpectralBand& band, const BandScales& scales, float* spectrum) {
  const std::size_t n = band.modes() * band.channels;
  launch(stream, &crop_modes_kernel<block_size>, blocks_for(n), block_size, 0, all, band, scales, n, spectrum, spectrum + n);
}
inline void pad_modes(Stream stream, const float* spectrum, const SpectralBand& band, const BandScales& scales, float* all) {
  const std::size_t n = band.frequencies() * band.channels;
  launch(stream, &pad_modes_kernel<block_size>, blocks_for(n), block_size, 0, spectrum, band, scales, n,
         band.modes() * band.channels, all);
}

}  // namespace lacuna::kernels
