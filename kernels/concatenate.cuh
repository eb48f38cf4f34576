#pragma once

#include <cstddef>
#include <type_traits>

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
/// Moves 4 n bytes in and 4 n out.
template <int threads>
__global__ void __launch_bounds__(threads)
    concatenate_kernel(const float* __restrict__ a, const float* __restrict__ b, std::size_t n, unsigned left, unsigned right,
                       float* __restrict__ y) {
  const bool wide = left % chunk_size == 0 && right % chunk_size == 0 && aligned(a) && aligned(b) && aligned(y);
  for_chunks(n, wide, [&](auto chunk) {
    if constexpr (std::is_same_v<decltype(chunk), WholeChunk>) {
      const auto from = concatenated_at(chunk.begin, left, right);
      store(y, chunk, load(from.left ? a : b, WholeChunk{from.at}));
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
/// Moves 4 n bytes in and 4 n out.
template <int threads>
__global__ void __launch_bounds__(threads) split_kernel(const float* __restrict__ y, std::size_t n, unsigned left, unsigned right,
                                                        float* __restrict__ a, float* __restrict__ b) {
  const bool wide = left % chunk_size == 0 && right % chunk_size == 0 && aligned(a) && aligned(b) && aligned(y);
  for_chunks(n, wide, [&](auto chunk) {
    if constexpr (std::is_same_v<decltype(chunk), WholeChunk>) {
      const auto to = concatenated_at(chunk.begin, left, right);
      store(to.left ? a : b, WholeChunk{to.at}, load(y, chunk));
    } else {
      for (int k = 0; k < chunk.count; ++k) {
        const std::size_t i = chunk.begin + static_cast<std::size_t>(k);
        const auto to = concatenated_at(i, left, right);
        (to.left ? a : b)[to.at] = y[i];
      }
    }
  });
}

inline void concatenate(Stream stream, const float* a, const float* b, std::size_t cells, int left, int right, float* y) {
  const std::size_t n = cells * static_cast<std::size_t>(left + right);
  launch(stream, &concatenate_kernel<block_size>, blocks_for(n), block_size, 0, a, b, n, left, right, y);
}
inline void split(Stream stream, const float* y, std::size_t cells, int left, int right, float* a, float* b) {
  const std::size_t n = cells * static_cast<std::size_t>(left + right);
  launch(stream, &split_kernel<block_size>, blocks_for(n), block_size, 0, y, n, left, right, a, b);
}

}  // namespace lacuna::kernels
