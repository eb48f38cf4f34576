#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <type_traits>

#include "kernels/accumulate.cuh"
#include "kernels/activation.cuh"
#include "kernels/canvas.cuh"
#include "kernels/cast.cuh"
#include "kernels/column_sums.cuh"
#include "kernels/concatenate.cuh"
#include "kernels/epilogue.cuh"
#include "kernels/filter_layout.cuh"
#include "kernels/masked_loss.cuh"
#include "kernels/rms_norm_parameters.cuh"
#include "kernels/rms_norm_silu.cuh"
#include "kernels/time_embedding.cuh"
#include "lacuna/cuda/cublas.hpp"
#include "lacuna/cuda/cudnn.hpp"
#include "lacuna/cuda/parameters.hpp"
#include "lacuna/ops/canvas.hpp"
#include "lacuna/ops/convolution.hpp"
#include "lacuna/ops/rms_norm_silu.hpp"

// What ops compute on a GPU: found by the type of the graph (lacuna/ops has the same functions for the CPU's). Each enqueues on
// the device's stream and returns; in a dry graph it takes and gives its workspaces and finds its plans.

namespace lacuna::cuda {

using Graph = lacuna::Graph<float, Device>;

inline cudaStream_t stream_of(Graph& graph) { return graph.device().stream(); }

/// @brief A workspace from the graph's arena, for the length of a scope.
template <class T>
class Workspace {
 public:
  Workspace(Graph& graph, std::size_t count) : graph_(graph), count_(count), data_(graph.take<T>(count)) {}
  ~Workspace() { graph_.give(data_, count_); }
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  operator T*() const { return data_; }

 private:
  Graph& graph_;
  std::size_t count_;
  T* data_;
};

template <class S>
void accumulate(Graph& graph, S* sum, const S* gradient, std::size_t size) {
  if (!graph.dry()) kernels::accumulate(stream_of(graph), sum, gradient, size);
}

template <class From, class To>
void convert_all(Graph& graph, const From* from, To* to, std::size_t size) {
  if (!graph.dry()) kernels::cast(stream_of(graph), from, size, to);
}

/// @brief A weight as products of images in S take it, for the length of a scope: itself, or for bfloat16 rounded at every call.
template <class S>
class WeightIn {
 public:
  WeightIn(Graph& graph, const float* weight, std::size_t size) : weight_(weight), rounded_(graph, narrow ? size : 0) {
    if constexpr (narrow) convert_all(graph, weight, static_cast<S*>(rounded_), size);
  }
  operator const S*() const {
    if constexpr (narrow)
      return rounded_;
    else
      return weight_;
  }

