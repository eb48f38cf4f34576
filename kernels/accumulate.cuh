#pragma once

#include <cstddef>

#include "port.cuh"
#include "vector.cuh"

namespace lacuna::kernels {

/// @brief sum += gradient, element by element; bfloat16 is added in float and rounded.
///
/// Moves 2 n elements' bytes in, n elements' out: 8 and 4 n of float, 4 and 2 n of bfloat16.
template <int threads, class S>
__global__ void __launch_bounds__(threads) accumulate_kernel(S* sum, const S* __restrict__ gradient, std::size_t n) {
  constexpr unsigned size = chunk_of<S>;
  for_chunks<size>(n, aligned<size>(sum) && aligned<size>(gradient), [&](auto chunk) {
    auto s = load(sum, chunk);
    const auto g = load(gradient, chunk);
    for (unsigned k = 0; k < size; ++k) s.v[k] += g.v[k];
    store(sum, chunk, s);
  });
}

/// @brief Adds a gradient to what a variable has; the meaning of add_gradient, bit for bit. S: float or Bfloat16.
template <class S>
void accumulate(Stream stream, S* sum, const S* gradient, std::size_t n) {
  launch(stream, &accumulate_kernel<block_size, S>, blocks_for<chunk_of<S>>(n), block_size, 0, sum, gradient, n);
}

}  // namespace lacuna::kernels
