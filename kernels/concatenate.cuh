#pragma once

#include <cstddef>

#include "port.cuh"
#include "vector.cuh"

namespace lacuna::kernels {

/// @brief Element i of y = [a, b] along the channels: whether it lies in a, and where in its operand.
struct ConcatenatedAt {
  bool left;
  std::size_t at;
};
__device__ __forceinline__ ConcatenatedAt concatenated_at(std::size_t i, unsigned left, unsigned right) {
  const std::size_t cell = i / (left + right);
  const auto channel = static_cast<unsigned>(i - cell * (left + right));
  if (channel < left) return {true, cell * left + channel};
  return {false, cell * right + channel - left};
}

/// @brief y = [a, b]: a (cells, left), b (cells, right), n = cells (left + right).
///
/// NaN: copied. Moves n elements' bytes in and n out: 4 n each of float, 2 n of bfloat16.
template <int threads, class S>
__global__ void __launch_bounds__(threads) concatenate_kernel(const S* __restrict__ a, const S* __restrict__ b, std::size_t n,
                                                              unsigned left, unsigned right, S* __restrict__ y) {
  constexpr unsigned size = chunk_of<S>;
  const bool wide = left % size == 0 && right % size == 0 && aligned<size>(a) && aligned<size>(b) && aligned<size>(y);
  for_chunks<size>(n, wide, [&](auto chunk) {
    if constexpr (decltype(chunk)::whole) {
      const auto from = concatenated_at(chunk.begin, left, right);
      store_bits(y + chunk.begin, load_bits((from.left ? a : b) + from.at));
    } else {
      for (int k = 0; k < chunk.count; ++k) {
        const std::size_t i = chunk.begin + static_cast<std::size_t>(k);
        const auto from = concatenated_at(i, left, right);
        y[i] = (from.left ? a : b)[from.at];
      }
    }
  });
}

/// @brief The gradient of the concatenation: y is split into a and b.
///
/// NaN: copied. Moves n elements' bytes in and n out.
template <int threads, class S>
__global__ void __launch_bounds__(threads)
    split_kernel(const S* __restrict__ y, std::size_t n, unsigned left, unsigned right, S* __restrict__ a, S* __restrict__ b) {
  constexpr unsigned size = chunk_of<S>;
  const bool wide = left % size == 0 && right % size == 0 && aligned<size>(a) && aligned<size>(b) && aligned<size>(y);
  for_chunks<size>(n, wide, [&](auto chunk) {
    if constexpr (decltype(chunk)::whole) {
      const auto to = concatenated_at(chunk.begin, left, right);
      store_bits((to.left ? a : b) + to.at, load_bits(y + chunk.begin));
    } else {
      for (int k = 0; k < chunk.count; ++k) {
        const std::size_t i = chunk.begin + static_cast<std::size_t>(k);
        const auto to = concatenated_at(i, left, right);
        (to.left ? a : b)[to.at] = y[i];
      }
    }
  });
}

/// @brief Both in plain functions; S: float or Bfloat16.
template <class S>
void concatenate(Stream stream, const S* a, const S* b, std::size_t cells, int left, int right, S* y) {
  const std::size_t n = cells * static_cast<std::size_t>(left + right);
  launch(stream, &concatenate_kernel<block_size, S>, blocks_for<chunk_of<S>>(n), block_size, 0, a, b, n, left, right, y);
}
template <class S>
void split(Stream stream, const S* y, std::size_t cells, int left, int right, S* a, S* b) {
  const std::size_t n = cells * static_cast<std::size_t>(left + right);
  launch(stream, &split_kernel<block_size, S>, blocks_for<chunk_of<S>>(n), block_size, 0, y, n, left, right, a, b);
}

}  // namespace lacuna::kernels