 private:
  static constexpr bool narrow = !std::is_same_v<S, float>;
  const float* weight_;
  Workspace<S> rounded_;
};

template <class Function, class T, class S>
void activation_forward(Graph& graph, const Variable<S>& x, S* y) {
  if (!graph.dry()) kernels::activation<Function, S>(stream_of(graph), x.data, x.shape.size(), y);
}
template <class Function, class T, class S>
void activation_backward(Graph& graph, const Variable<S>& x, S* gradient) {
  if (!graph.dry()) kernels::activation_gradient<Function, S>(stream_of(graph), x.data, gradient, x.shape.size(), gradient);
}

inline void time_embedding_forward(Graph& graph, const float* times, int batch, int width, float* y) {
  if (!graph.dry()) kernels::time_embedding(stream_of(graph), times, batch, width, y);
}

template <class S>
void canvas_forward(Graph& graph, const Variable<S>& x, const ops::Window& window, const ops::Borders& borders,
                    const Variable<S>& y) {
  if (!graph.dry()) kernels::canvas(stream_of(graph), x.data, x.shape, window, borders, y.data);
}
template <class S>
void canvas_backward(Graph& graph, const Variable<S>& x, const ops::Window& window, const ops::Borders& borders,
                     const Variable<S>& y, S* grad_x) {
  if (!graph.dry()) kernels::canvas_gradient(stream_of(graph), y.node->gradient, x.shape, window, borders, grad_x);
}

template <class T, class S>
void concatenate_forward(Graph& graph, const S* a, const S* b, std::size_t cells, int left, int right, S* y) {
  if (!graph.dry()) kernels::concatenate(stream_of(graph), a, b, cells, left, right, y);
}
template <class T, class S>
void concatenate_backward(Graph& graph, const S* grad_y, std::size_t cells, int left, int right, S* grad_a, S* grad_b) {
  if (!graph.dry()) kernels::split(stream_of(graph), grad_y, cells, left, right, grad_a, grad_b);
}

/// @brief Operands of the kernels that go over the channels of x: norms and gates. What the pass needs besides is set by the
/// caller; a sample's pixels are those of all its frames.
template <class S>
kernels::Norm<S> norm_operands(Graph& graph, Parameter gain, const Variable<S>& x) {
  return {.x = x.data,
          .gain = graph.parameters().value(gain),
          .scale_shift = nullptr,
          .other = nullptr,
          .result = nullptr,
          .sums = nullptr,
          .pixels = x.shape.cells() / static_cast<std::size_t>(x.shape.batch),
          .batch = x.shape.batch,
          .channels = x.shape.channels};
}
/// @brief Partial sums that their backward passes leave: rows of channels, or with `parts` of as many times the channels.
template <class S>
std::size_t norm_sums(const kernels::Norm<S>& norm, int parts = 1) {
  return static_cast<std::size_t>(norm.batch) * kernels::norm_runs<S>(norm.pixels, norm.channels) *
         static_cast<std::size_t>(parts * norm.channels);
}

template <class T, class S>
void rms_norm_silu_forward(Graph& graph, const ops::NormOperands<T, S>& o, S* y) {
  if (graph.dry()) return;
  auto norm = norm_operands(graph, o.gain, o.x);
  norm.scale_shift = o.scale_shift.data;
  norm.other = o.residual.data;
  norm.result = y;
  kernels::norm_forward<S>(stream_of(graph), norm);
}
template <class T, class S>
void rms_norm_silu_backward(Graph& graph, const ops::NormOperands<T, S>& o, const S* grad_y, S* grad_x, T* grad_scale_shift) {
  auto norm = norm_operands(graph, o.gain, o.x);
  const Workspace<float> sums(graph, norm_sums(norm, 2));
  if (graph.dry()) return;
  norm.scale_shift = o.scale_shift.data;
  norm.other = grad_y;
  norm.result = grad_x;
  norm.sums = sums;
  kernels::norm_backward<S>(stream_of(graph), norm);
  // By name: nvcc 13.0 garbles such an argument in a template.
  const kernels::NormParameters parameters{.sums = sums,
                                           .gain = norm.gain,
                                           .scale_shift = norm.scale_shift,
                                           .grad_gain = graph.parameters().gradient(o.gain),
                                           .grad_scale_shift = grad_scale_shift,
                                           .batch = norm.batch,
                                           .channels = norm.channels,
                                           .runs = kernels::norm_runs<S>(norm.pixels, norm.channels)};
  kernels::norm_parameters(stream_of(graph), parameters);
}

/// @brief y (cells, channels) += bias, in place.
template <class S>
void add_bias(Graph& graph, S* y, const float* bias, std::size_t cells, int channels) {
  if (!graph.dry()) kernels::epilogue<ops::Identity, S>(stream_of(graph), y, bias, nullptr, cells, channels, y);
}

/// @brief Adds the sums over rows of (rows, columns) to `sums`: the gradient of a bias.
template <class S>
void add_column_sums(Graph& graph, const S* x, std::size_t rows, int columns, float* sums) {
  const Workspace<float> partial(graph, kernels::column_sums_workspace<S>(rows, columns));
  if (!graph.dry()) kernels::column_sums(stream_of(graph), x, rows, columns, partial, sums);
}

/// @brief Enqueues a product of matrices in S, float or Bfloat16, into R: S, or float; or in a dry graph finds its plan.
template <class S, class R = S>
void multiply(Graph& graph, MatrixProduct product, const S* a, const S* b, std::type_identity_t<R>* c) {
  auto& blas = graph.device().library<CublasLt>();
  product.narrow = !std::is_same_v<S, float>;
  product.narrow_result = !std::is_same_v<R, float>;
  if (graph.dry()) return blas.plan(product);
  blas.run(product, a, b, c);
}

/// @brief sum (rows, columns) += a^T b of a (depth, rows) and b (depth, columns): the gradient of a layer's weight, whose rows
/// are `row` apart (0: they follow one another).
///
/// So small a result of so many terms would keep a few multiprocessors busy. So runs of the depth are multiplied side by side,
/// and what they give is added in their order. Sums are float, also of bfloat16: nothing is rounded.
template <class S>
void add_transposed_product(Graph& graph, const S* a, int rows, const S* b, int columns, std::size_t depth, float* sum,
                            int row = 0) {
  constexpr std::size_t least_run = 256, most_runs = 64, blocks = 256, tile = 64;
  const auto tiles = [](int n) { return (static_cast<std::size_t>(n) + tile - 1) / tile; };
  const std::size_t wanted = std::min(most_runs, blocks / std::min(blocks, tiles(rows) * tiles(columns)));
  const std::size_t runs = row > 0 && row != columns ? 1 : std::min(wanted, depth / least_run);
  MatrixProduct product{
      .rows = rows, .columns = columns, .depth = static_cast<int>(depth), .transpose_a = true, .add = true, .row_c = row};
  if (runs < 2) return multiply<S, float>(graph, product, a, b, sum);
  constexpr std::size_t aligned = 16 / sizeof(S);  // rows, whatever their length
  const std::size_t each = depth / runs / aligned * aligned, done = runs * each,
                    size = static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns);
  if (done < depth) {
    product.depth = static_cast<int>(depth - done);
    multiply<S, float>(graph, product, a + done * static_cast<std::size_t>(rows), b + done * static_cast<std::size_t>(columns),
                       sum);
  }
  const Workspace<float> partial(graph, runs * size);
  product = {.rows = rows,
             .columns = columns,
             .depth = static_cast<int>(each),
             .transpose_a = true,
             .unaligned = size % 4 != 0,
             .batch = static_cast<int>(runs),
             .apart_a = static_cast<std::int64_t>(each) * rows,
             .apart_b = static_cast<std::int64_t>(each) * columns,
             .apart_c = static_cast<std::int64_t>(size)};
  multiply<S, float>(graph, product, a, b, partial);
  if (!graph.dry()) kernels::add_partial_sums(stream_of(graph), partial, static_cast<unsigned>(runs), size, sum);
}

