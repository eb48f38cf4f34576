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

/// @brief Chunk of a row of `columns` that begins at `column`; whole ones only if `wide`.
template <unsigned size = chunk_size, class Visit>
__device__ __forceinline__ void with_chunk(std::size_t at, int column, int columns, bool wide, const Visit& visit) {
  constexpr int most = static_cast<int>(size);
  const int left = columns - column;
  if (wide && left >= most)
    visit(WholeChunkOf<size>{at});
  else
    visit(PartChunkOf<size>{at, left < most ? left : most});
}

/// @brief Four numbers of a shared row; `p` lies at a multiple of 16 bytes.
__device__ __forceinline__ Four<float> load_shared(const float* p) { return load(p, WholeChunk{0}); }
__device__ __forceinline__ void store_shared(float* p, const Four<float>& v) { store(p, WholeChunk{0}, v); }

/// @brief Calls visit(row, column) for every chunk of columns of a tile, shared out over the block, columns fastest.
template <unsigned size = chunk_size, class Visit>
__device__ __forceinline__ void for_tile(int rows, int columns, const Visit& visit) {
  constexpr int most = static_cast<int>(size);
  const int chunks = (columns + most - 1) / most;
  for (int i = static_cast<int>(threadIdx.x); i < rows * chunks; i += static_cast<int>(block_size))
    visit(i / chunks, i % chunks * most);
}

/// @brief Calls visit(row, column, chunk of the tensor) for rows that lie `apart` elements apart, 16 bytes at a time where they
/// allow it.
template <class S, class Visit>
__device__ __forceinline__ void for_tensor_tile(const S* tensor, std::size_t apart, int rows, int columns, const Visit& visit) {
  constexpr unsigned size = chunk_of<S>;
  const bool wide = apart % size == 0 && aligned<size>(tensor);
  for_tile<size>(rows, columns, [&](int row, int column) {
    with_chunk<size>(static_cast<std::size_t>(row) * apart + static_cast<std::size_t>(column), column, columns, wide,
                     [&](auto chunk) { visit(row, column, chunk); });
  });
}

/// @brief Rows of a tensor, `apart` elements apart, into a shared tile; rows from `count` on and what pads a row are zero.
template <class S>
__device__ __forceinline__ void stage(const S* from, std::size_t apart, int count, int rows, int columns, float* tile) {
  constexpr int size = static_cast<int>(chunk_of<S>);
  const int stride = tile_stride(columns);
  for_tensor_tile(from, apart, rows, columns, [&](int row, int column, auto chunk) {
    Values<float, chunk_of<S>> v{};
    if (row < count) v = load(from, chunk);
    float* to = tile + row * stride + column;
    LACUNA_UNROLL
    for (int k = 0; k < size; k += 4)
      if (column + k < columns) store_shared(to + k, {v.v[k], v.v[k + 1], v.v[k + 2], v.v[k + 3]});
  });
}

/// @brief Into rows of a tensor what make(row, column) gives for four columns at a time.
template <class S, class Make>
__device__ __forceinline__ void unstage(S* to, std::size_t apart, int count, int columns, const Make& make) {
  constexpr int size = static_cast<int>(chunk_of<S>);
  for_tensor_tile(to, apart, count, columns, [&](int row, int column, auto chunk) {
    Values<float, chunk_of<S>> v{};
    LACUNA_UNROLL
    for (int k = 0; k < size; k += 4) {
      if (column + k >= columns) break;
      const Four<float> four = make(row, column + k);
      for (int j = 0; j < 4; ++j) v.v[k + j] = four.v[j];
    }
    store(to, chunk, v);
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
