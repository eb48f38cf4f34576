#pragma once

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "lacuna/autograd/graph.hpp"
#include "lacuna/ops/column_sums.hpp"
#include "lacuna/ops/pointwise_linear.hpp"
#include "lacuna/ops/spectral_axis.hpp"
#include "lacuna/ops/wide_copies.hpp"

namespace lacuna::ops {

/// @brief Modes kept along (T, H, W); T = 0: a 2-D transform of every frame.
using SpectralModes = std::array<int, 3>;

/// @brief Parameters of a spectral convolution: weight (modes, 2, in, out) with real parts first and modes in the order
/// (T, H, W/2 + 1), bias (out).
struct SpectralParameters {
  Parameter weight, bias;
  int inputs = 0, outputs = 0;
  SpectralModes modes{};
};

/// @brief Complex modes a transform keeps.
inline int kept_modes(const SpectralModes& modes) { return std::max(modes[0], 1) * modes[1] * (modes[2] / 2 + 1); }

/// @brief SpectralAxis over many blocks, on all threads.
template <class T>
class BlocksOnCpu {
 public:
  using Axis = SpectralAxis<T>;
  using Weights = typename Axis::Weights;

  BlocksOnCpu(const cpu::Device&, int size, int modes, typename Axis::Half kind) : axis_(size, modes, kind) {}

  int kept() const { return axis_.kept(); }

  /// modes (blocks, 2, kept, columns) of space (blocks, rows, columns).
  void analyse(Graph<T>& graph, const T* space, T* modes, int blocks, int columns, Weights weights) const {
    run(graph, blocks, columns,
        [&](const Task& t) { axis_.analyse(space + t.space, modes + t.modes, t.columns, t.width, weights, t.workspace); });
  }
  /// space from modes. `bias` (columns), or null, is added to every row.
  void synthesise(Graph<T>& graph, const T* modes, T* space, int blocks, int columns, Weights weights,
                  const T* bias = nullptr) const {
    run(graph, blocks, columns, [&](const Task& t) {
      axis_.synthesise(modes + t.modes, space + t.space, t.columns, t.width, weights, t.workspace);
      if (bias == nullptr) return;
      for (int row = 0; row < axis_.space_rows(); ++row)
        for (std::ptrdiff_t c = 0; c < t.width; ++c) space[t.space + row * t.columns + c] += bias[t.first + c];
    });
  }

 private:
  /// Some columns of one block: where they lie in space and among the modes.
  struct Task {
    std::ptrdiff_t space, modes, columns, first, width;
    T* workspace;
  };

  /// Cuts the blocks into tasks, whatever the threads.
  template <class Work>
  void run(Graph<T>& graph, int blocks, int columns, const Work& work) const {
    constexpr int widest = 256;
    const int pieces = (columns + widest - 1) / widest, tasks = blocks * pieces;
    const int threads = std::min(graph.device().threads(), tasks);
    const std::size_t each = (axis_.workspace() + 15) / 16 * 16;
    T* workspace = graph.take(each * static_cast<std::size_t>(threads));
    if (!graph.dry())
      parallel_for(threads, threads, [&](int thread) {
        for (int i = thread; i < tasks; i += threads) {
          const std::ptrdiff_t block = i / pieces, first = std::ptrdiff_t{widest} * (i % pieces);
          work(Task{block * axis_.space_rows() * columns + first, block * 2 * axis_.kept() * columns + first, columns, first,
                    std::min<std::ptrdiff_t>(widest, columns - first), workspace + each * static_cast<std::size_t>(thread)});
        }
      });
    graph.give(workspace, each * static_cast<std::size_t>(threads));
  }

  Axis axis_;
};

/// @brief What transforms along an axis on a device.
template <class T, class D>
struct AxisOf;
template <class T>
struct AxisOf<T, cpu::Device> {
  using Type = BlocksOnCpu<T>;
};

/// @brief Truncated real Fourier transforms over (H, W) or (T, H, W) of channels-last data, axis by axis; made once for a grid.
/// On the CPU an axis takes a fast transform where it has many cells and keeps most of its modes, else a product (SpectralAxis).
template <class T, class D = cpu::Device>
class SpectralPlan {
 public:
  using Axis = typename AxisOf<T, D>::Type;
  using Half = typename SpectralAxis<T>::Half;
  using Weights = typename SpectralAxis<T>::Weights;

