#pragma once

#include <type_traits>

#include "lacuna/autograd/graph.hpp"
#include "lacuna/ops/canvas.hpp"
#include "lacuna/ops/cast.hpp"
#include "lacuna/ops/convolution_eigen.hpp"
#include "lacuna/ops/convolution_geometry.hpp"
#include "lacuna/ops/convolution_onednn.hpp"

namespace lacuna::ops {

/// @brief Parameters of a convolution: weight (out, kernel, kernel, in), bias (out).
struct ConvolutionParameters {
  Parameter weight, bias;
  int inputs = 0, outputs = 0, kernel = 3, stride = 1, padding = 1;
  bool transposed = false;
  Borders borders;  ///< of the image it is applied to
};

/// @brief A layer whose borders are laid around its image beforehand: `margin` cells on every side, of which it then needs none.
struct BorderedConvolution {
  ConvolutionParameters layer;
  int margin = 0;

  explicit BorderedConvolution(const ConvolutionParameters& given) : layer(given) {
    if (given.borders == Borders{} || given.padding == 0) return;
    // Of a transposed convolution the outputs at an edge are reached from as many inputs beyond it.
    margin = given.transposed ? (given.kernel - 1 - given.padding) / given.stride : given.padding;
    layer.padding = given.transposed ? given.padding + margin * given.stride : 0;
    layer.borders = {};
  }
  Window window(const Shape& x) const { return {-margin, -margin, x.height + 2 * margin, x.width + 2 * margin}; }
};

/// @brief Chooses the path of one convolution: oneDNN for float and bfloat16 where device and machine allow, Eigen otherwise (for
/// bfloat16 on float copies).
template <class T, class S>
class ConvolutionPath {
 public:
  ConvolutionPath(Graph<T>& graph, const ConvolutionGeometry& geometry) : graph_(graph), g_(geometry) {}

  void forward(const S* x, const T* weight, const T* bias, S* y) {
    if constexpr (library_serves)
      if (use_library()) {
        if (graph_.dry()) return library().template dry_forward<S>(g_);
        return library().forward(g_, x, weight, bias, y);
      }
    const Copy from(graph_, g_.input, x, Copy::filled), to(graph_, g_.output, y, g_.accumulate);
    plain().forward(from.data, weight, bias, to.data);
    to.hand_over(y);
  }

  /// grad_x may be null; gradients of the parameters are added to.
  void backward(const S* x, const T* weight, const S* grad_y, S* grad_x, T* grad_weight, T* grad_bias) {
    if constexpr (library_serves)
      if (use_library()) {
        if (graph_.dry()) return library().template dry_backward<S>(g_, grad_x != nullptr);
        library().backward_weights(g_, x, grad_y, grad_weight, grad_bias);
        if (grad_x != nullptr) library().backward_data(g_, grad_y, weight, grad_x);
        return;
      }
    const Copy of_y(graph_, g_.output, grad_y, Copy::filled);
    {
      const Copy from(graph_, g_.input, x, Copy::filled);
      plain().backward_weights(from.data, of_y.data, grad_weight, grad_bias);
    }
    if (grad_x == nullptr) return;
    const Copy to(graph_, g_.input, grad_x, Copy::empty);
    plain().backward_data(of_y.data, weight, to.data);
    to.hand_over(grad_x);
  }

 private:
  /// An image in the parameters' scalar: itself, or for bfloat16 a copy for the length of a scope.
  struct Copy {
    static constexpr bool filled = true, empty = false, needed = !std::is_same_v<S, T>;

    template <class P>
    Copy(Graph<T>& g, const Shape& shape, P* image, bool fill) : graph(g), size(shape.size()) {
      if constexpr (needed) {
        data = graph.take(size);
        if (fill && !graph.dry()) convert(image, data, size);
      } else {
        data = const_cast<T*>(image);
      }
    }
    ~Copy() {
      if (needed) graph.give(data, size);
    }
    Copy(const Copy&) = delete;
    Copy& operator=(const Copy&) = delete;
    void hand_over(S* image) const {
      if constexpr (needed)
        if (!graph.dry()) convert(data, image, size);
    }

    Graph<T>& graph;
    std::size_t size;
    T* data;
  };
  EigenConvolution<T> plain() { return {graph_.device(), g_, graph_.dry()}; }

#if defined(LACUNA_HAS_ONEDNN) && defined(__CUDACC__)
  static_assert(!std::is_same_v<T, T>,
                "nvcc cannot read oneDNN's header: keep networks on the CPU to files that the host compiler reads, or compile "
                "this one without LACUNA_HAS_ONEDNN");
  static constexpr bool library_serves = false;
#elif defined(LACUNA_HAS_ONEDNN)
  static constexpr bool library_serves = std::is_same_v<T, float>;
  OneDnn& library() { return graph_.device().template library<OneDnn>(); }
  bool use_library() const { return graph_.device().convolutions() == cpu::Convolutions::onednn && OneDnn::serves<S>(); }
#else
  static constexpr bool library_serves = false;
#endif
#if !defined(LACUNA_HAS_ONEDNN) || defined(__CUDACC__)  // for the branch that is discarded; T, so that nothing is looked up in it
  bool use_library() const;
  T& library();
#endif

