#pragma once

#include <cstddef>

#include "lacuna/core/error.hpp"
#include "lacuna/core/philox.hpp"
#include "lacuna/ops/time_embedding_functions.hpp"
#include "port.cuh"
#include "vector.cuh"

namespace lacuna::kernels {

/// @brief y (B, 2 half) = sines, then cosines, of the times (B) at `half` frequencies.
///
/// Angles are below 2 pi, so the noise's sine and cosine do; CUDA's own are for any angle, at the price of a stack frame.
/// Moves 4 B bytes in for each frequency, from cache, and 8 B half out.
template <int threads>
__global__ void __launch_bounds__(threads)
    time_embedding_kernel(const float* __restrict__ times, unsigned batch, unsigned half, float* __restrict__ y) {
  for (std::size_t i = static_cast<std::size_t>(blockIdx.x) * threads + threadIdx.x; i < static_cast<std::size_t>(batch) * half;
       i += static_cast<std::size_t>(gridDim.x) * threads) {
    const std::size_t sample = i / half, frequency = i - sample * half;
    const float angle = ops::time_angle(times[sample], static_cast<int>(frequency), static_cast<int>(half));
    const auto [sine, cosine] = sin_cos_turn(angle * 0.15915494309189534f);  // 1 / (2 pi)
    float* own = y + sample * 2 * half + frequency;
    own[0] = sine;
    own[half] = cosine;
  }
}

/// @brief Sinusoidal features (B, width) of times (B) in [0, 1]; the meaning of ops::time_embedding.
///
/// Throws: ShapeError if width is odd or < 4.
inline void time_embedding(Stream stream, const float* times, int batch, int width, float* y) {
  require<ShapeError>(width % 2 == 0 && width >= 4, "time_embedding: width ", width, ", expected an even number from 4");
  const auto half = static_cast<unsigned>(width / 2), samples = static_cast<unsigned>(batch);
  launch(stream, &time_embedding_kernel<block_size>, blocks_for<1>(static_cast<std::size_t>(samples) * half), block_size, 0,
         times, samples, half, y);
}

}  // namespace lacuna::kernels
