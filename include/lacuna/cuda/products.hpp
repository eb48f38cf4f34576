#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "kernels/cast.cuh"
#include "kernels/partial_sums.cuh"
#include "lacuna/cuda/cublas.hpp"
#include "lacuna/cuda/graph.hpp"

namespace lacuna::cuda {

/// @brief A weight as products of images in S take it, for the length of a scope: itself, or for bfloat16 rounded at every call.
template <class S>
class WeightIn {
 public:
  WeightIn(Graph& graph, const float* weight, std::size_t size) : weight_(weight), rounded_(graph, narrow ? size : 0) {
    if constexpr (narrow)
      if (!graph.dry()) kernels::cast(stream_of(graph), weight, size, static_cast<S*>(rounded_));
  }
  operator const S*() const {
    if constexpr (narrow)
      return rounded_;
    else
      return weight_;
  }

 private:
  static constexpr bool narrow = !std::is_same_v<S, float>;
  const float* weight_;
  Workspace<S> rounded_;
};

/// @brief Enqueues a product of matrices in S, float or Bfloat16, into R: S, or float; or in a dry graph finds its plan.
template <class S, class R = S>
void multiply(Graph& graph, MatrixProduct product, const S* a, const S* b, std::type_identity_t<R>* c) {
  auto& blas = graph.device().library<CublasLt>();
  product.narrow = !std::is_same_v<S, float>;
  product.narrow_result = !std::is_same_v<R, float>;
  if (graph.dry()) return blas.plan(product);
  blas.run(product, a, b, c);
}

/// @brief sum (rows, columns) += a^T b of a (depth, rows) and b (depth, columns): the gradient of a layer's weight, whose rows
/// are `row` apart (0: they follow one another).
///
/// So small a result of so many terms would keep a few multiprocessors busy. So runs of the depth are multiplied side by side,
/// and what they give is added in their order. Sums are float, also of bfloat16: nothing is rounded.
template <class S>
void add_transposed_product(Graph& graph, const S* a, int rows, const S* b, int columns, std::size_t depth, float* sum,
                            int row = 0) {
  constexpr std::size_t least_run = 256, most_runs = 64, blocks = 256, tile = 64;
  const auto tiles = [](int n) { return (static_cast<std::size_t>(n) + tile - 1) / tile; };
  const std::size_t wanted = std::min(most_runs, blocks / std::min(blocks, tiles(rows) * tiles(columns)));
  const std::size_t runs = row > 0 && row != columns ? 1 : std::min(wanted, depth / least_run);
  MatrixProduct product{
      .rows = rows, .columns = columns, .depth = static_cast<int>(depth), .transpose_a = true, .add = true, .row_c = row};
  if (runs < 2) return multiply<S, float>(graph, product, a, b, sum);
  constexpr std::size_t aligned = 16 / sizeof(S);  // rows, whatever their length
  const std::size_t each = depth / runs / aligned * aligned, done = runs * each,
                    size = static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns);
  if (done < depth) {
    product.depth = static_cast<int>(depth - done);
    multiply<S, float>(graph, product, a + done * static_cast<std::size_t>(rows), b + done * static_cast<std::size_t>(columns),
                       sum);
  }
  const Workspace<float> partial(graph, runs * size);
  product = {.rows = rows,
             .columns = columns,
             .depth = static_cast<int>(each),
             .transpose_a = true,
             .unaligned = size % 4 != 0,
             .batch = static_cast<int>(runs),
             .apart_a = static_cast<std::int64_t>(each) * rows,
             .apart_b = static_cast<std::int64_t>(each) * columns,
             .apart_c = static_cast<std::int64_t>(size)};
  multiply<S, float>(graph, product, a, b, partial);
  if (!graph.dry()) kernels::add_partial_sums(stream_of(graph), partial, static_cast<unsigned>(runs), size, sum);
}

}  // namespace lacuna::cuda