  Graph<T>& graph_;
  ConvolutionGeometry g_;
};

/// @brief Whether an op computes the gradient of its input: the first layer of a network does not need it.
enum class InputGradient { computed, skipped };

inline Traffic convolution_traffic(const ConvolutionGeometry& g, InputGradient input_gradient) {
  const std::size_t x = g.input.size(), y = g.output.size();
  return {.forward = x + (g.accumulate ? 2 : 1) * y, .backward = (input_gradient == InputGradient::computed ? 2 : 1) * x + y};
}

template <class T, class S>
void convolution_forward(Graph<T>& graph, const ConvolutionParameters& layer, const ConvolutionGeometry& g, const S* x, S* y) {
  const auto& p = graph.parameters();
  ConvolutionPath<T, S>(graph, g).forward(x, p.value(layer.weight), p.value(layer.bias), y);
}
/// grad_x may be null; gradients of the parameters are added to.
template <class T, class S>
void convolution_backward(Graph<T>& graph, const ConvolutionParameters& layer, const ConvolutionGeometry& g, const S* x,
                          const S* grad_y, S* grad_x) {
  auto& p = graph.parameters();
  ConvolutionPath<T, S>(graph, g).backward(x, p.value(layer.weight), grad_y, grad_x, p.gradient(layer.weight),
                                           p.gradient(layer.bias));
}

template <class T, class D, class S>
void record_convolution(Graph<T, D>& graph, const ConvolutionParameters& layer, const Variable<S>& x, const Variable<S>& y,
                        const ConvolutionGeometry& g, InputGradient input_gradient, bool owns_result) {
  graph.record([&graph, layer, x, y, g, input_gradient, owns_result] {
    S* grad_x = input_gradient == InputGradient::computed ? graph.template take<S>(x.shape.size()) : nullptr;
    convolution_backward<T, S>(graph, layer, g, x.data, y.node->gradient, grad_x);
    if (grad_x != nullptr) graph.contribute(x, grad_x);
    if (owns_result) graph.finish(y);
  });
}

inline ConvolutionGeometry convolution_geometry(const ConvolutionParameters& layer, const Shape& x) {
  require<ShapeError>(x.channels == layer.inputs, "convolution: x has shape ", x, ", expected ", layer.inputs, " channels");
  return {x,
          convolution_output(x, layer.outputs, layer.kernel, layer.stride, layer.padding, layer.transposed),
          layer.kernel,
          layer.stride,
          layer.padding,
          layer.transposed};
}

/// @brief 2-D convolution over rows and columns of every frame: y = w * x + b (or its transpose).
///
/// Shapes: x (B,T,H,W,in) -> y (B,T,H',W',out), H' = (H + 2 padding - kernel) / stride + 1; transposed: (H-1) stride - 2 padding
/// + kernel. Gradient: x's is handed over, parameters' accumulate. NaN: propagates; mask the input first.
/// Borders: as the layer says; others than zero cost a copy of the image with its border, which is kept for the way back.
/// bfloat16: x, y and their gradients, with float parameters and sums. Backends: cpu (oneDNN for float and bfloat16, Eigen
/// otherwise; they agree to rounding). Throws: ShapeError on a channel mismatch.
template <class T, class D, class S>
Variable<S> convolution(Graph<T, D>& graph, const ConvolutionParameters& layer, const Variable<S>& x,
                        InputGradient input_gradient = InputGradient::computed) {
  const auto g = convolution_geometry(layer, x.shape);
  if (const BorderedConvolution bordered(layer); bordered.margin > 0) {
    const auto grown = canvas(graph, x, bordered.window(x.shape), layer.borders);
    const auto y = convolution(graph, bordered.layer, grown, input_gradient);
    graph.release(grown);
    return y;
  }
  const auto scope = graph.template op<S>("convolution", convolution_traffic(g, input_gradient));
  const auto y = graph.template make<S>(g.output);
  convolution_forward<T, S>(graph, layer, g, x.data, y.data);
  record_convolution(graph, layer, x, y, g, input_gradient, true);
  return y;
}

/// @brief Adds the convolution of x to `sum` in place (a residual's projection costs no buffer and no pass of its own).
/// Throws: ShapeError if sum's shape is not the convolution's output shape.
template <class T, class D, class S>
void convolution_add(Graph<T, D>& graph, const ConvolutionParameters& layer, const Variable<S>& x, const Variable<S>& sum) {
  auto g = convolution_geometry(layer, x.shape);
  require_shape("convolution_add", "sum", sum.shape, g.output);
  if (const BorderedConvolution bordered(layer); bordered.margin > 0) {
    const auto grown = canvas(graph, x, bordered.window(x.shape), layer.borders);
    convolution_add(graph, bordered.layer, grown, sum);
    return graph.release(grown);
  }
  g.accumulate = true;
  const auto scope = graph.template op<S>("convolution_add", convolution_traffic(g, InputGradient::computed));
  convolution_forward<T, S>(graph, layer, g, x.data, sum.data);
  record_convolution(graph, layer, x, sum, g, InputGradient::computed, false);
}

}  // namespace lacuna::ops
