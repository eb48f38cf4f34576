#pragma once

#include <cstddef>
#include <optional>

#include "kernels/spectral_band.cuh"
#include "kernels/spectral_mixing.cuh"
#include "lacuna/cuda/cufft.hpp"
#include "lacuna/cuda/ops/cast.hpp"
#include "lacuna/cuda/ops/column_sums.hpp"
#include "lacuna/cuda/ops/spectral_axis.hpp"
#include "lacuna/ops/spectral_convolution.hpp"

namespace lacuna::cuda {

/// @brief The truncated transforms of a grid: products along one axis after the other, or cuFFT, block by block, and a kernel
/// that drops what is not kept. Meanings and shapes are those of ops::SpectralPlan.
class SpectralTransforms {
 public:
  using Products = ops::SpectralPlan<float, Device>;
  using Weights = Products::Weights;

  SpectralTransforms(Device& device, const Shape& grid, const ops::SpectralModes& modes) : modes_(modes) {
    using Axis = ops::SpectralAxis<float>;
    Axis::validate(grid.width, modes[2], Axis::Half::yes);
    Axis::validate(grid.height, modes[1], Axis::Half::no);
    if (over_frames()) Axis::validate(grid.frames, modes[0], Axis::Half::no);
    if (products(grid, modes) <= most_products) products_.emplace(device, grid, modes);
  }

  void analyse(Graph& graph, const float* x, const Shape& shape, float* spectrum, Weights weights) const {
    if (products_) return products_->analyse(graph, x, shape, spectrum, weights);
    const float mean = 1.0f / static_cast<float>(block_cells(shape));
    const kernels::BandScales scales = weights == Weights::mean ? kernels::BandScales{mean, mean} : kernels::BandScales{1, 2};
    by_fft(graph, shape, [&](const Block& b, Cufft& cufft) {
      const float* from = x + b.space;
      if (b.aligned != nullptr) {
        enqueue_copy(graph.device().stream(), b.aligned, from, b.size, cudaMemcpyDeviceToDevice);
        from = b.aligned;
      }
      cufft.forward(b.transform, from, b.all, b.workspace);
      kernels::crop_modes(stream_of(graph), b.all, band(shape), scales, spectrum + b.modes);
    });
  }

  void synthesise(Graph& graph, const float* spectrum, const Shape& shape, float* x, const float* bias, Weights weights) const {
    if (products_) return products_->synthesise(graph, spectrum, shape, x, bias, weights);
    // cuFFT counts a frequency with a conjugate for both; the kernel adds the others to their own conjugates.
    const float half_mean = 0.5f / static_cast<float>(block_cells(shape));
    const kernels::BandScales scales =
        weights == Weights::mean ? kernels::BandScales{half_mean, half_mean} : kernels::BandScales{0.5f, 1};
    by_fft(graph, shape, [&](const Block& b, Cufft& cufft) {
      kernels::pad_modes(stream_of(graph), spectrum + b.modes, band(shape), scales, b.all);
      float* to = x + b.space;
      cufft.inverse(b.transform, b.all, b.aligned != nullptr ? b.aligned : to, b.workspace);
      if (b.aligned != nullptr) enqueue_copy(graph.device().stream(), to, b.aligned, b.size, cudaMemcpyDeviceToDevice);
    });
    if (bias != nullptr) add_bias(graph, x, bias, shape.cells(), shape.channels);
  }

 private:
  /// A GPU multiplies and adds some eight times for each byte that it moves, and cuFFT moves some 24 bytes more for each number
  /// than products: by these figures of data sheets products win up to here. Never measured.
  static constexpr double most_products = 192;

  /// Multiplications that the axes' products take for each number of a field.
  static double products(const Shape& grid, const ops::SpectralModes& modes) {
    double numbers = 1, count = 0;  // numbers that come to an axis, for each of the field
    const auto axis = [&](double kept, double cells) {
      count += 2 * kept * numbers;
      numbers *= kept / cells;
    };
    axis(modes[2] / 2 + 1, 0.5 * grid.width);
    axis(modes[1], grid.height);
    if (modes[0] > 0) axis(modes[0], grid.frames);
    return count;
  }

  /// A block of a transform: where its numbers begin, and what it works with. aligned: null where cuFFT takes them as they lie.
  struct Block {
    FourierTransform transform;
    std::size_t space, size, modes;
    float *all, *aligned;
    void* workspace;
  };

  bool over_frames() const { return modes_[0] > 0; }
  std::size_t block_cells(const Shape& s) const {
    return s.cells() / static_cast<std::size_t>(over_frames() ? s.batch : s.images());
  }
  kernels::SpectralBand band(const Shape& s) const {
    const auto n = [](int count) { return static_cast<unsigned>(count); };
    return {over_frames() ? n(s.frames) : 1u,
            n(s.height),
            n(s.width),
            over_frames() ? n(modes_[0]) : 1u,
            n(modes_[1]),
            n(modes_[2] / 2 + 1),
            n(s.channels)};
  }

  template <class Work>
  void by_fft(Graph& graph, const Shape& s, const Work& work) const {
    auto& cufft = graph.device().library<Cufft>();
    const FourierTransform t{over_frames() ? s.frames : 0, s.height, s.width, s.channels};
    const auto channels = static_cast<std::size_t>(s.channels);
    const std::size_t size = block_cells(s) * channels, modes = 2 * band(s).modes() * channels;
    const int blocks = over_frames() ? s.batch : s.images();
    const bool lies_well = size % 2 == 0 || blocks == 1;  // real arrays must begin where complex numbers may
    const Workspace<std::byte> workspace(graph, cufft.workspace(t));
    const Workspace<float> all(graph, 2 * t.frequencies() * channels), aligned(graph, lies_well ? 0 : size);
    if (graph.dry()) return;
    float* const copy = aligned;
    for (std::size_t i = 0; i < static_cast<std::size_t>(blocks); ++i)
      work(Block{t, i * size, size, i * modes, all, lies_well ? nullptr : copy, static_cast<std::byte*>(workspace)}, cufft);
  }

  ops::SpectralModes modes_;
  std::optional<Products> products_;
};

inline kernels::SpectralMixing mixing(const ops::SpectralParameters& layer, int blocks) {
  return {blocks, ops::kept_modes(layer.modes), layer.inputs, layer.outputs};
}
inline void mix_modes_forward(Graph& graph, const ops::SpectralParameters& layer, int blocks, const float* x, float* y) {
  if (graph.dry()) return;
  kernels::spectral_mixing_forward(stream_of(graph), mixing(layer, blocks), x, graph.parameters().value(layer.weight), y);
}
inline void mix_modes_backward(Graph& graph, const ops::SpectralParameters& layer, int blocks, const float* x,
                               const float* grad_y, float* grad_x) {
  if (graph.dry()) return;
  auto& p = graph.parameters();
  const auto sizes = mixing(layer, blocks);
  kernels::spectral_mixing_weight_gradient(stream_of(graph), sizes, x, grad_y, p.gradient(layer.weight));
  kernels::spectral_mixing_input_gradient(stream_of(graph), sizes, grad_y, p.value(layer.weight), grad_x);
}

}  // namespace lacuna::cuda

template <>
struct lacuna::ops::SpectralPlanOf<float, lacuna::cuda::Device> {
  using Type = cuda::SpectralTransforms;
};
