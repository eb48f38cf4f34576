#pragma once

#include <cstddef>

#include "lacuna/core/error.hpp"
#include "lacuna/ops/activation_functions.hpp"
#include "port.cuh"
#include "vector.cuh"

namespace lacuna::kernels {

/// @brief Operands of the fused norm: samples of `pixels` positions with `channels` contiguous channels. Images are float or
/// Bfloat16; what belongs to channels, and all that is computed, is float.
template <class S>
struct Norm {
  const S* x;                ///< (B, pixels, C)
  const float* gain;         ///< (C)
  const float* scale_shift;  ///< (B, 2 C), scale first, or null
  const S* other;            ///< forward: residual (B, pixels, C) or null; backward: gradient of y
  S* result;                 ///< forward: y; backward: gradient of x
  float* sums;               ///< backward: (B, runs, 2 C), sums of grad_v m and of grad_v, m = x / |x|; forward: null
  std::size_t pixels;
  int batch, channels;
};

/// @brief How a warp is dealt to pixels: `lanes` lanes hold a pixel, `chunks` times 16 bytes of channels (`width`) each.
template <class S_, int lanes_, int chunks_>
struct NormLayout {
  using S = S_;
  static constexpr unsigned width = chunk_of<S>;
  static constexpr int lanes = lanes_, chunks = chunks_, groups = block_size / lanes_,
                       max_channels = static_cast<int>(width) * lanes_ * chunks_;
  static constexpr std::size_t pixels_per_group = 8, max_runs = 64;

