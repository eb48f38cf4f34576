#pragma once

#include <cstddef>

#include "partial_sums.cuh"
#include "port.cuh"
#include "rms_norm_silu.cuh"
#include "vector.cuh"

namespace lacuna::kernels {

/// @brief result += gain x, one gate (`gain`) a channel, of Norm's operands. Grid (runs, B).
///
/// Moves two elements in and one out for each: 4 bytes of float, 2 of bfloat16; each of a block's `groups` groups of lanes reads
/// the gates (4 C bytes) once. NaN: propagates within its element.
template <int threads, class Layout>
__global__ void __launch_bounds__(threads) gated_add_kernel(Norm<typename Layout::S> norm) {
  const int c = norm.channels;
  const auto gate = load_gain<Layout>(norm);
  const bool wide = wide_rows<Layout>(norm);
  for_pixels<Layout>(norm, [&](std::size_t at, bool inside) {
    if (!inside) return;
    const auto x = load_row<Layout>(norm.x + at, c, wide);
    auto sum = load_row<Layout>(norm.result + at, c, wide);
    for (int j = 0; j < Layout::chunks; ++j)
      for (unsigned k = 0; k < Layout::width; ++k) sum.v[j].v[k] += gate.v[j].v[k] * x.v[j].v[k];
    store_row<Layout>(norm.result + at, c, wide, sum);
  });
}

/// @brief Gradient of x, gain other, overwritten or added to, and of a block's pixels the sums of x other. Grid (runs, B).
///
/// Moves two elements in (three where added to) and one out for each; 4 C out per block; gates as forward.
template <int threads, class Layout, bool added>
__global__ void __launch_bounds__(threads) gated_add_backward_kernel(Norm<typename Layout::S> norm) {
  const int c = norm.channels;
  const auto gate = load_gain<Layout>(norm);
  const bool wide = wide_rows<Layout>(norm);
  NormRow<Layout> sums{};
  for_pixels<Layout>(norm, [&](std::size_t at, bool inside) {
    if (!inside) return;
    const auto x = load_row<Layout>(norm.x + at, c, wide), grad = load_row<Layout>(norm.other + at, c, wide);
    NormRow<Layout> grad_x{};
    if constexpr (added) grad_x = load_row<Layout>(norm.result + at, c, wide);
    for (int j = 0; j < Layout::chunks; ++j)
      for (unsigned k = 0; k < Layout::width; ++k) {
        grad_x.v[j].v[k] += gate.v[j].v[k] * grad.v[j].v[k];
        sums.v[j].v[k] += x.v[j].v[k] * grad.v[j].v[k];
      }
    store_row<Layout>(norm.result + at, c, wide, grad_x);
  });
  sum_over_groups<Layout>(
      sums, c, norm.sums + (static_cast<std::size_t>(blockIdx.y) * gridDim.x + blockIdx.x) * static_cast<std::size_t>(c));
}

/// @brief norm.result += norm.gain norm.x. S: float or Bfloat16. Throws: ShapeError above 512 channels.
template <class S>
void gated_add(Stream stream, const Norm<S>& norm) {
  with_norm_layout<S>(norm.channels, [&](auto layout) {
    using Layout = decltype(layout);
    launch(stream, &gated_add_kernel<block_size, Layout>, forward_grid<Layout>(norm), block_size, 0, norm);
  });
}

/// @brief Gradients of x into norm.result (overwritten, or `added` to) and of the gates (added to), of the gradient of the sum in
/// norm.other, which passes through. norm.sums: (B, norm_runs<S>(), C).
template <class S>
void gated_add_backward(Stream stream, const Norm<S>& norm, bool added, float* grad_gate) {
  const unsigned runs = norm_runs<S>(norm.pixels, norm.channels), batch = static_cast<unsigned>(norm.batch);
  with_norm_layout<S>(norm.channels, [&](auto layout) {
    using Layout = decltype(layout);
    const auto kernel =
        added ? &gated_add_backward_kernel<block_size, Layout, true> : &gated_add_backward_kernel<block_size, Layout, false>;
    launch(stream, kernel, dim3(runs, batch), block_size, 0, norm);
  });
  add_partial_sums(stream, norm.sums, runs * batch, static_cast<std::size_t>(norm.channels), grad_gate);
}

}  // namespace lacuna::kernels
