#pragma once

#include <cstddef>

#include "port.cuh"
#include "vector.cuh"

namespace lacuna::kernels {

/// @brief Operands of the second stage of the norm's backward pass.
struct NormParameters {
  const float* sums;         ///< (B, runs, 2 C), from norm_backward_kernel
  const float* gain;         ///< (C)
  const float* scale_shift;  ///< (B, 2 C) or null
  float* grad_gain;          ///< (C), accumulates
  float* grad_scale_shift;   ///< (B, 2 C), overwritten, or null
  int batch, channels;
  unsigned runs;
};

/// @brief Adds the runs' sums: with factor = sqrt(C) gain (1 + scale), grad_gain += sqrt(C) (1 + scale) sum_m,
/// grad_scale = sqrt(C) gain sum_m, grad_shift = sum. A block takes 32 channels, 8 rows of threads share the runs.
///
/// Moves 8 B runs C bytes in, 8 C for gain and its gradient and, where given, 4 B C of scales; 4 C bytes out and, where asked
/// for, 8 B C.
template <int threads>
__global__ void __launch_bounds__(threads) norm_parameters_kernel(NormParameters p) {
  constexpr unsigned width = 32, rows = threads / width;
  LACUNA_SHARED(float, partial, [2][rows][width]);
  const unsigned column = threadIdx.x % width, row = threadIdx.x / width;
  const std::size_t c = static_cast<std::size_t>(p.channels), j = static_cast<std::size_t>(blockIdx.x) * width + column;
  const float root = sqrtf(static_cast<float>(p.channels));
  const bool mine = row == 0 && j < c;
  const float gain = mine ? p.gain[j] : 0.0f;
  float grad_gain = mine ? p.grad_gain[j] : 0.0f;
  for (int sample = 0; sample < p.batch; ++sample) {
    float sum_m = 0, sum = 0;
    for (unsigned run = row; run < p.runs && j < c; run += rows) {
      const float* own = p.sums + (static_cast<std::size_t>(sample) * p.runs + run) * 2 * c;
      sum_m += own[j];
      sum += own[c + j];
    }
    partial[0][row][column] = sum_m;
    partial[1][row][column] = sum;
    __syncthreads();
    if (mine) {
      sum_m = sum = 0;
      for (unsigned r = 0; r < rows; ++r) {
        sum_m += partial[0][r][column];
        sum += partial[1][r][column];
      }
      const std::size_t at = static_cast<std::size_t>(sample) * 2 * c + j;
      grad_gain += sum_m * root * (p.scale_shift != nullptr ? p.scale_shift[at] + 1.0f : 1.0f);
      if (p.grad_scale_shift != nullptr) {
        p.grad_scale_shift[at] = sum_m * root * gain;
        p.grad_scale_shift[at + c] = sum;
      }
    }
    __syncthreads();
  }
  if (mine) p.grad_gain[j] = grad_gain;
}

/// @brief Gradients of gain, scale and shift from the sums of norm_backward().
inline void norm_parameters(Stream stream, const NormParameters& p) {
  launch(stream, &norm_parameters_kernel<block_size>, static_cast<unsigned>((p.channels + 31) / 32), block_size, 0, p);
}

}  // namespace lacuna::kernels
