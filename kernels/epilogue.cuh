#pragma once

#include <cstddef>
#include <type_traits>

#include "lacuna/ops/activation_functions.hpp"
#include "port.cuh"
#include "vector.cuh"

namespace lacuna::kernels {

/// @brief y = f(x + bias) + residual over (cells, C), the bias by channel. In place: y may be x.
///
/// bias and residual may be null. Moves 4 n bytes in (8 n with a residual) and 4 n out; a bias is 4 n more, from cache.
template <int threads, class Function>
__global__ void __launch_bounds__(threads)
    epilogue_kernel(const float* x, const float* __restrict__ bias, const float* __restrict__ residual, std::size_t n,
                    unsigned channels, float* y) {
  const bool wide = channels % chunk_size == 0 && aligned(x) && aligned(bias) && aligned(residual) && aligned(y);
  for_chunks(n, wide, [&](auto chunk) {
    auto v = load(x, chunk);
    Four<float> b{}, r{};
    const auto first = static_cast<unsigned>(chunk.begin % channels);
    if (bias != nullptr) {
      if constexpr (std::is_same_v<decltype(chunk), WholeChunk>) {
        b = load(bias, WholeChunk{first});
      } else {
        for (int k = 0; k < 4; ++k) b.v[k] = k < chunk.count ? bias[(first + static_cast<unsigned>(k)) % channels] : 0.0f;
      }
    }
    if (residual != nullptr) r = load(residual, chunk);
    for (int k = 0; k < 4; ++k) v.v[k] = Function::value(v.v[k] + b.v[k]) + r.v[k];
    store(y, chunk, v);
  });
}

/// @brief What follows a convolution or a matrix product; Function: ops::Identity, ops::Silu or ops::Gelu.
template <class Function>
void epilogue(Stream stream, const float* x, const float* bias, const float* residual, std::size_t cells, int channels,
              float* y) {
  const std::size_t n = cells * static_cast<std::size_t>(channels);
  launch(stream, &epilogue_kernel<block_size, Function>, blocks_for(n), block_size, 0, x, bias, residual, n, channels, y);
}

}  // namespace lacuna::kernels
