#pragma once

#include <cstddef>

#include "lacuna/core/lanes.hpp"
#include "lacuna/ops/panel_product.hpp"

namespace lacuna::ops {

/// @brief A product of small matrices that lie in cache, as attention writes it: c = a b, or c += a b.
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

/// @brief Runs the product on this thread, as panel_product().
template <class T>
void tile_product(const TileProduct<T>& p) {
  panel_product(Strided<const T>{p.a, p.a_row, p.a_inner}, Strided<const T>{p.b, p.b_row}, Strided<T>{p.c, p.c_row},
                {p.rows, p.columns, p.inner}, p.accumulate ? Into::added : Into::overwritten);
}

/// @brief to (columns, rows) = factor * from (rows, columns); rows of `to` are `to_row` apart.
template <class T>
void transpose_tile(const T* from, std::ptrdiff_t from_row, T* to, std::ptrdiff_t to_row, int rows, int columns,
                    T factor = T(1)) {
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < columns; ++j) to[j * to_row + i] = factor * from[i * from_row + j];
}

}  // namespace lacuna::ops
