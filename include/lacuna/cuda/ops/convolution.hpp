#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <type_traits>

#include "kernels/accumulate.cuh"
#include "kernels/cast.cuh"
#include "kernels/filter_layout.cuh"
#include "lacuna/cuda/cudnn.hpp"
#include "lacuna/cuda/epilogue.hpp"
#include "lacuna/cuda/ops/canvas.hpp"
#include "lacuna/cuda/ops/column_sums.hpp"
#include "lacuna/cuda/products.hpp"
#include "lacuna/ops/convolution.hpp"

namespace lacuna::cuda {

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

}  // namespace lacuna::cuda
