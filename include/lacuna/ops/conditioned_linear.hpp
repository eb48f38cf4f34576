#pragma once

#include "lacuna/ops/convolution.hpp"
#include "lacuna/ops/grid_coordinates.hpp"
#include "lacuna/ops/pointwise_linear.hpp"

namespace lacuna::ops {

/// @brief Operands of conditioned_linear(); without features their data is null.
template <class T, class S>
struct ConditionedOperands {
  LinearParameters layer;
  Variable<S> x;
  Variable<T> features;
  int axes;

  int width() const { return features.data != nullptr ? features.shape.channels : 0; }
  /// Columns of the weight that act on x, on the features, on the coordinates: where the latter two begin.
  int first_feature() const { return x.shape.channels; }
  int first_axis() const { return x.shape.channels + width(); }
  GridExtents grid() const {
    const auto cells = [](int n) { return static_cast<unsigned>(n); };
    return {cells(x.shape.frames), cells(x.shape.height), cells(x.shape.width)};
  }
};

/// @brief conditioned_linear() on the CPU.
template <class T, class S>
class ConditionedLinear {
 public:
  ConditionedLinear(Graph<T>& graph, const ConditionedOperands<T, S>& o)
      : graph_(graph), layer_(o.layer), x_(o.x), features_(o.features), grid_(o.grid()), axes_(o.axes), width_(o.width()) {}

  void forward(S* y) const {
    const auto out = static_cast<std::size_t>(layer_.outputs), cells = grid_.cells(),
               batch = static_cast<std::size_t>(x_.shape.batch);
    const T* weight = graph_.parameters().value(layer_.weight);
    T* offsets = graph_.take(batch * out);  // (B, out): bias and features
    T* slopes = graph_.take(static_cast<std::size_t>(axes_) * out);
    if (!graph_.dry()) {
      const T* bias = graph_.parameters().value(layer_.bias);
      for (std::size_t b = 0; b < batch; ++b)
        for (std::size_t o = 0; o < out; ++o) {
          T sum = bias[o];
          for (std::size_t d = 0; d < static_cast<std::size_t>(width_); ++d)
            sum += of_feature(weight, o, d) * features_.data[b * static_cast<std::size_t>(width_) + d];
          offsets[b * out + o] = sum;
        }
      for (std::size_t a = 0; a < static_cast<std::size_t>(axes_); ++a)
        for (std::size_t o = 0; o < out; ++o) slopes[a * out + o] = of_axis(weight, o, a);
    }
    pointwise_forward(graph_, x_.shape.cells(), Strided<const T>{weight, layer_.inputs}, x_.data, x_.shape.channels, y,
                      layer_.outputs, Into::overwritten, [&](std::size_t i, T* to) {
                        const auto at = grid_coordinates<T>(grid_, static_cast<unsigned>(i % cells), axes_);
                        const T* offset = offsets + i / cells * out;
                        for (std::size_t o = 0; o < out; ++o) {
                          T sum = offset[o];
                          for (std::size_t a = 0; a < static_cast<std::size_t>(axes_); ++a)
                            sum += at.along[a] * slopes[a * out + o];
                          to[o] += sum;
                        }
                      });
    graph_.give(slopes, static_cast<std::size_t>(axes_) * out);
    graph_.give(offsets, batch * out);
  }

  void backward(const S* grad_y, InputGradient input_gradient) const {
    auto& p = graph_.parameters();
    const auto out = static_cast<std::size_t>(layer_.outputs);
    T* grad_weight = p.gradient(layer_.weight);
    pointwise_parameter_gradients(graph_, x_.shape.cells(), x_.data, x_.shape.channels, grad_y, layer_.outputs, grad_weight,
                                  layer_.inputs, static_cast<T*>(nullptr));
    const std::size_t each = (static_cast<std::size_t>(axes_) + 1) * out, batch = static_cast<std::size_t>(x_.shape.batch);
    T* sums = graph_.take(batch * each);  // (B, 1 + axes, out): sums of grad_y, and of grad_y times the coordinates
    if (!graph_.dry()) std::fill_n(sums, batch * each, T(0));
    const std::size_t cells = grid_.cells();
    for (std::size_t b = 0; b < batch; ++b)
      sum_over_rows(graph_, cells, sums + b * each, each, [&](Range r, T* own) {
        for (std::size_t i = r.begin; i < r.end; ++i) {
          const auto at = grid_coordinates<T>(grid_, static_cast<unsigned>(i), axes_);
          const S* g = grad_y + (b * cells + i) * out;
          for (std::size_t o = 0; o < out; ++o) own[o] += static_cast<T>(g[o]);
          for (std::size_t a = 0; a < static_cast<std::size_t>(axes_); ++a)
            for (std::size_t o = 0; o < out; ++o) own[(a + 1) * out + o] += at.along[a] * static_cast<T>(g[o]);
        }
      });
    if (!graph_.dry()) add_sums(sums, each);
    if (width_ > 0) feature_gradient(sums, each);
    graph_.give(sums, batch * each);
    if (input_gradient == InputGradient::computed)
      pointwise_input_gradient(graph_, x_, Strided<const T>{p.value(layer_.weight), layer_.inputs}, grad_y, layer_.outputs);
  }

