#pragma once

// What every network launches between its convolutions and matrix products: over images (1, 1, side, side, channels) of floats.

#include "benchmarks/kernels/row.hpp"
#include "kernels/accumulate.cuh"
#include "kernels/activation.cuh"
#include "kernels/canvas.cuh"
#include "kernels/cast.cuh"
#include "kernels/column_sums.cuh"
#include "kernels/concatenate.cuh"
#include "kernels/conditioned_linear.cuh"
#include "kernels/epilogue.cuh"
#include "kernels/frame_axis.cuh"
#include "kernels/gated_add.cuh"
#include "kernels/layer_norm.cuh"
#include "kernels/rms_norm_parameters.cuh"
#include "kernels/rms_norm_silu.cuh"

namespace lacuna::bench {

inline constexpr int image_channels = 64;

inline std::string image_name(const char* what, int side) { return text(what, ", ", side, " x ", side, " x ", image_channels); }

/// Element by element, or channel by channel.
inline void add_elementwise(std::vector<Row>& rows, int side) {
  const std::size_t cells = static_cast<std::size_t>(side) * static_cast<std::size_t>(side), c = image_channels, n = cells * c;
  const auto name = [side](const char* what) { return image_name(what, side); };
  rows.push_back(over_arrays(name("accumulate"), {"accumulate_kernel"}, 12 * n, {n, n},
                             [n](cudaStream_t s, const auto& a) { kernels::accumulate<float>(s, a[0], a[1], n); }));
  rows.push_back(over_arrays(name("GELU"), {"activation_kernel"}, 8 * n, {n, n},
                             [n](cudaStream_t s, const auto& a) { kernels::activation<ops::Gelu, float>(s, a[0], n, a[1]); }));
  rows.push_back(over_arrays(
      name("GELU, gradient"), {"activation_gradient_kernel"}, 12 * n, {n, n},
      [n](cudaStream_t s, const auto& a) { kernels::activation_gradient<ops::Gelu, float>(s, a[0], a[1], n, a[1]); }));
  rows.push_back(over_arrays(name("cast to bfloat16"), {"cast_kernel"}, 6 * n, {n, n / 2}, [n](cudaStream_t s, const auto& a) {
    kernels::cast<float, Bfloat16>(s, a[0], n, reinterpret_cast<Bfloat16*>(a[1]));
  }));
  rows.push_back(
      over_arrays(name("bias, SiLU, residual"), {"epilogue_kernel"}, 12 * n, {n, c, n, n}, [=](cudaStream_t s, const auto& a) {
        kernels::epilogue<ops::Silu, float>(s, a[0], a[1], a[2], cells, image_channels, a[3]);
      }));
  rows.push_back(over_arrays(
      name("sums of columns"), {"column_sums_kernel", "partial_sums_kernel"}, 4 * n,
      {n, kernels::column_sums_workspace<float>(cells, image_channels), c},
      [=](cudaStream_t s, const auto& a) { kernels::column_sums<float>(s, a[0], cells, image_channels, a[1], a[2]); }));
}

/// Copies.
inline void add_moves(std::vector<Row>& rows, int side) {
  const std::size_t cells = static_cast<std::size_t>(side) * static_cast<std::size_t>(side), n = cells * image_channels,
                    shown = static_cast<std::size_t>(side + 2) * static_cast<std::size_t>(side + 2) * image_channels;
  const auto name = [side](const char* what) { return image_name(what, side); };
  const Shape image{.height = side, .width = side, .channels = image_channels};
  const ops::Window window{-1, -1, side + 2, side + 2};
  const ops::Borders periodic{ops::Border::periodic, ops::Border::periodic};
  rows.push_back(over_arrays(name("border"), {"canvas_kernel"}, 8 * shown, {n, shown}, [=](cudaStream_t s, const auto& a) {
    kernels::canvas<float>(s, a[0], image, window, periodic, a[1]);
  }));
  rows.push_back(over_arrays(
      name("border, gradient"), {"canvas_gradient_kernel"}, 4 * (shown + n), {shown, n},
      [=](cudaStream_t s, const auto& a) { kernels::canvas_gradient<float>(s, a[0], image, window, periodic, a[1]); }));
  constexpr int half = image_channels / 2;
  rows.push_back(
      over_arrays(name("concatenate"), {"concatenate_kernel"}, 8 * n, {n / 2, n / 2, n},
                  [=](cudaStream_t s, const auto& a) { kernels::concatenate<float>(s, a[0], a[1], cells, half, half, a[2]); }));
  rows.push_back(
      over_arrays(name("concatenate, gradient"), {"split_kernel"}, 8 * n, {n, n / 2, n / 2},
                  [=](cudaStream_t s, const auto& a) { kernels::split<float>(s, a[0], cells, half, half, a[1], a[2]); }));
  constexpr ops::FrameChannels frames{.frames = 16, .variables = image_channels / 16, .kinds = 1};
  const Shape apart{.frames = 16, .height = side, .width = side, .channels = frames.per_frame()};
  rows.push_back(over_arrays(name("frames as an axis"), {"frame_axis_kernel"}, 8 * n, {n, n}, [=](cudaStream_t s, const auto& a) {
    kernels::unpack_frames<float>(s, a[0], apart, frames, a[1]);
  }));
}

inline Row norm(std::size_t pixels, bool backward) {
  constexpr int channels = image_channels;
  const std::size_t n = pixels * channels;
  return {text("RMSNorm, scale, shift, SiLU", backward ? ", gradient" : "", ", ", pixels, " x ", channels),
          {backward ? "norm_backward_kernel<256, lacuna::kernels::NormLayout<float"
                    : "norm_forward_kernel<256, lacuna::kernels::NormLayout<float"},
          (backward ? 12 : 8) * n,
          [=](cuda::Device& device) {
            auto *x = zeros<float>(device, n), *other = zeros<float>(device, n), *result = zeros<float>(device, n),
                 *gain = zeros<float>(device, channels), *scale_shift = zeros<float>(device, 2 * channels),
                 *sums = zeros<float>(device, kernels::norm_runs<float>(pixels, channels) * 2 * channels);
            const kernels::Norm<float> operands{.x = x,
                                                .gain = gain,
                                                .scale_shift = scale_shift,
                                                .other = backward ? other : nullptr,
                                                .result = result,
                                                .sums = backward ? sums : nullptr,
                                                .pixels = pixels,
                                                .batch = 1,
                                                .channels = channels};
            return [=](cudaStream_t stream) {
              if (backward)
                kernels::norm_backward<float>(stream, operands);
              else
                kernels::norm_forward<float>(stream, operands);
            };
          }};
}

/// The second stage of its gradient.
inline Row norm_parameters(std::size_t pixels) {
  constexpr std::size_t c = image_channels;
  const unsigned runs = kernels::norm_runs<float>(pixels, image_channels);
  return over_arrays(text("RMSNorm, gradients of parameters, ", runs, " runs"), {"norm_parameters_kernel"}, 8 * c * runs,
                     {2 * c * runs, c, 2 * c, c, 2 * c}, [runs](cudaStream_t s, const auto& a) {
                       const kernels::NormParameters parameters{.sums = a[0],
                                                                .gain = a[1],
                                                                .scale_shift = a[2],
                                                                .grad_gain = a[3],
                                                                .grad_scale_shift = a[4],
                                                                .batch = 1,
                                                                .channels = image_channels,
                                                                .runs = runs};
                       kernels::norm_parameters(s, parameters);
                     });
}

/// Layer norm, gates and conditioned layers.
inline void add_channelwise(std::vector<Row>& rows, int side) {
  const std::size_t cells = static_cast<std::size_t>(side) * static_cast<std::size_t>(side), c = image_channels, n = cells * c,
                    sums = kernels::norm_runs<float>(cells, image_channels) * c;
  const auto name = [side](const char* what) { return image_name(what, side); };
  const auto norm = [cells](const auto& a) {
    return kernels::Norm<float>{.x = a[0],
                                .gain = a[1],
                                .scale_shift = nullptr,
                                .other = a[2],
                                .result = a[3],
                                .sums = a[4],
                                .pixels = cells,
                                .batch = 1,
                                .channels = image_channels};
  };
  const std::vector<std::size_t> sizes{n, c, n, n, sums, c};
  rows.push_back(over_arrays(name("layer norm"), {"layer_norm_forward_kernel"}, 8 * n, sizes,
                             [norm](cudaStream_t s, const auto& a) { kernels::layer_norm_forward<float>(s, norm(a)); }));
  rows.push_back(over_arrays(name("layer norm, gradient"), {"layer_norm_backward_kernel"}, 12 * n, sizes,
                             [norm](cudaStream_t s, const auto& a) { kernels::layer_norm_backward<float>(s, norm(a), a[5]); }));
  rows.push_back(over_arrays(name("gated add"), {"gated_add_kernel"}, 12 * n, sizes,
                             [norm](cudaStream_t s, const auto& a) { kernels::gated_add<float>(s, norm(a)); }));
  rows.push_back(
      over_arrays(name("gated add, gradient"), {"gated_add_backward_kernel"}, 12 * n, sizes,
                  [norm](cudaStream_t s, const auto& a) { kernels::gated_add_backward<float>(s, norm(a), false, a[5]); }));
  const auto extent = static_cast<unsigned>(side);
  const kernels::Conditioning sizes_of{{1, extent, extent}, 1, image_channels, 2, 2};
  rows.push_back(
      over_arrays(name("features and coordinates"), {"conditioning_kernel"}, 8 * n, {c, c, 2 * c, n},
                  [=](cudaStream_t s, const auto& a) { kernels::condition<float>(s, sizes_of, a[0], a[1], a[2], a[3]); }));
  rows.push_back(over_arrays(name("features and coordinates, gradient"), {"conditioning_sums_kernel"}, 4 * n,
                             {n, sizes_of.workspace<float>(), sizes_of.sums(), c, 2 * c}, [=](cudaStream_t s, const auto& a) {
                               kernels::condition_backward<float>(s, sizes_of, a[0], a[1], a[2], a[3], a[4]);
                             }));
}

}  // namespace lacuna::bench
