#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cstddef>
#include <cstring>

#include "lacuna/core/parallel.hpp"
#include "lacuna/core/simd.hpp"
#include "lacuna/ops/matrix_product.hpp"

namespace lacuna::ops {

/// @brief A matrix in memory: element (i, j) at data[i * row + j * column]. Swapped strides are its transpose.
template <class T>
struct Strided {
  T* data;
  std::ptrdiff_t row, column = 1;

  Strided transposed() const { return {data, column, row}; }
};

/// @brief Extents of c (rows, columns) = a (rows, depth) b (depth, columns).
struct ProductExtents {
  std::ptrdiff_t rows, columns, depth;
};

/// @brief What becomes of c.
enum class Into { overwritten, added, subtracted };

/// @brief Eight floats: a register of AVX2, on which GCC keeps vectors of sixteen in memory.
using Eight = float __attribute__((vector_size(32)));

template <class Vector>
inline constexpr std::ptrdiff_t vector_width = sizeof(Vector) / sizeof(float);

template <class Vector>
LACUNA_INLINE Vector load_vector(const float* p) {
  Vector v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

/// @brief Rows x Count vectors of c, kept in registers along the depth.
template <class Vector, int Rows, int Count>
LACUNA_INLINE void product_tile(Strided<const float> a, const float* b, std::ptrdiff_t b_row, float* c, std::ptrdiff_t c_row,
                                std::ptrdiff_t depth, Into into) {
  Vector sum[Rows][Count] = {};
  for (std::ptrdiff_t k = 0; k < depth; ++k) {
    Vector row[Count];
#pragma GCC unroll 8
    for (int v = 0; v < Count; ++v) row[v] = load_vector<Vector>(b + k * b_row + v * vector_width<Vector>);
#pragma GCC unroll 8
    for (int r = 0; r < Rows; ++r) {
      const float factor = a.data[r * a.row + k * a.column];
#pragma GCC unroll 8
      for (int v = 0; v < Count; ++v) sum[r][v] += factor * row[v];
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < Count; ++v) {
      float* to = c + r * c_row + v * vector_width<Vector>;
      if (into == Into::added) sum[r][v] = load_vector<Vector>(to) + sum[r][v];
      if (into == Into::subtracted) sum[r][v] = load_vector<Vector>(to) - sum[r][v];
      std::memcpy(to, &sum[r][v], sizeof(Vector));
    }
}

/// @brief All rows of one panel of c, Count vectors wide, in tiles of Tall rows, the rest one by one.
template <class Vector, int Tall, int Count>
LACUNA_INLINE void product_panel(Strided<const float> a, const float* b, std::ptrdiff_t b_row, float* c, std::ptrdiff_t c_row,
                                 std::ptrdiff_t rows, std::ptrdiff_t depth, Into into) {
  std::ptrdiff_t i = 0;
  for (; i + Tall <= rows; i += Tall)
    product_tile<Vector, Tall, Count>({a.data + i * a.row, a.row, a.column}, b, b_row, c + i * c_row, c_row, depth, into);
  for (; i + 2 <= rows; i += 2)
    product_tile<Vector, 2, Count>({a.data + i * a.row, a.row, a.column}, b, b_row, c + i * c_row, c_row, depth, into);
  for (; i < rows; ++i)
    product_tile<Vector, 1, Count>({a.data + i * a.row, a.row, a.column}, b, b_row, c + i * c_row, c_row, depth, into);
}

/// @brief c = a b for one stretch of depth; the columns past whole vectors go through a copy padded with zeros.
template <class Vector, int Tall, int Count>
LACUNA_INLINE void product_slice(Strided<const float> a, Strided<const float> b, Strided<float> c, ProductExtents n, Into into) {
  constexpr std::ptrdiff_t deepest = 256, one = vector_width<Vector>, wide = Count * one;
  for (std::ptrdiff_t k = 0; k < n.depth; k += deepest, into = into == Into::overwritten ? Into::added : into) {
    const auto depth = std::min(deepest, n.depth - k);
    const Strided<const float> left{a.data + k * a.column, a.row, a.column};
    const float* right = b.data + k * b.row;
    std::ptrdiff_t j = 0;
    for (; j + wide <= n.columns; j += wide)
      product_panel<Vector, Tall, Count>(left, right + j, b.row, c.data + j, c.row, n.rows, depth, into);
    for (; j + one <= n.columns; j += one)
      product_panel<Vector, Tall, 1>(left, right + j, b.row, c.data + j, c.row, n.rows, depth, into);
    const auto rest = n.columns - j;
    if (rest == 0) continue;
    alignas(64) float padded[deepest * one], result[Tall * one];
    for (std::ptrdiff_t d = 0; d < depth; ++d)
      for (std::ptrdiff_t v = 0; v < one; ++v) padded[d * one + v] = v < rest ? right[d * b.row + j + v] : 0.0f;
    for (std::ptrdiff_t i = 0; i < n.rows; i += Tall) {
      const auto tall = std::min<std::ptrdiff_t>(Tall, n.rows - i);
      product_panel<Vector, Tall, 1>({left.data + i * left.row, left.row, left.column}, padded, one, result, one, tall, depth,
                                     Into::overwritten);
      for (std::ptrdiff_t r = 0; r < tall; ++r)
        for (std::ptrdiff_t v = 0; v < rest; ++v) {
          float& to = c.data[(i + r) * c.row + j + v];
          const float sum = result[r * one + v];
          to = into == Into::overwritten ? sum : into == Into::added ? to + sum : to - sum;
        }
    }
  }
}

/// @brief c = a b, c += a b or c -= a b for matrices that are small or thin in some direction: nothing is packed or allocated.
///
/// Rows of b and c are contiguous (column strides 1); a has any strides. Cost: 2 rows columns depth FLOPs; every panel of
/// 32 columns (16 without AVX-512) reads a once, so a product with many columns should have a small a.
/// Determinism: an element of c depends on its row of a and column of b alone, not on the extents of c.
inline void panel_product(Strided<const float> a, Strided<const float> b, Strided<float> c, ProductExtents n,
                          Into into = Into::overwritten) {
  // Sixteen accumulators of sixteen floats fit the 32 registers of AVX-512, twelve of eight the 16 of AVX2.
  if (simd::level() == simd::Level::v4)
    simd::run([&]() LACUNA_KERNEL { product_slice<simd::Floats, 8, 2>(a, b, c, n, into); });
  else
    simd::run([&]() LACUNA_KERNEL { product_slice<Eight, 6, 2>(a, b, c, n, into); });
}

/// @brief The same in double, on Eigen: for gradient checks and as a second opinion.
inline void panel_product(Strided<const double> a, Strided<const double> b, Strided<double> c, ProductExtents n,
                          Into into = Into::overwritten) {
  using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  using Stride = Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>;
  const LibraryThreads serial(1);
  const Eigen::Map<const Matrix, 0, Stride> left(a.data, n.rows, n.depth, Stride(a.row, a.column));
  const Eigen::Map<const Matrix, 0, Stride> right(b.data, n.depth, n.columns, Stride(b.row, b.column));
  Eigen::Map<Matrix, 0, Eigen::OuterStride<>> result(c.data, n.rows, n.columns, Eigen::OuterStride<>(c.row));
  if (into == Into::overwritten) result.setZero();
  if (into == Into::subtracted)
    add_product(-left, right, result);
  else
    add_product(left, right, result);
}

}  // namespace lacuna::ops