/// @brief The convolutions of a layer on cuDNN, whose filters are (y's channels, kernel, kernel, x's channels), in the images'
/// scalar: for bfloat16 the weights are rounded at every call, and so is what one call adds to their float gradient.
///
/// Of a transposed layer, whose weight is ours the other way round, filters are reordered at every call.
template <class S>
class Convolution {
 public:
  Convolution(Graph& graph, const ops::ConvolutionParameters& layer, const ops::ConvolutionGeometry& geometry)
      : graph_(graph), layer_(layer), g_(geometry) {}

  void forward(const S* x, S* y) const {
    const std::size_t cells = g_.output.cells();
    const float* bias = graph_.parameters().value(layer_.bias);
    if (!g_.accumulate) {
      product(Pass::forward, x, y);
      return add_bias(graph_, y, bias, cells, layer_.outputs);
    }
    const Workspace<S> own(graph_, g_.output.size());
    product(Pass::forward, x, own);
    if (!graph_.dry()) kernels::epilogue<ops::Identity, S>(stream_of(graph_), own, bias, y, cells, layer_.outputs, y);
  }

  /// grad_x may be null.
  void backward(const S* x, const S* grad_y, S* grad_x) const {
    add_column_sums(graph_, grad_y, g_.output.cells(), layer_.outputs, graph_.parameters().gradient(layer_.bias));
    filter_gradient(x, grad_y);
    if (grad_x != nullptr) product(Pass::data, grad_y, grad_x);
  }

 private:
  using Pass = ConvolutionProblem::Pass;
  static constexpr bool narrow = !std::is_same_v<S, float>;

  ConvolutionProblem problem(Pass pass) const { return ConvolutionProblem::of(g_, pass, narrow); }
  int taps() const { return layer_.kernel * layer_.kernel; }

