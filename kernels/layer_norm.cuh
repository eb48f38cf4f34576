#pragma once

#include <cstddef>

#include "lacuna/core/error.hpp"
#include "partial_sums.cuh"
#include "port.cuh"
#include "rms_norm_silu.cuh"
#include "vector.cuh"

namespace lacuna::kernels {

/// @brief Mean and 1 / deviation of a pixel's channels; lanes beyond the last channel count for nothing.
struct LayerNormMoments {
  float mean, inverse;

  template <class Layout>
  __device__ __forceinline__ static LayerNormMoments of(const NormRow<Layout>& x, int channels) {
    const auto count = static_cast<float>(channels);
    float sum = 0, squares = 0;
    for (int j = 0; j < Layout::chunks; ++j)
      for (unsigned k = 0; k < Layout::width; ++k) sum += x.v[j].v[k];
    const float mean = sum_over_lanes<Layout>(sum) / count;
    for (int j = 0; j < Layout::chunks; ++j)
      for (unsigned k = 0; k < Layout::width; ++k) {
        const float d = norm_channel<Layout>(j) + static_cast<int>(k) < channels ? x.v[j].v[k] - mean : 0.0f;
        squares += d * d;
      }
    return {mean, 1.0f / sqrtf(sum_over_lanes<Layout>(squares) / count + 1e-5f)};
  }
};

/// @brief y = (x - mean) / sqrt(var + 1e-5) gain over the channels of each pixel. Grid (runs, B).
///
/// Moves an element in and one out for each: 4 bytes of float, 2 of bfloat16; each of a block's `groups` groups of lanes reads
/// the gain (4 C bytes) once. NaN: propagates within its pixel.
template <int threads, class Layout>
__global__ void __launch_bounds__(threads) layer_norm_forward_kernel(Norm<typename Layout::S> norm) {
  const int c = norm.channels;
  const auto gain = load_gain<Layout>(norm);
  const bool wide = wide_rows<Layout>(norm);
  for_pixels<Layout>(norm, [&](std::size_t at, bool inside) {
    NormRow<Layout> row{};
    if (inside) row = load_row<Layout>(norm.x + at, c, wide);
    const auto m = LayerNormMoments::of<Layout>(row, c);
    if (!inside) return;
    for (int j = 0; j < Layout::chunks; ++j)
      for (unsigned k = 0; k < Layout::width; ++k) row.v[j].v[k] = (row.v[j].v[k] - m.mean) * m.inverse * gain.v[j].v[k];
    store_row<Layout>(norm.result + at, c, wide, row);
  });
}

/// @brief Gradient of x, and of a block's pixels the sums of grad_y u, u = (x - mean) / deviation. Grid (runs, B).
///
/// With h = grad_y gain: grad_x = (h - mean(h) - u mean(h u)) / deviation. Moments are computed anew. Moves two elements in and
/// one out for each; 4 C out per block; gain as forward.
/// One block per multiprocessor is enough to ask for, as in norm_backward_kernel.
template <int threads, class Layout>
__global__ void __launch_bounds__(threads, 1) layer_norm_backward_kernel(Norm<typename Layout::S> norm) {
  const int c = norm.channels;
  const auto gain = load_gain<Layout>(norm);
  const bool wide = wide_rows<Layout>(norm);
  NormRow<Layout> sums{};
  for_pixels<Layout>(norm, [&](std::size_t at, bool inside) {
    NormRow<Layout> u{}, h{};
    if (inside) {
      u = load_row<Layout>(norm.x + at, c, wide);
      h = load_row<Layout>(norm.other + at, c, wide);
    }
    const auto m = LayerNormMoments::of<Layout>(u, c);
    float sum_h = 0, sum_hu = 0;
    for (int j = 0; j < Layout::chunks; ++j)
      for (unsigned k = 0; k < Layout::width; ++k) {
        float &uk = u.v[j].v[k], &hk = h.v[j].v[k];
        uk = (uk - m.mean) * m.inverse;
        if (inside) sums.v[j].v[k] += hk * uk;
        hk *= gain.v[j].v[k];
        sum_h += hk;
        sum_hu += hk * uk;
      }
    const float mean_h = sum_over_lanes<Layout>(sum_h) / static_cast<float>(c),
                mean_hu = sum_over_lanes<Layout>(sum_hu) / static_cast<float>(c);
    if (!inside) return;
    for (int j = 0; j < Layout::chunks; ++j)
      for (unsigned k = 0; k < Layout::width; ++k) h.v[j].v[k] = (h.v[j].v[k] - mean_h - u.v[j].v[k] * mean_hu) * m.inverse;
    store_row<Layout>(norm.result + at, c, wide, h);
  });
  sum_over_groups<Layout>(
      sums, c, norm.sums + (static_cast<std::size_t>(blockIdx.y) * gridDim.x + blockIdx.x) * static_cast<std::size_t>(c));
}

/// @brief The layer norm of `norm.x`; of Norm it uses x, gain, other (the gradient of y), result, sums (B, runs, C) and sizes.
/// S: float or Bfloat16. Throws: ShapeError above 512 channels.
template <class S>
void layer_norm_forward(Stream stream, const Norm<S>& norm) {
  with_norm_layout<S>(norm.channels, [&](auto layout) {
    using Layout = decltype(layout);
    launch(stream, &layer_norm_forward_kernel<block_size, Layout>, forward_grid<Layout>(norm), block_size, 0, norm);
  });
}

/// @brief Gradient of x (overwritten) and of the gain (added to); norm_runs<S>() tells the blocks per sample that size `sums`.
template <class S>
void layer_norm_backward(Stream stream, const Norm<S>& norm, float* grad_gain) {
  const unsigned runs = norm_runs<S>(norm.pixels, norm.channels), batch = static_cast<unsigned>(norm.batch);
  with_norm_layout<S>(norm.channels, [&](auto layout) {
    launch(stream, &layer_norm_backward_kernel<block_size, decltype(layout)>, dim3(runs, batch), block_size, 0, norm);
  });
  add_partial_sums(stream, norm.sums, runs * batch, static_cast<std::size_t>(norm.channels), grad_gain);
}

}  // namespace lacuna::kernels
