#pragma once

#include <cstddef>
#include <limits>

#include "lacuna/core/error.hpp"
#include "port.cuh"
#include "shared_tile.cuh"
#include "vector.cuh"

namespace lacuna::kernels {

/// @brief Operands of attention over the positions of each image; W = heads features. S: float or Bfloat16, whatever lies in the
/// images; what is computed is float. A unit is a head of an image, heads fastest.
template <class S>
struct PositionAttention {
  const S* qkv;     ///< (images, positions, 3 W): q, k, v side by side, each head by head
  const S* grad_o;  ///< backward: (images, positions, W); forward: null
  S* o;             ///< (images, positions, W)
  S* grad_qkv;      ///< backward: as qkv; forward: null
  std::size_t images;
  int positions, heads, features;

  std::size_t units() const { return images * static_cast<std::size_t>(heads); }
};

/// @brief Where a unit's rows of features lie in q, k, v (part 0, 1, 2) and o: `apart` elements from a position to the next.
template <class S>
struct UnitRows {
  std::size_t width, qkv_begin, o_begin;

  __device__ __forceinline__ UnitRows(const PositionAttention<S>& a, std::size_t unit)
      : width(static_cast<std::size_t>(a.heads) * static_cast<std::size_t>(a.features)) {
    const auto heads = static_cast<std::size_t>(a.heads);
    const std::size_t first = unit / heads * static_cast<std::size_t>(a.positions),
                      column = unit % heads * static_cast<std::size_t>(a.features);
    qkv_begin = first * 3 * width + column;
    o_begin = first * width + column;
  }
  __device__ __forceinline__ std::size_t qkv(int part, int position) const {
    return qkv_begin + (static_cast<std::size_t>(position) * 3 + static_cast<std::size_t>(part)) * width;
  }
  __device__ __forceinline__ std::size_t o(int position) const { return o_begin + static_cast<std::size_t>(position) * width; }
  __device__ __forceinline__ std::size_t qkv_apart() const { return 3 * width; }
  __device__ __forceinline__ std::size_t o_apart() const { return width; }
};

/// @brief Positions that a block takes at a time, as many as fit into its shared memory: `floats(rows)` of it.
/// Throws: ShapeError if not even eight do.
template <class Floats>
int attention_rows(const char* op, int features, int most, const Floats& floats) {
  constexpr std::size_t bytes = 48 * 1024;
  require<ShapeError>(features > 0 && floats(8) * sizeof(float) <= bytes, op, ": ", features, " features a head take ",
                      floats(8) * sizeof(float), " bytes of shared memory, expected at most ", bytes);
  int rows = most;
  while (floats(rows) * sizeof(float) > bytes) rows /= 2;
  return rows;
}

/// @brief Calls visit(row, lane) for each row of a tile with four lanes that are neighbours; `rows`: a multiple of eight, so that
/// whole warps come.
template <class Visit>
__device__ __forceinline__ void for_quads(int rows, const Visit& visit) {
  for (int row = static_cast<int>(threadIdx.x) / 4; row < rows; row += static_cast<int>(block_size) / 4)
    visit(row, static_cast<int>(threadIdx.x) % 4);
}
__device__ __forceinline__ float quad_sum(float v) {
  v += __shfl_xor_sync(0xffffffffu, v, 1);
  return v + __shfl_xor_sync(0xffffffffu, v, 2);
}
/// NaN counts for nothing.
__device__ __forceinline__ float larger(float a, float b) { return b > a ? b : a; }
__device__ __forceinline__ float quad_max(float v) {
  v = larger(v, __shfl_xor_sync(0xffffffffu, v, 1));
  return larger(v, __shfl_xor_sync(0xffffffffu, v, 2));
}
/// @brief The lane's columns of a row: visit(column) for fours of them.
template <class Visit>
__device__ __forceinline__ void for_lane_columns(int lane, int columns, const Visit& visit) {
  for (int column = 4 * lane; column < columns; column += 16) visit(column);
}

/// @brief Softmax of every row of a shared tile, in place; what pads a row stays zero. Every thread must call it.
__device__ __forceinline__ void softmax_tile(float* tile, int rows, int columns) {
  const int stride = tile_stride(columns);
  for_quads(rows, [&](int row, int lane) {
    float *x = tile + row * stride, peak = std::numeric_limits<float>::lowest(), sum = 0;
    for_lane_columns(lane, columns, [&](int column) {
      const auto v = load_shared(x + column);
      for (int k = 0; k < 4; ++k)
        if (column + k < columns) peak = larger(peak, v.v[k]);
    });
    peak = quad_max(peak);
    for_lane_columns(lane, columns, [&](int column) {
      auto v = load_shared(x + column);
      for (int k = 0; k < 4; ++k) sum += v.v[k] = column + k < columns ? expf(v.v[k] - peak) : 0.0f;
      store_shared(x + column, v);
    });
    const float inverse = 1.0f / quad_sum(sum);
    for_lane_columns(lane, columns, [&](int column) {
      auto v = load_shared(x + column);
      for (float& e : v.v) e *= inverse;
      store_shared(x + column, v);
    });
  });
}

/// @brief Through the softmax, in place: grad = p (grad - sum(p grad)) for every row. Every thread must call it.
__device__ __forceinline__ void softmax_tile_gradient(const float* p, float* grad, int rows, int columns) {
  const int stride = tile_stride(columns);
  for_quads(rows, [&](int row, int lane) {
    float sum = 0;
    for_lane_columns(lane, columns, [&](int column) {
      const auto a = load_shared(p + row * stride + column), b = load_shared(grad + row * stride + column);
      for (int k = 0; k < 4; ++k) sum += a.v[k] * b.v[k];
    });
    sum = quad_sum(sum);
    for_lane_columns(lane, columns, [&](int column) {
      const auto a = load_shared(p + row * stride + column);
      auto b = load_shared(grad + row * stride + column);
      for (int k = 0; k < 4; ++k) b.v[k] = a.v[k] * (b.v[k] - sum);
      store_shared(grad + row * stride + column, b);
    });
  });
}

/// @brief dot() of a row with four rows that follow one another; zero for those from `rows` on.
__device__ __forceinline__ Four<float> four_dots(const float* a, const float* b, int stride, int rows, int count) {
  Four<float> sums{};
  for (int j = 0; j < 4; ++j)
    if (j < rows) sums.v[j] = dot(a, b + j * stride, count);
  return sums;
}

}  // namespace lacuna::kernels