  /// Blocks per sample where each leaves partial sums, by its size alone: they add up in one order on every GPU, and are few.
  static unsigned runs(std::size_t pixels) {
    const std::size_t each = groups * pixels_per_group, runs = (pixels + each - 1) / each;
    return static_cast<unsigned>(runs < 1 ? 1 : runs < max_runs ? runs : max_runs);
  }
  /// Blocks per sample where none does: as many as there is work for, up to a GPU full of all samples' blocks.
  static unsigned forward_runs(std::size_t pixels, int batch) {
    const std::size_t runs = (pixels + groups - 1) / groups, share = max_blocks / static_cast<std::size_t>(batch),
                      most = share < 1 ? 1 : share;
    return static_cast<unsigned>(runs < 1 ? 1 : runs < most ? runs : most);
  }
};

/// @brief Calls visit(layout) with the layout for this many channels of S. Throws: ShapeError above 512.
template <class S, class Visit>
auto with_norm_layout(int channels, const Visit& visit) {
  require<ShapeError>(channels >= 1 && channels <= 512, "rms_norm_silu: x has ", channels, " channels, expected 1 to 512");
  constexpr int lanes = 16 / static_cast<int>(chunk_of<S>);  // of 16 channels
  if (channels <= 16) return visit(NormLayout<S, lanes, 1>{});
  if (channels <= 32) return visit(NormLayout<S, 2 * lanes, 1>{});
  if (channels <= 64) return visit(NormLayout<S, 4 * lanes, 1>{});
  if (channels <= 128) return visit(NormLayout<S, 8 * lanes, 1>{});
  if (channels <= 256) return visit(NormLayout<S, 32, 256 / 32 / static_cast<int>(chunk_of<S>)>{});
  return visit(NormLayout<S, 32, 512 / 32 / static_cast<int>(chunk_of<S>)>{});
}

/// The lane's share of a row of channels.
template <class Layout>
struct NormRow {
  Values<float, Layout::width> v[Layout::chunks];
};

template <class Layout>
__device__ __forceinline__ int norm_channel(int chunk) {
  return (chunk * Layout::lanes + static_cast<int>(threadIdx.x) % Layout::lanes) * static_cast<int>(Layout::width);
}

/// @brief Calls visit(j, chunk) for the lane's channels: whole chunks only if `wide`, for which the channels must fill them.
template <class Layout, class Visit>
__device__ __forceinline__ void for_channels(int channels, bool wide, const Visit& visit) {
  constexpr int width = static_cast<int>(Layout::width);
  LACUNA_UNROLL
  for (int j = 0; j < Layout::chunks; ++j) {
    const int begin = norm_channel<Layout>(j), left = channels - begin;
    if (wide && left >= width)
      visit(j, WholeChunkOf<Layout::width>{static_cast<std::size_t>(begin)});
    else
      visit(j, PartChunkOf<Layout::width>{static_cast<std::size_t>(begin), left < 0 ? 0 : left < width ? left : width});
  }
}

template <class Layout, class T>
__device__ __forceinline__ NormRow<Layout> load_row(const T* p, int channels, bool wide) {
  NormRow<Layout> row;
  for_channels<Layout>(channels, wide, [&](int j, auto chunk) { row.v[j] = load(p, chunk); });
  return row;
}
template <class Layout>
__device__ __forceinline__ void store_row(typename Layout::S* p, int channels, bool wide, const NormRow<Layout>& row) {
  for_channels<Layout>(channels, wide, [&](int j, auto chunk) { store(p, chunk, row.v[j]); });
}
template <class Layout>
__device__ __forceinline__ NormRow<Layout> load_gain(const Norm<typename Layout::S>& norm) {
  return load_row<Layout>(norm.gain, norm.channels,
                          norm.channels % static_cast<int>(Layout::width) == 0 && aligned<Layout::width>(norm.gain));
}
/// @brief Whether rows of the norm's images allow whole chunks.
template <class Layout>
__device__ __forceinline__ bool wide_rows(const Norm<typename Layout::S>& norm) {
  constexpr unsigned width = Layout::width;
  return norm.channels % static_cast<int>(width) == 0 && aligned<width>(norm.x) && aligned<width>(norm.other) &&
         aligned<width>(norm.result);
}

/// @brief Sum over the lanes of a pixel, in each of them. Every lane of the warp must call it.
template <class Layout>
__device__ __forceinline__ float sum_over_lanes(float value) {
  LACUNA_UNROLL
  for (int other = Layout::lanes / 2; other > 0; other /= 2) value += __shfl_xor_sync(0xffffffffu, value, other);
  return value;
}

/// @brief factor = sqrt(C) gain (1 + scale) and shift of the sample that the block works on: v = m factor + shift.
template <class Layout>
__device__ __forceinline__ void load_modulation(const Norm<typename Layout::S>& norm, NormRow<Layout>& factor,
                                                NormRow<Layout>& shift) {
  const int c = norm.channels;
  const float root = sqrtf(static_cast<float>(c));
  const bool wide =
      c % static_cast<int>(Layout::width) == 0 && aligned<Layout::width>(norm.gain) && aligned<Layout::width>(norm.scale_shift);
  factor = load_row<Layout>(norm.gain, c, wide);
  shift = {};
  NormRow<Layout> scale{};
  if (norm.scale_shift != nullptr) {
    const float* own = norm.scale_shift + static_cast<std::size_t>(blockIdx.y) * 2 * static_cast<std::size_t>(c);
    scale = load_row<Layout>(own, c, wide);
    shift = load_row<Layout>(own + c, c, wide);
  }
  for (int j = 0; j < Layout::chunks; ++j)
    for (unsigned k = 0; k < Layout::width; ++k) factor.v[j].v[k] *= root * (scale.v[j].v[k] + 1.0f);
}

/// @brief 1 / max(|x|, 1e-12) over the pixel's channels.
template <class Layout>
__device__ __forceinline__ float inverse_norm(const NormRow<Layout>& x) {
  float squares = 0;
  for (int j = 0; j < Layout::chunks; ++j)
    for (unsigned k = 0; k < Layout::width; ++k) squares += x.v[j].v[k] * x.v[j].v[k];
  const float norm = sqrtf(sum_over_lanes<Layout>(squares));
  return 1.0f / (norm < 1e-12f ? 1e-12f : norm);
}

/// @brief Calls visit(row offset, inside) for the group's pixels; all groups of the block take the same number of turns.
template <class Layout, class Visit>
__device__ __forceinline__ void for_pixels(const Norm<typename Layout::S>& norm, const Visit& visit) {
  const std::size_t group = threadIdx.x / Layout::lanes, first = static_cast<std::size_t>(blockIdx.y) * norm.pixels;
  for (std::size_t base = static_cast<std::size_t>(blockIdx.x) * Layout::groups; base < norm.pixels;
       base += static_cast<std::size_t>(gridDim.x) * Layout::groups) {
    const std::size_t pixel = base + group;
    visit((first + pixel) * static_cast<std::size_t>(norm.channels), pixel < norm.pixels);
  }
}

/// @brief y = silu(m factor + shift) (+ residual). Grid (runs, B).
///
/// Moves an element in (two with a residual) and one out for each: 4 bytes of float, 2 of bfloat16; each of a block's `groups`
/// groups of lanes reads the gain (4 C bytes) and, if given, scale and shift (8 C) once, from cache.
template <int threads, class Layout>
__global__ void __launch_bounds__(threads) norm_forward_kernel(Norm<typename Layout::S> norm) {
  const int c = norm.channels;
  NormRow<Layout> factor, shift;
  load_modulation<Layout>(norm, factor, shift);
  const bool wide = wide_rows<Layout>(norm);
  for_pixels<Layout>(norm, [&](std::size_t at, bool inside) {
    NormRow<Layout> row{};
    if (inside) row = load_row<Layout>(norm.x + at, c, wide);
    const float inverse = inverse_norm<Layout>(row);
    if (!inside) return;
    NormRow<Layout> residual{};
    if (norm.other != nullptr) residual = load_row<Layout>(norm.other + at, c, wide);
    for (int j = 0; j < Layout::chunks; ++j)
      for (unsigned k = 0; k < Layout::width; ++k) {
        const float v = row.v[j].v[k] * inverse * factor.v[j].v[k] + shift.v[j].v[k];
        row.v[j].v[k] = ops::Silu::value(v) + residual.v[j].v[k];
      }
    store_row<Layout>(norm.result + at, c, wide, row);
  });
}

/// @brief Adds a lane's sums over the block's groups, in order, and writes them to `out` (C). Every thread must call it.
template <class Layout>
__device__ __forceinline__ void sum_over_groups(const NormRow<Layout>& own, int channels, float* out) {
  LACUNA_SHARED(float, partial, [Layout::groups][Layout::max_channels]);
  __syncthreads();  // an earlier call may still read
  for (int j = 0; j < Layout::chunks; ++j)
    for (unsigned k = 0; k < Layout::width; ++k)
      partial[threadIdx.x / Layout::lanes][static_cast<unsigned>(norm_channel<Layout>(j)) + k] = own.v[j].v[k];
  __syncthreads();
  for (int channel = static_cast<int>(threadIdx.x); channel < channels; channel += static_cast<int>(block_size)) {
    float sum = 0;
    for (int group = 0; group < Layout::groups; ++group) sum += partial[group][channel];
    out[channel] = sum;
  }
}

/// @brief Gradient of x, and of a block's pixels the sums that give the gradients of gain, scale and shift. Grid (runs, B).
///
/// Nothing normalised was stored: it is computed anew. Moves two elements in and one out for each; 8 C out per block; gain,
/// scale and shift as forward.
/// One block per multiprocessor is enough to ask for: with more, 512 channels spill on sm_100.
template <int threads, class Layout>
__global__ void __launch_bounds__(threads, 1) norm_backward_kernel(Norm<typename Layout::S> norm) {
  const int c = norm.channels;
  NormRow<Layout> factor, shift, sum_m{}, sum{};
  load_modulation<Layout>(norm, factor, shift);
  const bool wide = wide_rows<Layout>(norm);
  for_pixels<Layout>(norm, [&](std::size_t at, bool inside) {
    NormRow<Layout> m{}, h{};
    if (inside) {
      m = load_row<Layout>(norm.x + at, c, wide);
      h = load_row<Layout>(norm.other + at, c, wide);
    }
    const float inverse = inverse_norm<Layout>(m);
    float dot = 0;
    for (int j = 0; j < Layout::chunks; ++j)
      for (unsigned k = 0; k < Layout::width; ++k) {
        float &mk = m.v[j].v[k], &hk = h.v[j].v[k];
        mk *= inverse;
        const float grad_v = hk * ops::Silu::derivative(mk * factor.v[j].v[k] + shift.v[j].v[k]);
        sum_m.v[j].v[k] += grad_v * mk;
        sum.v[j].v[k] += grad_v;
        hk = grad_v * factor.v[j].v[k];
        dot += hk * mk;
      }
    dot = sum_over_lanes<Layout>(dot);
    if (!inside) return;
    for (int j = 0; j < Layout::chunks; ++j)
      for (unsigned k = 0; k < Layout::width; ++k) h.v[j].v[k] = inverse * (h.v[j].v[k] - m.v[j].v[k] * dot);
    store_row<Layout>(norm.result + at, c, wide, h);
  });
  float* out = norm.sums + (static_cast<std::size_t>(blockIdx.y) * gridDim.x + blockIdx.x) * 2 * static_cast<std::size_t>(c);
  sum_over_groups<Layout>(sum_m, c, out);
  sum_over_groups<Layout>(sum, c, out + c);
}

template <class Layout>
dim3 forward_grid(const Norm<typename Layout::S>& norm) {
  return {Layout::forward_runs(norm.pixels, norm.batch), static_cast<unsigned>(norm.batch)};
}

/// @brief Launches the forward pass.
template <class S>
void norm_forward(Stream stream, const Norm<S>& norm) {
  with_norm_layout<S>(norm.channels, [&](auto layout) {
    using Layout = decltype(layout);
    launch(stream, &norm_forward_kernel<block_size, Layout>, forward_grid<Layout>(norm), block_size, 0, norm);
  });
}

/// @brief Launches the backward pass; norm_parameters() must follow.
template <class S>
void norm_backward(Stream stream, const Norm<S>& norm) {
  with_norm_layout<S>(norm.channels, [&](auto layout) {
    using Layout = decltype(layout);
    launch(stream, &norm_backward_kernel<block_size, Layout>, dim3(Layout::runs(norm.pixels), static_cast<unsigned>(norm.batch)),
           block_size, 0, norm);
  });
}

/// @brief Blocks per sample of the backward pass, by which the size of `sums` is known.
template <class S>
unsigned norm_runs(std::size_t pixels, int channels) {
  return with_norm_layout<S>(channels, [&](auto layout) { return decltype(layout)::runs(pixels); });
}

}  // namespace lacuna::kernels