  SpectralPlan(D& device, const Shape& grid, const SpectralModes& modes)
      : width_(device, grid.width, modes[2], Half::yes), height_(device, grid.height, modes[1], Half::no) {
    if (modes[0] > 0) frames_.emplace(device, grid.frames, modes[0], Half::no);
  }

  /// spectrum (blocks, 2, modes, C) of x (B,T,H,W,C); blocks are images, or samples for a transform over frames too.
  void analyse(Graph<T, D>& graph, const T* x, const Shape& shape, T* spectrum, Weights weights) const {
    const Sizes n = sizes(shape);
    T* rows = graph.take(n.rows);
    T* images = frames_ ? graph.take(n.images) : spectrum;
    width_.analyse(graph, x, rows, shape.images() * shape.height, shape.channels, weights);
    height_.analyse(graph, rows, images, shape.images(), width_.kept() * shape.channels, weights);
    graph.give(rows, n.rows);
    if (!frames_) return;
    frames_->analyse(graph, images, spectrum, shape.batch, height_.kept() * width_.kept() * shape.channels, weights);
    graph.give(images, n.images);
  }

  /// x from its spectrum: the adjoint of analyse(). `bias` (C), or null, is added to every position.
  void synthesise(Graph<T, D>& graph, const T* spectrum, const Shape& shape, T* x, const T* bias, Weights weights) const {
    const Sizes n = sizes(shape);
    T* rows = graph.take(n.rows);
    T* own = frames_ ? graph.take(n.images) : nullptr;
    if (frames_) frames_->synthesise(graph, spectrum, own, shape.batch, height_.kept() * width_.kept() * shape.channels, weights);
    height_.synthesise(graph, frames_ ? own : spectrum, rows, shape.images(), width_.kept() * shape.channels, weights);
    width_.synthesise(graph, rows, x, shape.images() * shape.height, shape.channels, weights, bias);
    if (frames_) graph.give(own, n.images);
    graph.give(rows, n.rows);
  }

 private:
  /// Scalars between the axes: after W, and after H.
  struct Sizes {
    std::size_t rows, images;
  };
  Sizes sizes(const Shape& s) const {
    const auto row = static_cast<std::size_t>(2 * width_.kept()) * static_cast<std::size_t>(s.channels);
    const auto images = static_cast<std::size_t>(s.images());
    return {images * static_cast<std::size_t>(s.height) * row, images * static_cast<std::size_t>(height_.kept()) * row};
  }

  Axis width_, height_;
  std::optional<Axis> frames_;
};

/// @brief What transforms the images of a device's graphs.
template <class T, class D>
struct SpectralPlanOf {
  using Type = SpectralPlan<T, D>;
};

/// @brief A device's plans, one for each grid and number of modes it has seen.
template <class T, class D = cpu::Device>
class SpectralPlans {
 public:
  using Plan = typename SpectralPlanOf<T, D>::Type;

  explicit SpectralPlans(D& device) : device_(device) {}

  const Plan& plan(const Shape& shape, const SpectralModes& modes) {
    const std::array<int, 6> key{modes[0] > 0 ? shape.frames : 0, shape.height, shape.width, modes[0], modes[1], modes[2]};
    for (const auto& known : plans_)
      if (known.key == key) return *known.plan;
    plans_.push_back({key, std::make_unique<Plan>(device_, shape, modes)});
    return *plans_.back().plan;
  }

 private:
  struct Known {
    std::array<int, 6> key;
    std::unique_ptr<Plan> plan;
  };
  D& device_;
  std::vector<Known> plans_;
};

/// @brief Multiplies the channels of every mode by its own complex matrix, and the gradients of that.
/// Spectra are (blocks, 2, modes, channels); a mode's real parts of all blocks are a matrix with rows far apart.
template <class T>
class ModeMixing {
 public:
  ModeMixing(Graph<T>& graph, const SpectralParameters& layer, int blocks)
      : graph_(graph), layer_(layer), blocks_(blocks), modes_(kept_modes(layer.modes)) {}

