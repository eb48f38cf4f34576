#pragma once

#include <cstddef>

#include "lacuna/ops/activation_functions.hpp"
#include "port.cuh"
#include "vector.cuh"

namespace lacuna::kernels {

/// @brief y = f(x), element by element. In place: y may be x.
///
/// NaN: stays within its element. Moves n elements' bytes in and n out.
template <int threads, class Function, class S>
__global__ void __launch_bounds__(threads) activation_kernel(const S* x, std::size_t n, S* y) {
  constexpr unsigned size = chunk_of<S>;
  for_chunks<size>(n, aligned<size>(x) && aligned<size>(y), [&](auto chunk) {
    auto v = load(x, chunk);
    for (unsigned k = 0; k < size; ++k) v.v[k] = Function::value(v.v[k]);
    store(y, chunk, v);
  });
}

/// @brief grad_x = f'(x) grad_y. In place: grad_x may be grad_y.
///
/// NaN: stays within its element. Moves 2 n elements' bytes in and n out.
template <int threads, class Function, class S>
__global__ void __launch_bounds__(threads)
    activation_gradient_kernel(const S* __restrict__ x, const S* grad_y, std::size_t n, S* grad_x) {
  constexpr unsigned size = chunk_of<S>;
  for_chunks<size>(n, aligned<size>(x) && aligned<size>(grad_y) && aligned<size>(grad_x), [&](auto chunk) {
    const auto v = load(x, chunk);
    auto g = load(grad_y, chunk);
    for (unsigned k = 0; k < size; ++k) g.v[k] *= Function::derivative(v.v[k]);
    store(grad_x, chunk, g);
  });
}

/// @brief An activation on its own; Function: ops::Silu or ops::Gelu. S: float or Bfloat16. Where a bias or a residual is near,
/// see epilogue().
template <class Function, class S>
void activation(Stream stream, const S* x, std::size_t n, S* y) {
  launch(stream, &activation_kernel<block_size, Function, S>, blocks_for<chunk_of<S>>(n), block_size, 0, x, n, y);
}
template <class Function, class S>
void activation_gradient(Stream stream, const S* x, const S* grad_y, std::size_t n, S* grad_x) {
  launch(stream, &activation_gradient_kernel<block_size, Function, S>, blocks_for<chunk_of<S>>(n), block_size, 0, x, grad_y, n,
         grad_x);
}

}  // namespace lacuna::kernels
