#pragma once

// What single networks launch: attention, spectra, the diffusion time, filters.

#include "benchmarks/kernels/row.hpp"
#include "kernels/filter_layout.cuh"
#include "kernels/linear_attention.cuh"
#include "kernels/spatial_attention.cuh"
#include "kernels/spectral_band.cuh"
#include "kernels/spectral_mixing.cuh"
#include "kernels/temporal_attention.cuh"
#include "kernels/time_embedding.cuh"

namespace lacuna::bench {

/// Over 16 frames of each pixel, 4 heads of 32 features.
inline void add_temporal_attention(std::vector<Row>& rows, int side) {
  constexpr int frames = 16, heads = 4, features = 32;
  const std::size_t pixels = static_cast<std::size_t>(side) * static_cast<std::size_t>(side),
                    n = pixels * frames * heads * features;
  const auto operands = [pixels](const auto& a) {
    return kernels::TemporalAttention<float>{.qkv = a[0],
                                             .cosine = a[1],
                                             .sine = a[2],
                                             .bias = a[3],
                                             .grad_o = nullptr,
                                             .result = a[4],
                                             .sums = nullptr,
                                             .pixels = pixels,
                                             .batch = 1,
                                             .frames = frames,
                                             .heads = heads,
                                             .features = features};
  };
  constexpr std::size_t angles = frames * features / 2, biases = 32 * heads;
  const std::size_t sums = kernels::temporal_attention_sums(operands(std::vector<float*>(5)));
  rows.push_back(over_arrays(
      text("temporal attention, ", side, " x ", side), {"temporal_forward_kernel"}, 16 * n, {3 * n, angles, angles, biases, n},
      [operands](cudaStream_t s, const auto& a) { kernels::temporal_attention_forward<float>(s, operands(a)); }));
  rows.push_back(over_arrays(text("temporal attention, gradient, ", side, " x ", side), {"temporal_backward_kernel"}, 28 * n,
                             {3 * n, angles, angles, biases, 3 * n, n, sums, biases}, [operands](cudaStream_t s, const auto& a) {
                               auto t = operands(a);
                               t.grad_o = a[5];
                               t.sums = a[6];
                               kernels::temporal_attention_backward<float>(s, t, a[7]);
                             }));
}

/// Over the positions of 16 images, 4 heads of 32 features.
inline void add_position_attention(std::vector<Row>& rows, int side) {
  constexpr std::size_t images = 16, heads = 4, features = 32;
  const int positions = side * side;
  const std::size_t all = images * static_cast<std::size_t>(positions), n = all * heads * features;
  const auto operands = [positions](const auto& a, bool backward) {
    return kernels::PositionAttention<float>{.qkv = a[0],
                                             .grad_o = backward ? a[2] : nullptr,
                                             .o = a[1],
                                             .grad_qkv = backward ? a[3] : nullptr,
                                             .images = images,
                                             .positions = positions,
                                             .heads = heads,
                                             .features = features};
  };
  const std::vector<float*> none(4);
  const auto plan = kernels::LinearAttentionPlan::of(operands(none, true));
  const std::size_t states = images * heads * features * (features + 2);
  rows.push_back(over_arrays(text("linear attention, ", side, " x ", side),
                             {"linear_attention_keys_kernel", "linear_attention_merge_kernel", "linear_attention_queries_kernel"},
                             16 * n, {3 * n, n, states, plan.forward_workspace()}, [operands](cudaStream_t s, const auto& a) {
                               kernels::linear_attention_forward<float>(s, operands(a, false), a[2], a[3]);
                             }));
  rows.push_back(over_arrays(text("linear attention, gradient, ", side, " x ", side),
                             {"linear_attention_query_gradients_kernel", "linear_attention_key_gradients_kernel"}, 32 * n,
                             {3 * n, n, n, 3 * n, states, plan.backward_workspace()}, [operands](cudaStream_t s, const auto& a) {
                               kernels::linear_attention_backward<float>(s, operands(a, true), a[4], a[5]);
                             }));
  const auto tiles = [positions](const kernels::SpatialPlan& p) { return p.tiles(positions); };
  const std::size_t of_forward = tiles(kernels::SpatialPlan::forward(features)),
                    of_queries = tiles(kernels::SpatialPlan::queries(features)),
                    of_keys = tiles(kernels::SpatialPlan::keys(features));
  rows.push_back(over_arrays(
      text("spatial attention, ", side, " x ", side), {"spatial_attention_kernel"}, (8 + 8 * of_forward) * n, {3 * n, n},
      [operands](cudaStream_t s, const auto& a) { kernels::spatial_attention_forward<float>(s, operands(a, false)); }));
  rows.push_back(over_arrays(
      text("spatial attention, gradient, ", side, " x ", side),
      {"spatial_query_gradients_kernel", "spatial_key_gradients_kernel"}, (40 + 8 * (of_forward + of_queries + of_keys)) * n,
      {3 * n, n, n, 3 * n, kernels::SpatialStatistics::size(operands(none, true))},
      [operands](cudaStream_t s, const auto& a) { kernels::spatial_attention_backward<float>(s, operands(a, true), a[4]); }));
}

/// 16 images of 32 channels, of whose frequencies 16 x 16 are kept.
inline void add_spectra(std::vector<Row>& rows, int side) {
  constexpr int images = 16, channels = 32, kept = 16;
  const auto extent = static_cast<unsigned>(side);
  const kernels::SpectralBand band{1, extent, extent, 1, kept, kept / 2 + 1, channels};
  const std::size_t modes = band.modes() * channels, all = band.frequencies() * channels;
  rows.push_back(over_arrays(text("frequencies, dropped, ", side, " x ", side), {"crop_modes_kernel"}, 16 * modes,
                             {2 * all, 2 * modes}, [band](cudaStream_t s, const auto& a) {
                               kernels::crop_modes(s, a[0], band, {1, 1}, a[1]);
                             }));
  rows.push_back(over_arrays(text("frequencies, put back, ", side, " x ", side), {"pad_modes_kernel"}, 8 * (modes + all),
                             {2 * modes, 2 * all}, [band](cudaStream_t s, const auto& a) {
                               kernels::pad_modes(s, a[0], band, {1, 1}, a[1]);
                             }));
  const kernels::SpectralMixing sizes{images, static_cast<int>(band.modes()), channels, channels};
  const std::size_t x = 2 * images * modes, weight = 2 * modes * channels;
  const std::vector<std::size_t> arrays{x, weight, x};
  rows.push_back(
      over_arrays(text("modes mixed, ", band.modes(), " of ", images), {"mode_product_kernel"}, 4 * (2 * x + weight), arrays,
                  [sizes](cudaStream_t s, const auto& a) { kernels::spectral_mixing_forward(s, sizes, a[0], a[1], a[2]); }));
  rows.push_back(over_arrays(
      text("modes mixed, gradient of weights, ", band.modes(), " of ", images), {"mode_product_kernel"}, 4 * (2 * x + 2 * weight),
      arrays, [sizes](cudaStream_t s, const auto& a) { kernels::spectral_mixing_weight_gradient(s, sizes, a[0], a[2], a[1]); }));
}

inline void add_small(std::vector<Row>& rows) {
  constexpr int width = 256, taps = 9, batch = 64;
  constexpr std::size_t filters = std::size_t{width} * taps * width;
  rows.push_back(over_arrays(text("filters reordered, ", width, " x 3 x 3 x ", width), {"filter_layout_kernel"}, 8 * filters,
                             {filters, filters},
                             [](cudaStream_t s, const auto& a) { kernels::reorder_filter(s, a[0], width, taps, width, a[1]); }));
  rows.push_back(over_arrays(text("features of the diffusion time, ", batch, " x ", width), {"time_embedding_kernel"},
                             std::size_t{6} * batch * width, {batch, std::size_t{batch} * width},
                             [](cudaStream_t s, const auto& a) { kernels::time_embedding(s, a[0], batch, width, a[1]); }));
}

}  // namespace lacuna::bench
