#pragma once

#include "port.cuh"
#include "vector.cuh"

namespace lacuna::kernels {

/// @brief Sum over the warp by halving, in lane 0. Every lane of the warp must call it.
template <class T>
__device__ __forceinline__ T warp_sum(T value) {
  LACUNA_UNROLL
  for (int offset = 16; offset > 0; offset /= 2) value += __shfl_down_sync(0xffffffffu, value, static_cast<unsigned>(offset));
  return value;
}

/// @brief Sum over the block, in every thread: warps by halving, then the warps' sums in order. Every thread must call it.
template <class T>
__device__ __forceinline__ T block_sum(T value) {
  constexpr int warps = block_size / 32;
  LACUNA_SHARED(T, partial, [warps]);
  value = warp_sum(value);
  if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = value;
  __syncthreads();
  T sum = T(0);
  LACUNA_UNROLL
  for (int warp = 0; warp < warps; ++warp) sum += partial[warp];
  __syncthreads();  // the next call may write again
  return sum;
}

/// @brief Sum of the partial results of a grid's blocks, in every thread of every block that asks: one order for all.
template <class T>
__device__ __forceinline__ T sum_of_partials(const T* partials, unsigned count) {
  T sum = T(0);
  for (unsigned i = threadIdx.x; i < count; i += block_size) sum += partials[i];
  return block_sum(sum);
}

}  // namespace lacuna::kernels