  /// y = x W: y_r = x_r W_r - x_i W_i, y_i = x_i W_r + x_r W_i.
  void forward(const T* x, T* y) const {
    const T* weight = graph_.parameters().value(layer_.weight);
    const ProductExtents n{blocks_, layer_.outputs, layer_.inputs};
    for_modes([&](int mode) {
      const auto w_re = matrix(weight, mode, 0), w_im = matrix(weight, mode, 1);
      const auto x_re = part(x, mode, 0, layer_.inputs), x_im = part(x, mode, 1, layer_.inputs);
      const auto y_re = part(y, mode, 0, layer_.outputs), y_im = part(y, mode, 1, layer_.outputs);
      panel_product(x_re, w_re, y_re, n);
      panel_product(x_im, w_im, y_re, n, Into::subtracted);
      panel_product(x_im, w_re, y_im, n);
      panel_product(x_re, w_im, y_im, n, Into::added);
    });
  }

  /// grad_W += conj(x)^T grad_y, grad_x = grad_y conj(W)^T.
  void backward(const T* x, const T* grad_y, T* grad_x) const {
    auto& p = graph_.parameters();
    const T* weight = p.value(layer_.weight);
    T* grad_weight = p.gradient(layer_.weight);
    const int in = layer_.inputs, out = layer_.outputs;
    const std::size_t size = static_cast<std::size_t>(in) * static_cast<std::size_t>(out);
    const auto threads = static_cast<std::size_t>(graph_.device().threads());
    T* turned = graph_.take(2 * size * threads);
    for_modes([&](int mode, int thread) {
      const auto x_re = part(x, mode, 0, in).transposed(), x_im = part(x, mode, 1, in).transposed();
      const auto g_re = part(grad_y, mode, 0, out), g_im = part(grad_y, mode, 1, out);
      const auto w_re = matrix(grad_weight, mode, 0), w_im = matrix(grad_weight, mode, 1);
      const ProductExtents of_weight{in, out, blocks_};
      panel_product(x_re, g_re, w_re, of_weight, Into::added);
      panel_product(x_im, g_im, w_re, of_weight, Into::added);
      panel_product(x_re, g_im, w_im, of_weight, Into::added);
      panel_product(x_im, g_re, w_im, of_weight, Into::subtracted);
      T* t = turned + 2 * size * static_cast<std::size_t>(thread);
      turn(matrix(weight, mode, 0).data, t);
      turn(matrix(weight, mode, 1).data, t + size);
      const Strided<const T> t_re{t, in}, t_im{t + size, in};
      const auto to_re = part(grad_x, mode, 0, in), to_im = part(grad_x, mode, 1, in);
      const ProductExtents of_x{blocks_, in, out};
      panel_product(g_re, t_re, to_re, of_x);
      panel_product(g_im, t_im, to_re, of_x, Into::added);
      panel_product(g_im, t_re, to_im, of_x);
      panel_product(g_re, t_im, to_im, of_x, Into::subtracted);
    });
    graph_.give(turned, 2 * size * threads);
  }

 private:
  template <class Work>
  void for_modes(const Work& work) const {
    if (graph_.dry()) return;
    const int threads = graph_.device().threads();
    parallel_for(threads, threads, [&](int thread) {
      for (int mode = thread; mode < modes_; mode += threads)
        if constexpr (std::is_invocable_v<Work, int, int>)
          work(mode, thread);
        else
          work(mode);
    });
  }

  /// A mode's real (0) or imaginary (1) parts, (blocks, channels).
  template <class U>
  Strided<U> part(U* spectrum, int mode, int which, int channels) const {
    const std::ptrdiff_t plane = std::ptrdiff_t{modes_} * channels;
    return {spectrum + which * plane + std::ptrdiff_t{mode} * channels, 2 * plane};
  }
  /// A mode's real or imaginary weights, (in, out).
  template <class U>
  Strided<U> matrix(U* weight, int mode, int which) const {
    return {weight + (2 * std::ptrdiff_t{mode} + which) * layer_.inputs * layer_.outputs, layer_.outputs};
  }
  void turn(const T* from, T* to) const {
    using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    Eigen::Map<Matrix>(to, layer_.outputs, layer_.inputs) =
        Eigen::Map<const Matrix>(from, layer_.inputs, layer_.outputs).transpose();
  }