  /// An image from the other one and the filters: forward, from the layer's input; data, from the output's gradient.
  void product(Pass pass, const S* from, S* to) const {
    const auto p = problem(pass);
    const bool makes_y = p.pass == Pass::forward;
    const Workspace<float> reordered(graph_, g_.transposed ? layer_.weight.size : 0);
    const float* w = graph_.parameters().value(layer_.weight);
    if (g_.transposed) {
      if (!graph_.dry()) kernels::reorder_filter(stream_of(graph_), w, layer_.outputs, taps(), layer_.inputs, reordered);
      w = reordered;
    }
    run(p, makes_y ? from : to, WeightIn<S>(graph_, w, layer_.weight.size), makes_y ? to : from);
  }

  void filter_gradient(const S* x, const S* grad_y) const {
    const Workspace<S> filters(graph_, layer_.weight.size);
    run(problem(Pass::filter), g_.transposed ? grad_y : x, filters, g_.transposed ? x : grad_y);
    if constexpr (narrow) {
      const Workspace<float> widened(graph_, layer_.weight.size);
      if (!graph_.dry())
        kernels::cast(stream_of(graph_), static_cast<const S*>(filters), layer_.weight.size, static_cast<float*>(widened));
      add_gradient(widened);
    } else {
      add_gradient(filters);
    }
  }

  void add_gradient(const float* filters) const {
    if (graph_.dry()) return;
    float* sum = graph_.parameters().gradient(layer_.weight);
    if (g_.transposed)
      kernels::add_reordered_filter(stream_of(graph_), filters, layer_.outputs, taps(), layer_.inputs, sum);
    else
      kernels::accumulate(stream_of(graph_), sum, filters, layer_.weight.size);
  }

  void run(const ConvolutionProblem& problem, const S* x, const S* w, const S* y) const {
    auto& cudnn = graph_.device().library<Cudnn>();
    // Of few sizes, so that convolutions lend each other theirs.
    const Workspace<std::byte> workspace(graph_, std::bit_ceil(std::max<std::size_t>(cudnn.plan(problem).workspace, 1)));
    if (!graph_.dry()) cudnn.run(problem, x, w, y, workspace);
  }

  Graph& graph_;
  const ops::ConvolutionParameters& layer_;
  const ops::ConvolutionGeometry& g_;
};

template <class T, class S>
void convolution_forward(Graph& graph, const ops::ConvolutionParameters& layer, const ops::ConvolutionGeometry& g, const S* x,
                         S* y) {
  Convolution<S>(graph, layer, g).forward(x, y);
}
template <class T, class S>
void convolution_backward(Graph& graph, const ops::ConvolutionParameters& layer, const ops::ConvolutionGeometry& g, const S* x,
                          const S* grad_y, S* grad_x) {
  Convolution<S>(graph, layer, g).backward(x, grad_y, grad_x);
}

/// @brief {loss, number of queried elements} in the device's memory, once the stream has come so far; void after Device::reset().
struct DeviceLoss {
  const float* result = nullptr;
};

/// @brief Bytes, 1 = scored, and partial counts of them from the kernel that made them.
struct CountedQuery {
  const std::uint8_t* bytes;
  const unsigned* counts;
  unsigned count_blocks;
};

inline DeviceLoss masked_loss_forward(Graph& graph, const float* estimate, const float* target, const CountedQuery& query,
                                      std::size_t size, float* gradient) {
  float* result = graph.take<float>(2);
  const Workspace<float> sums(graph, kernels::blocks_for(size));
  if (!graph.dry())
    kernels::masked_loss(stream_of(graph), estimate, target, query.bytes, size, {sums, query.counts, query.count_blocks},
                         gradient, result);
  return {result};
}
inline DeviceLoss masked_loss_forward(Graph& graph, const float* estimate, const float* target, const std::uint8_t* query,
                                      std::size_t size, float* gradient) {
  const unsigned blocks = kernels::blocks_for(size);
  const Workspace<unsigned> counts(graph, blocks);
  if (!graph.dry()) kernels::count_queried(stream_of(graph), query, size, counts);
  return masked_loss_forward(graph, estimate, target, CountedQuery{query, counts, blocks}, size, gradient);
}

}  // namespace lacuna::cuda
