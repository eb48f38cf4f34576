#pragma once

#include <cstddef>

#include "port.cuh"
#include "vector.cuh"

namespace lacuna::kernels {

/// Side of the square of elements that a block turns over at a time.
inline constexpr unsigned filter_tile = 32;

/// @brief to (inner, taps, outer) = from (outer, taps, inner), or += it. Grid (tiles of inner, tiles of outer, taps).
///
/// A tile goes through shared memory, so that both sides are read and written along their rows; its rows are one element
/// longer than they need to be, which spreads a column over the banks. Moves 4 n bytes in, 8 n if it adds, and 4 n out.
template <int threads, bool adds>
__global__ void __launch_bounds__(threads)
    filter_layout_kernel(const float* __restrict__ from, unsigned outer, unsigned inner, float* __restrict__ to) {
  constexpr unsigned rows = threads / filter_tile;
  LACUNA_SHARED(float, tile, [filter_tile][filter_tile + 1]);
  const unsigned column = threadIdx.x % filter_tile, row = threadIdx.x / filter_tile, first_inner = blockIdx.x * filter_tile,
                 first_outer = blockIdx.y * filter_tile;
  const std::size_t taps = gridDim.z, tap = blockIdx.z;
  for (unsigned r = row; r < filter_tile; r += rows) {
    const unsigned o = first_outer + r, i = first_inner + column;
    if (o < outer && i < inner) tile[r][column] = from[(o * taps + tap) * inner + i];
  }
  __syncthreads();
  for (unsigned r = row; r < filter_tile; r += rows) {
    const unsigned i = first_inner + r, o = first_outer + column;
    if (o >= outer || i >= inner) continue;
    float& at = to[(i * taps + tap) * outer + o];
    at = adds ? at + tile[column][r] : tile[column][r];
  }
}

template <bool adds>
void launch_filter_layout(Stream stream, const float* from, int outer, int taps, int inner, float* to) {
  const auto tiles = [](int n) { return (static_cast<unsigned>(n) + filter_tile - 1) / filter_tile; };
  launch(stream, &filter_layout_kernel<block_size, adds>, dim3(tiles(inner), tiles(outer), static_cast<unsigned>(taps)),
         block_size, 0, from, static_cast<unsigned>(outer), static_cast<unsigned>(inner), to);
}

/// @brief A convolution's weight (out, kH, kW, in) as (in, kH, kW, out): the layout of its transpose. taps = kH kW.
///
/// NaN: copied.
inline void reorder_filter(Stream stream, const float* weight, int out, int taps, int in, float* reordered) {
  launch_filter_layout<false>(stream, weight, out, taps, in, reordered);
}
/// @brief gradient (out, kH, kW, in) += the gradient of the reordered weight (in, kH, kW, out).
inline void add_reordered_filter(Stream stream, const float* reordered, int out, int taps, int in, float* gradient) {
  launch_filter_layout<true>(stream, reordered, in, taps, out, gradient);
}

}  // namespace lacuna::kernels
