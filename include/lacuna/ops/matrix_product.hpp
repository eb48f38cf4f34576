#pragma once

#include <Eigen/Core>
#include <algorithm>

namespace lacuna::ops {

/// @brief Extents of the tiles that add_product() takes one after another: rows and columns of c, and terms of a sum.
template <class T>
struct PackedTile {
  static constexpr int depth = 256, side = (128 << 10) / static_cast<int>(sizeof(T)) / depth;
};

/// @brief c += a b for Eigen expressions, in tiles for which Eigen's packed copies of a and b stay on the stack.
///
/// Eigen packs up to EIGEN_STACK_ALLOCATION_LIMIT (128 KiB) of each operand on the stack and beyond that on the heap, where every
/// product of a step would allocate. Determinism: tiles depend on the extents alone. Cost: 2 m n k FLOPs; with tiles of 128 x 256
/// floats each packed element serves 128 multiplications.
template <class A, class B, class C>
void add_product(const A& a, const B& b, C&& c) {
  using Eigen::Index;
  using Tile = PackedTile<typename A::Scalar>;
  constexpr Index side = Tile::side, depth = Tile::depth;
  for (Index i = 0; i < c.rows(); i += side)
    for (Index j = 0; j < c.cols(); j += side)
      for (Index k = 0; k < a.cols(); k += depth) {
        const Index m = std::min(side, c.rows() - i), n = std::min(side, c.cols() - j), d = std::min(depth, a.cols() - k);
        c.block(i, j, m, n).noalias() += a.block(i, k, m, d) * b.block(k, j, d, n);
      }
}

/// @brief c = a b, as add_product().
template <class A, class B, class C>
void set_product(const A& a, const B& b, C&& c) {
  c.setZero();
  add_product(a, b, c);
}

}  // namespace lacuna::ops
