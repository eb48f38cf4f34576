#pragma once

#include <cstddef>

#include "port.cuh"
#include "vector.cuh"

namespace lacuna::kernels {

/// @brief sums (B, columns) += or = the rows of `partial` (B, rows, columns), what blocks of a first stage left, in one order.
/// A block takes 32 columns, 8 rows of threads share the rows. Grid (columns / 32, B).
///
/// Moves 4 B rows columns bytes in, 4 B columns more where it adds; 4 B columns out.
template <int threads>
__global__ void __launch_bounds__(threads) partial_sums_kernel(const float* __restrict__ partial, unsigned rows,
                                                               std::size_t columns, bool add, float* __restrict__ sums) {
  constexpr unsigned width = 32, groups = threads / width;
  LACUNA_SHARED(float, own, [groups][width]);
  const unsigned column = threadIdx.x % width, group = threadIdx.x / width;
  const std::size_t j = static_cast<std::size_t>(blockIdx.x) * width + column;
  const float* const mine = partial + blockIdx.y * rows * columns;
  float sum = 0;
  if (j < columns)
    for (unsigned row = group; row < rows; row += groups) sum += mine[row * columns + j];
  own[group][column] = sum;
  __syncthreads();
  if (group != 0 || j >= columns) return;
  sum = 0;
  for (unsigned g = 0; g < groups; ++g) sum += own[g][column];
  float* const result = sums + blockIdx.y * columns + j;
  *result = add ? *result + sum : sum;
}

/// @brief Adds what a first stage's blocks left to a gradient.
inline void add_partial_sums(Stream stream, const float* partial, unsigned rows, std::size_t columns, float* sums) {
  launch(stream, &partial_sums_kernel<block_size>, static_cast<unsigned>((columns + 31) / 32), block_size, 0, partial, rows,
         columns, true, sums);
}
/// @brief sums (B, columns) of partial (B, rows, columns), on their own.
inline void set_partial_sums(Stream stream, const float* partial, unsigned batch, unsigned rows, std::size_t columns,
                             float* sums) {
  launch(stream, &partial_sums_kernel<block_size>, dim3(static_cast<unsigned>((columns + 31) / 32), batch), block_size, 0,
         partial, rows, columns, false, sums);
}

}  // namespace lacuna::kernels
