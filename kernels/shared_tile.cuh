#pragma once

#include <cstddef>

#include "lacuna/core/host_device.hpp"
#include "port.cuh"
#include "vector.cuh"

namespace lacuna::kernels {

/// @brief Floats from a row of a shared tile to the next: whole groups of four, an odd number of them, so that eight threads
/// that read a group of eight successive rows meet no bank twice.
LACUNA_HOST_DEVICE inline int tile_stride(int columns) {
  const int groups = (columns + 3) / 4;
  return 4 * (groups % 2 == 0 ? groups + 1 : groups);
}

/// @brief Chunk of four of a row of `columns` that begins at `column`; whole ones only if `wide`.
template <class Visit>
__device__ __forceinline__ void with_chunk(std::size_t at, int column, int columns, bool wide, const Visit& visit) {
  const int left = columns - column;
  if (wide && left >= 4)
    visit(WholeChunk{at});
  else
    visit(PartChunk{at, left < 4 ? left : 4});
}

/// @brief Four numbers of a shared row; `p` lies at a multiple of 16 bytes.
__device__ __forceinline__ Four<float> load_shared(const float* p) { return load(p, WholeChunk{0}); }
__device__ __forceinline__ void store_shared(float* p, const Four<float>& v) { store(p, WholeChunk{0}, v); }

/// @brief Calls visit(row, column) for every chunk of four columns of a tile, shared out over the block, columns fastest.
template <class Visit>
__device__ __forceinline__ void for_tile(int rows, int columns, const Visit& visit) {
  const int chunks = (columns + 3) / 4;
  for (int i = static_cast<int>(threadIdx.x); i < rows * chunks; i += static_cast<int>(block_size))
    visit(i / chunks, i % chunks * 4);
}

/// @brief Rows of a tensor, `apart` floats apart, into a shared tile; rows from `count` on and what pads a row are zero.
__device__ __forceinline__ void stage(const float* from, std::size_t apart, int count, int rows, int columns, float* tile) {
  const bool wide = apart % 4 == 0 && aligned(from);
  const int stride = tile_stride(columns);
  for_tile(rows, columns, [&](int row, int column) {
    Four<float> v{};
    if (row < count)
      with_chunk(static_cast<std::size_t>(row) * apart + static_cast<std::size_t>(column), column, columns, wide,
                 [&](auto chunk) { v = load(from, chunk); });
    store_shared(tile + row * stride + column, v);
  });
}

/// @brief Sum of a[k] b[k] over two shared rows that are padded with zeros.
__device__ __forceinline__ float dot(const float* a, const float* b, int count) {
  float sum = 0;
  for (int k = 0; k < count; k += 4) {
    const auto x = load_shared(a + k), y = load_shared(b + k);
    for (int j = 0; j < 4; ++j) sum += x.v[j] * y.v[j];
  }
  return sum;
}

/// @brief Sums over k of a[k a_step] b[k b_step + j] for j = 0 .. 3, on shared memory.
__device__ __forceinline__ Four<float> products(const float* a, int a_step, const float* b, int b_step, int count) {
  Four<float> sum{};
  LACUNA_UNROLL_FOUR
  for (int k = 0; k < count; ++k) {
    const auto y = load_shared(b + k * b_step);
    const float x = a[k * a_step];
    for (int j = 0; j < 4; ++j) sum.v[j] += x * y.v[j];
  }
  return sum;
}

}  // namespace lacuna::kernels