 private:
  template <class U>
  U& of_feature(U* weight, std::size_t output, std::size_t feature) const {
    return weight[output * static_cast<std::size_t>(layer_.inputs) + static_cast<std::size_t>(x_.shape.channels) + feature];
  }
  template <class U>
  U& of_axis(U* weight, std::size_t output, std::size_t axis) const {
    return of_feature(weight, output, static_cast<std::size_t>(width_) + axis);
  }
  void add_sums(const T* sums, std::size_t each) const {
    auto& p = graph_.parameters();
    const auto out = static_cast<std::size_t>(layer_.outputs), width = static_cast<std::size_t>(width_);
    for (std::size_t b = 0; b < static_cast<std::size_t>(x_.shape.batch); ++b)
      for (std::size_t o = 0; o < out; ++o) {
        const T* of_sample = sums + b * each + o;
        p.gradient(layer_.bias)[o] += of_sample[0];
        for (std::size_t a = 0; a < static_cast<std::size_t>(axes_); ++a)
          of_axis(p.gradient(layer_.weight), o, a) += of_sample[(a + 1) * out];
        for (std::size_t d = 0; d < width; ++d)
          of_feature(p.gradient(layer_.weight), o, d) += of_sample[0] * features_.data[b * width + d];
      }
  }

  void feature_gradient(const T* sums, std::size_t each) const {
    const auto width = static_cast<std::size_t>(width_);
    T* gradient = graph_.take(features_.shape.size());
    if (!graph_.dry())
      for (std::size_t b = 0; b < static_cast<std::size_t>(x_.shape.batch); ++b)
        for (std::size_t d = 0; d < width; ++d) {
          T sum = 0;
          for (std::size_t o = 0; o < static_cast<std::size_t>(layer_.outputs); ++o)
            sum += sums[b * each + o] * of_feature(graph_.parameters().value(layer_.weight), o, d);
          gradient[b * width + d] = sum;
        }
    graph_.contribute(features_, gradient);
  }

  Graph<T>& graph_;
  LinearParameters layer_;
  Variable<S> x_;
  Variable<T> features_;
  GridExtents grid_;
  int axes_, width_;
};

template <class T, class S>
void conditioned_linear_forward(Graph<T>& graph, const ConditionedOperands<T, S>& o, S* y) {
  ConditionedLinear<T, S>(graph, o).forward(y);
}
template <class T, class S>
void conditioned_linear_backward(Graph<T>& graph, const ConditionedOperands<T, S>& o, const S* grad_y,
                                 InputGradient input_gradient) {
  ConditionedLinear<T, S>(graph, o).backward(grad_y, input_gradient);
}

/// @brief y = W [x, features, grid] + b, where the features are one row a sample and the grid is one coordinate an axis.
///
/// The same numbers as broadcasting features and coordinates over the grid, concatenating and multiplying, without doing so:
/// W's columns act on x at every cell, on the features once a sample, on the coordinates once a cell of the grid.
/// Shapes: x (B,T,H,W,in), features (B,1,1,1,D) or none -> y (B,T,H,W,out); layer.inputs = in + D + axes. Coordinates: i/n for
/// cell i of n, along (H, W) for two axes, (T, H, W) for three.
/// Gradient: added to x's (unless skipped), the features' and the parameters'. NaN: propagates within its position.
/// Backends: cpu, cuda. Determinism: independent of the number of threads.
/// Throws: ShapeError if the widths do not add up.
template <class T, class D, class S>
Variable<S> conditioned_linear(Graph<T, D>& graph, const LinearParameters& layer, const Variable<S>& x,
                               const Variable<T>* features, int axes, InputGradient input_gradient = InputGradient::computed) {
  const ConditionedOperands<T, S> o{layer, x, features != nullptr ? *features : Variable<T>{}, axes};
  const int width = features != nullptr ? features->shape.channels : 0;
  require<ShapeError>(x.shape.channels + width + axes == layer.inputs, "conditioned_linear: x has shape ", x.shape,
                      " and the features ", width, " channels; expected ", layer.inputs - axes, " in all");
  if (features != nullptr)
    require_shape("conditioned_linear", "features", features->shape, {.batch = x.shape.batch, .channels = width});
  const std::size_t in = x.shape.size(), out = x.shape.cells() * static_cast<std::size_t>(layer.outputs);
  const auto scope = graph.template op<S>(
      "conditioned_linear", {.forward = in + out, .backward = (input_gradient == InputGradient::computed ? 2 : 1) * in + out});
  const auto y = graph.template make<S>(x.shape.with_channels(layer.outputs));
  conditioned_linear_forward<T, S>(graph, o, y.data);
  graph.record([&graph, o, y, input_gradient] {
    conditioned_linear_backward<T, S>(graph, o, y.node->gradient, input_gradient);
    graph.finish(y);
  });
  return y;
}

}  // namespace lacuna::ops