  Graph<T>& graph_;
  const SpectralParameters& layer_;
  int blocks_, modes_;
};

template <class T>
void mix_modes_forward(Graph<T>& graph, const SpectralParameters& layer, int blocks, const T* x, T* y) {
  ModeMixing<T>(graph, layer, blocks).forward(x, y);
}
/// grad_x is overwritten, the weight's gradient added to.
template <class T>
void mix_modes_backward(Graph<T>& graph, const SpectralParameters& layer, int blocks, const T* x, const T* grad_y, T* grad_x) {
  ModeMixing<T>(graph, layer, blocks).backward(x, grad_y, grad_x);
}

/// @brief y = F^-1[ W_k F[x]_k ] + b: multiplies the channels of the lowest frequencies by a complex matrix each, drops the rest.
///
/// F is the real Fourier transform over (H, W), or (T, H, W), scaled by one over the number of cells; F^-1 is unscaled. Along W
/// frequencies 0 to modes/2 are kept; they count for their conjugates too, and of the planes 0 and W/2, which have none, the real
/// part alone survives. Along the other axes -modes/2 to modes/2 - 1 are kept (odd numbers of modes: symmetric).
/// Shapes: x (B,T,H,W,in) -> y (B,T,H,W,out); any grid of at least `modes` cells along each axis.
/// Gradient: handed to x, added to the parameters'. NaN: spreads over the sample's (2-D: frame's) channels; mask x first.
/// dtype: S images; bfloat16 is transformed on a float copy, which does not outlive the transform: spectra are float.
/// Backends: cpu, cuda. Determinism: independent of the number of threads. Cost: SpectralAxis's for each
/// axis, 8 B modes in out FLOPs between. Throws: ShapeError on a channel mismatch or a grid too small. Source: Li et al. 2021,
/// arXiv:2010.08895.
template <class T, class D, class S>
Variable<S> spectral_convolution(Graph<T, D>& graph, const SpectralParameters& layer, const Variable<S>& x) {
  using Weights = typename SpectralAxis<T>::Weights;
  using Wide = WideImage<T, S, D>;
  require<ShapeError>(x.shape.channels == layer.inputs, "spectral_convolution: x has shape ", x.shape, ", expected ",
                      layer.inputs, " channels");
  const auto& plan = graph.device().template library<SpectralPlans<T, D>>().plan(x.shape, layer.modes);
  const int blocks = layer.modes[0] > 0 ? x.shape.batch : x.shape.images();
  const auto modes = 2 * static_cast<std::size_t>(blocks) * static_cast<std::size_t>(kept_modes(layer.modes));
  const std::size_t spectrum_in = modes * static_cast<std::size_t>(layer.inputs),
                    spectrum_out = modes * static_cast<std::size_t>(layer.outputs);
  const std::size_t moved = x.shape.size() + x.shape.cells() * static_cast<std::size_t>(layer.outputs);
  const auto scope = graph.template op<S>("spectral_convolution", {.forward = moved, .backward = moved});
  const auto y = graph.template make<S>(x.shape.with_channels(layer.outputs));
  T* before = graph.take(spectrum_in);  // kept for the weights' gradient
  T* after = graph.take(spectrum_out);
  {
    const Wide wide(graph, static_cast<const S*>(x.data), x.shape.size());
    plan.analyse(graph, wide.data(), x.shape, before, Weights::mean);
  }
  mix_modes_forward(graph, layer, blocks, before, after);
  {
    const Wide wide(graph, y.data, y.shape.size());
    plan.synthesise(graph, after, y.shape, wide.data(), graph.parameters().value(layer.bias), Weights::members);
    wide.write();
  }
  graph.give(after, spectrum_out);
  if (!graph.recording()) graph.give(before, spectrum_in);
  graph.record([&graph, &plan, layer, x, y, before, blocks, spectrum_in, spectrum_out] {
    T* grad_after = graph.take(spectrum_out);
    {
      const Wide grad_y(graph, static_cast<const S*>(y.node->gradient), y.shape.size());
      add_column_sums(graph, grad_y.data(), y.shape.cells(), layer.outputs, graph.parameters().gradient(layer.bias));
      plan.analyse(graph, grad_y.data(), y.shape, grad_after, Weights::members);
    }
    T* grad_before = graph.take(spectrum_in);
    mix_modes_backward(graph, layer, blocks, before, grad_after, grad_before);
    graph.give(grad_after, spectrum_out);
    S* grad_x = graph.template take<S>(x.shape.size());
    {
      const Wide wide(graph, grad_x, x.shape.size());
      plan.synthesise(graph, grad_before, x.shape, wide.data(), nullptr, Weights::mean);
      wide.write();
    }
    graph.give(grad_before, spectrum_in);
    graph.give(before, spectrum_in);
    graph.contribute(x, grad_x);
    graph.finish(y);
  });
  return y;
}

}  // namespace lacuna::ops
