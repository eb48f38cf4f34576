#pragma once

#include <cstddef>

#include "lacuna/core/lanes.hpp"

namespace lacuna::ops {

/// @brief A product of small matrices that lie in cache: c = a b, or c += a b.
/// a (rows, inner) has any two strides, so that it may be a transpose; the columns of b (inner, columns) and c are contiguous.
template <class T>
struct TileProduct {
  const T* a;
  std::ptrdiff_t a_row, a_inner;
  const T* b;
  std::ptrdiff_t b_row;
  T* c;
  std::ptrdiff_t c_row;
  int rows, inner, columns;
  bool accumulate = false;
};

/// R rows and V lanes of columns of the result stay in registers.
template <class Lane, int R, int V, class T>
LACUNA_INLINE void product_block(const TileProduct<T>& p, int row, int column) {
  constexpr int w = simd::width<Lane>;
  Lane sum[R][V];
  T* c = p.c + row * p.c_row + column;
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < V; ++v) sum[r][v] = p.accumulate ? simd::load_lane<Lane>(c + r * p.c_row + v * w) : Lane{};
  const T* a = p.a + row * p.a_row;
  const T* b = p.b + column;
  for (int k = 0; k < p.inner; ++k) {
    Lane right[V];
    for (int v = 0; v < V; ++v) right[v] = simd::load_lane<Lane>(b + v * w);
    for (int r = 0; r < R; ++r) {
      const T left = a[r * p.a_row];
      for (int v = 0; v < V; ++v) sum[r][v] += left * right[v];
    }
    a += p.a_inner;
    b += p.b_row;
  }
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < V; ++v) simd::store_lane<Lane>(c + r * p.c_row + v * w, sum[r][v]);
}

template <class Lane, int R, class T>
LACUNA_INLINE void product_rows(const TileProduct<T>& p, int row) {
  constexpr int w = simd::width<Lane>;
  int column = 0;
  for (; column + 4 * w <= p.columns; column += 4 * w) product_block<Lane, R, 4>(p, row, column);
  for (; column + 2 * w <= p.columns; column += 2 * w) product_block<Lane, R, 2>(p, row, column);
  for (; column + w <= p.columns; column += w) product_block<Lane, R, 1>(p, row, column);
}

/// @brief Runs the product on this thread. Sixteen columns at once where their number is a multiple of sixteen, else one.
/// Determinism: every element is summed in the order of the inner index, in either version. Cost: 2 rows inner columns FLOPs.
template <class T>
void tile_product(const TileProduct<T>& product) {
  simd::run_lanes<T>(product.columns % simd::lanes == 0, [&product](auto lane) LACUNA_KERNEL {
    using Lane = decltype(lane);
    const TileProduct<T> p = product;
    int row = 0;
    for (; row + 4 <= p.rows; row += 4) product_rows<Lane, 4>(p, row);
    for (; row < p.rows; ++row) product_rows<Lane, 1>(p, row);
  });
}

/// @brief to (columns, rows) = factor * from (rows, columns); rows of `to` are `to_row` apart.
template <class T>
void transpose_tile(const T* from, std::ptrdiff_t from_row, T* to, std::ptrdiff_t to_row, int rows, int columns,
                    T factor = T(1)) {
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < columns; ++j) to[j * to_row + i] = factor * from[i * from_row + j];
}

}  // namespace lacuna::ops
