#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cstddef>

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

/// @brief Rows x (16 Vectors) elements of c, kept in registers along the depth.
template <int Rows, int Vectors>
LACUNA_INLINE void product_tile(Strided<const float> a, const float* b, std::ptrdiff_t b_row, float* c, std::ptrdiff_t c_row,
                                std::ptrdiff_t depth, Into into) {
  simd::Floats sum[Rows][Vectors] = {};
  for (std::ptrdiff_t k = 0; k < depth; ++k) {
    simd::Floats row[Vectors];
#pragma GCC unroll 8
    for (int v = 0; v < Vectors; ++v) row[v] = simd::load(b + k * b_row + v * simd::lanes);
#pragma GCC unroll 8
    for (int r = 0; r < Rows; ++r) {
      const float factor = a.data[r * a.row + k * a.column];
#pragma GCC unroll 8
      for (int v = 0; v < Vectors; ++v) sum[r][v] += factor * row[v];
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < Vectors; ++v) {
      float* to = c + r * c_row + v * simd::lanes;
      if (into == Into::added) sum[r][v] = simd::load(to) + sum[r][v];
      if (into == Into::subtracted) sum[r][v] = simd::load(to) - sum[r][v];
      simd::store(to, sum[r][v]);
    }
}

/// @brief All rows of one panel of c, `Vectors` wide, in tiles of Tall rows, the rest one by one.
template <int Tall, int Vectors>
LACUNA_INLINE void product_panel(Strided<const float> a, const float* b, std::ptrdiff_t b_row, float* c, std::ptrdiff_t c_row,
                                 std::ptrdiff_t rows, std::ptrdiff_t depth, Into into) {
  std::ptrdiff_t i = 0;
  for (; i + Tall <= rows; i += Tall)
    product_tile<Tall, Vectors>({a.data + i * a.row, a.row, a.column}, b, b_row, c + i * c_row, c_row, depth, into);
  for (; i + 2 <= rows; i += 2)
    product_tile<2, Vectors>({a.data + i * a.row, a.row, a.column}, b, b_row, c + i * c_row, c_row, depth, into);
  for (; i < rows; ++i)
    product_tile<1, Vectors>({a.data + i * a.row, a.row, a.column}, b, b_row, c + i * c_row, c_row, depth, into);
}

/// @brief c = a b for one stretch of depth; the columns past whole vectors go through a copy padded with zeros.
template <int Tall, int Vectors>
LACUNA_INLINE void product_slice(Strided<const float> a, Strided<const float> b, Strided<float> c, ProductExtents n, Into into) {
  constexpr std::ptrdiff_t deepest = 256, wide = Vectors * simd::lanes;
  for (std::ptrdiff_t k = 0; k < n.depth; k += deepest, into = into == Into::overwritten ? Into::added : into) {
    const auto depth = std::min(deepest, n.depth - k);
    const Strided<const float> left{a.data + k * a.column, a.row, a.column};
    const float* right = b.data + k * b.row;
    std::ptrdiff_t j = 0;
    for (; j + wide <= n.columns; j += wide)
      product_panel<Tall, Vectors>(left, right + j, b.row, c.data + j, c.row, n.rows, depth, into);
    for (; j + simd::lanes <= n.columns; j += simd::lanes)
      product_panel<Tall, 1>(left, right + j, b.row, c.data + j, c.row, n.rows, depth, into);
    const auto rest = n.columns - j;
    if (rest == 0) continue;
    alignas(64) float padded[deepest * simd::lanes], result[Tall * simd::lanes];
    for (std::ptrdiff_t d = 0; d < depth; ++d)
      for (std::ptrdiff_t v = 0; v < simd::lanes; ++v) padded[d * simd::lanes + v] = v < rest ? right[d * b.row + j + v] : 0.0f;
    for (std::ptrdiff_t i = 0; i < n.rows; i += Tall) {
      const auto tall = std::min<std::ptrdiff_t>(Tall, n.rows - i);
      product_panel<Tall, 1>({left.data + i * left.row, left.row, left.column}, padded, simd::lanes, result, simd::lanes, tall,
                             depth, Into::overwritten);
      for (std::ptrdiff_t r = 0; r < tall; ++r)
        for (std::ptrdiff_t v = 0; v < rest; ++v) {
          float& to = c.data[(i + r) * c.row + j + v];
          const float sum = result[r * simd::lanes + v];
          to = into == Into::overwritten ? sum : into == Into::added ? to + sum : to - sum;
        }
    }
  }
}

/// @brief c = a b, c += a b or c -= a b for matrices that are small or thin in some direction: nothing is packed or allocated.
///
/// Rows of b and c are contiguous (column strides 1); a has any strides. Cost: 2 rows columns depth FLOPs; every panel of
/// 32 columns reads a once, so a product with many columns should have a small a.
/// Determinism: an element of c depends on its row of a and column of b alone, not on the extents of c.
inline void panel_product(Strided<const float> a, Strided<const float> b, Strided<float> c, ProductExtents n,
                          Into into = Into::overwritten) {
  // Sixteen accumulators of 16 lanes fit the 32 registers of AVX-512; with half as wide ones, six tiles of two halves do.
  if (simd::level() == simd::Level::v4)
    simd::run([&]() LACUNA_KERNEL { product_slice<8, 2>(a, b, c, n, into); });
  else
    simd::run([&]() LACUNA_KERNEL { product_slice<6, 1>(a, b, c, n, into); });
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
