#pragma once

#include <cstddef>

#include "lacuna/ops/activation_functions.hpp"
#include "port.cuh"
#include "vector.cuh"

namespace lacuna::kernels {

/// @brief y = f(x + bias) + residual over (cells, C), the bias by channel. In place: y may be x or residual.
///
/// bias and residual may be null; the bias is float, and so is what is computed. Moves n elements' bytes in (2 n with a
/// residual) and n out: 4 n each of float, 2 n of bfloat16; a bias is 4 n bytes more, from cache.
template <int threads, class Function, class S>
__global__ void __launch_bounds__(threads)
    epilogue_kernel(const S* x, const float* __restrict__ bias, const S* residual, std::size_t n, unsigned channels, S* y) {
  constexpr unsigned size = chunk_of<S>;
  const bool wide =
      channels % size == 0 && aligned<size>(x) && aligned<size>(bias) && aligned<size>(residual) && aligned<size>(y);
  for_chunks<size>(n, wide, [&](auto chunk) {
    auto v = load(x, chunk);
    Values<float, size> b{}, r{};
    const auto first = static_cast<unsigned>(chunk.begin % channels);
    if (bias != nullptr) {
      if constexpr (decltype(chunk)::whole) {
        b = load(bias, WholeChunkOf<size>{first});
      } else {
        for (int k = 0; k < static_cast<int>(size); ++k)
          b.v[k] = k < chunk.count ? bias[(first + static_cast<unsigned>(k)) % channels] : 0.0f;
      }
    }
    if (residual != nullptr) r = load(residual, chunk);
    for (unsigned k = 0; k < size; ++k) v.v[k] = Function::value(v.v[k] + b.v[k]) + r.v[k];
    store(y, chunk, v);
  });
}

/// @brief What follows a convolution or a matrix product; Function: ops::Identity, ops::Silu or ops::Gelu. S: float or
/// Bfloat16.
template <class Function, class S>
void epilogue(Stream stream, const S* x, const float* bias, const S* residual, std::size_t cells, int channels, S* y) {
  const std::size_t n = cells * static_cast<std::size_t>(channels);
  launch(stream, &epilogue_kernel<block_size, Function, S>, blocks_for<chunk_of<S>>(n), block_size, 0, x, bias, residual, n,
         channels, y);
}

}  // namespace lacuna::kernels
