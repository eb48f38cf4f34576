#pragma once

#include <cstddef>

#include "lacuna/train/adam.hpp"
#include "port.cuh"
#include "reduce.cuh"
#include "vector.cuh"

namespace lacuna::kernels {

/// @brief Sums of squares of the gradient per block: sums[blocks_for(n)].
///
/// Moves 4 n bytes in and 4 per block out.
template <int threads>
__global__ void __launch_bounds__(threads)
    square_norm_kernel(const float* __restrict__ gradient, std::size_t n, float* __restrict__ sums) {
  float sum = 0;
  for_chunks(n, aligned(gradient), [&](auto chunk) {
    const auto g = load(gradient, chunk);
    for (int k = 0; k < 4; ++k) sum += g.v[k] * g.v[k];
  });
  sum = block_sum(sum);
  if (threadIdx.x == 0) sums[blockIdx.x] = sum;
}

/// @brief All arrays of one update, n elements each.
struct AdamArrays {
  float* value;
  const float* gradient;
  float *first_moment, *second_moment, *average;
};

/// @brief Moments, parameters and their moving average in one pass, the gradient clipped to the norm `clip`.
///
/// Every block adds up the sums of squares itself; the first writes the norm before clipping. With a norm that is not finite
/// nothing is changed. Moves 20 n bytes in, 16 n out; per block 4 `blocks` in, and 4 out once; every thread reads the
/// coefficients (28 bytes) from cache.
template <int threads>
__global__ void __launch_bounds__(threads)
    adam_kernel(AdamArrays a, std::size_t n, const train::AdamStep<float>* __restrict__ coefficients, float clip,
                const float* __restrict__ sums, unsigned blocks, float* __restrict__ norm_out) {
  const float norm = sqrtf(sum_of_partials(sums, blocks));
  if (blockIdx.x == 0 && threadIdx.x == 0) *norm_out = norm;
  if (!(norm <= 3.402823466e38f)) return;
  train::AdamStep<float> step = *coefficients;
  step.clip = norm > clip ? clip / norm : 1.0f;
  const bool wide =
      aligned(a.value) && aligned(a.gradient) && aligned(a.first_moment) && aligned(a.second_moment) && aligned(a.average);
  for_chunks(n, wide, [&](auto chunk) {
    const auto g = load(a.gradient, chunk);
    auto value = load(a.value, chunk), m = load(a.first_moment, chunk), v = load(a.second_moment, chunk),
         average = load(a.average, chunk);
    for (int k = 0; k < 4; ++k) train::adam_element(step, g.v[k], value.v[k], m.v[k], v.v[k], average.v[k]);
    store(a.value, chunk, value);
    store(a.first_moment, chunk, m);
    store(a.second_moment, chunk, v);
    store(a.average, chunk, average);
  });
}

/// @brief One step of Adam with clipping and moving average; the meaning of train::Optimizer::step.
///
/// coefficients lie in the device's memory, so that a captured step can be given new ones; their clip is ignored: the norm is
/// known on the device alone. sums: blocks_for(n) floats of workspace. norm: one float, the norm before clipping; if it is not
/// finite, no array has changed. The norm's squares are summed in float, so gradients beyond 1e19 count as not finite.
/// Determinism: one order of sums for each n.
inline void adam(Stream stream, const AdamArrays& arrays, std::size_t n, const train::AdamStep<float>* coefficients, float clip,
                 float* sums, float* norm) {
  const unsigned blocks = blocks_for(n);
  launch(stream, &square_norm_kernel<block_size>, blocks, block_size, 0, arrays.gradient, n, sums);
  launch(stream, &adam_kernel<block_size>, blocks, block_size, 0, arrays, n, coefficients, clip, sums, blocks, norm);
}

}  // namespace lacuna::kernels
