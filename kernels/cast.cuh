#pragma once

#include <cstddef>

#include "port.cuh"
#include "vector.cuh"

namespace lacuna::kernels {

/// @brief to = from in the other scalar type: float or bfloat16, rounded as lacuna::Bfloat16 rounds.
///
/// NaN: stays NaN. Moves 4 or 2 n bytes in and 2 or 4 n out.
template <int threads, class From, class To>
__global__ void __launch_bounds__(threads) cast_kernel(const From* __restrict__ from, std::size_t n, To* __restrict__ to) {
  constexpr unsigned size = chunk_of<Bfloat16>;
  for_chunks<size>(n, aligned<size>(from) && aligned<size>(to), [&](auto chunk) { store(to, chunk, load(from, chunk)); });
}

/// @brief Converts an array; the meaning of ops::convert, bit for bit.
template <class From, class To>
void cast(Stream stream, const From* from, std::size_t n, To* to) {
  launch(stream, &cast_kernel<block_size, From, To>, blocks_for<chunk_of<Bfloat16>>(n), block_size, 0, from, n, to);
}

}  // namespace lacuna::kernels
