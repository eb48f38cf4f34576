#pragma once

#include "lacuna/autograd/graph.hpp"
#include "lacuna/ops/linear.hpp"
#include "lacuna/ops/panel_product.hpp"
#include "lacuna/ops/row_sums.hpp"

namespace lacuna::ops {

/// @brief Positions that one task of a pointwise layer takes: their channels stay in the cache.
inline constexpr std::size_t rows_of_a_task = 256;

/// @brief task(range of rows) over all rows; runs of rows_of_a_task on as many threads as there are.
template <class T, class Task>
void for_rows(Graph<T>& graph, std::size_t rows, const Task& task) {
  if (graph.dry()) return;
  const auto tasks = static_cast<int>((rows + rows_of_a_task - 1) / rows_of_a_task);
  parallel_for(graph.device().threads(), tasks, [&](int i) {
    const std::size_t begin = static_cast<std::size_t>(i) * rows_of_a_task;
    task(Range{begin, std::min(rows, begin + rows_of_a_task)});
  });
}

/// @brief y (rows, outputs) = W x + b, or y += W x + b; W (outputs, inputs) may be the first columns of one with rows further
/// apart. b may be null.
template <class T>
void pointwise_forward(Graph<T>& graph, std::size_t rows, Strided<const T> weight, const T* bias, const T* x, int inputs, T* y,
                       int outputs, Into into) {
  const auto in = static_cast<std::size_t>(inputs), out = static_cast<std::size_t>(outputs);
  T* turned = graph.take(in * out);  // (in, out): the right-hand side of a product has contiguous rows
  if (!graph.dry())
    for (std::size_t o = 0; o < out; ++o)
      for (std::size_t i = 0; i < in; ++i)
        turned[i * out + o] = weight.data[static_cast<std::ptrdiff_t>(o) * weight.row + static_cast<std::ptrdiff_t>(i)];
  for_rows(graph, rows, [&](Range r) {
    T* to = y + r.begin * out;
    const auto count = static_cast<std::ptrdiff_t>(r.end - r.begin);
    panel_product({x + r.begin * in, inputs}, {turned, outputs}, {to, outputs}, {count, outputs, inputs}, into);
    if (bias == nullptr) return;
    for (std::ptrdiff_t row = 0; row < count; ++row)
      for (std::size_t o = 0; o < out; ++o) to[row * outputs + static_cast<std::ptrdiff_t>(o)] += bias[o];
  });
  graph.give(turned, in * out);
}

/// @brief grad_weight (outputs, inputs) += grad_y^T x, grad_bias += sum of grad_y.
template <class T>
void pointwise_parameter_gradients(Graph<T>& graph, std::size_t rows, const T* x, int inputs, const T* grad_y, int outputs,
                                   T* grad_weight, std::ptrdiff_t weight_row, T* grad_bias) {
  const auto in = static_cast<std::size_t>(inputs), out = static_cast<std::size_t>(outputs);
  T* sums = graph.take(out * (in + 1));
  if (!graph.dry()) std::fill_n(sums, out * (in + 1), T(0));
  sum_over_rows(graph, rows, sums, out * (in + 1), [&](Range r, T* own) {
    panel_product(Strided<const T>{grad_y + r.begin * out, outputs}.transposed(), {x + r.begin * in, inputs}, {own, inputs},
                  {outputs, inputs, static_cast<std::ptrdiff_t>(r.end - r.begin)});
    if (grad_bias != nullptr) add_rows(grad_y, r, out, own + in * out);
  });
  if (!graph.dry())
    for (std::size_t o = 0; o < out; ++o) {
      for (std::size_t i = 0; i < in; ++i)
        grad_weight[static_cast<std::ptrdiff_t>(o) * weight_row + static_cast<std::ptrdiff_t>(i)] += sums[o * in + i];
      if (grad_bias != nullptr) grad_bias[o] += sums[in * out + o];
    }
  graph.give(sums, out * (in + 1));
}

/// @brief grad_x (rows, inputs) += grad_y W.
template <class T>
void pointwise_input_gradient(Graph<T>& graph, const Variable<T>& x, Strided<const T> weight, const T* grad_y, int outputs) {
  const int inputs = x.shape.channels;
  const auto in = static_cast<std::size_t>(inputs), out = static_cast<std::size_t>(outputs);
  const Into into = x.node->gradient == nullptr ? Into::overwritten : Into::added;
  if (x.node->gradient == nullptr) x.node->gradient = graph.take(x.shape.size());
  T* grad_x = x.node->gradient;
  for_rows(graph, x.shape.cells(), [&](Range r) {
    panel_product({grad_y + r.begin * out, outputs}, weight, {grad_x + r.begin * in, inputs},
                  {static_cast<std::ptrdiff_t>(r.end - r.begin), inputs, outputs}, into);
  });
}

template <class T>
void pointwise(Graph<T>& graph, const LinearParameters& layer, const Variable<T>& x, const Variable<T>& y, bool owns_result) {
  const bool biased = layer.bias.size > 0;
  const auto weight = [&graph, layer] { return Strided<const T>{graph.parameters().value(layer.weight), layer.inputs}; };
  pointwise_forward(graph, x.shape.cells(), weight(), biased ? graph.parameters().value(layer.bias) : nullptr, x.data,
                    layer.inputs, y.data, layer.outputs, owns_result ? Into::overwritten : Into::added);
  graph.record([&graph, layer, x, y, biased, weight, owns_result] {
    auto& p = graph.parameters();
    const T* grad_y = y.node->gradient;
    pointwise_parameter_gradients(graph, x.shape.cells(), x.data, layer.inputs, grad_y, layer.outputs, p.gradient(layer.weight),
                                  layer.inputs, biased ? p.gradient(layer.bias) : nullptr);
    pointwise_input_gradient(graph, x, weight(), grad_y, layer.outputs);
    if (owns_result) graph.finish(y);
  });
}

/// @brief y = W x + b along the channels of every position, for images: linear() on all threads. No bias where it has size 0.
///
/// Shapes: x (B,T,H,W,in) -> y (B,T,H,W,out). Gradient: added to x's and the parameters'. NaN: propagates within its position.
/// Backends: cpu (own kernel for float, Eigen otherwise). Determinism: independent of the number of threads.
/// Throws: ShapeError on a channel mismatch.
template <class T>
Variable<T> pointwise_linear(Graph<T>& graph, const LinearParameters& layer, const Variable<T>& x) {
  require<ShapeError>(x.shape.channels == layer.inputs, "pointwise_linear: x has shape ", x.shape, ", expected ", layer.inputs,
                      " channels");
  const std::size_t in = x.shape.size(), out = x.shape.cells() * static_cast<std::size_t>(layer.outputs);
  const auto scope = graph.op("pointwise_linear", {.forward = in + out, .backward = 2 * in + out});
  const auto y = graph.make(x.shape.with_channels(layer.outputs));
  pointwise(graph, layer, x, y, true);
  return y;
}

/// @brief Adds W x + b to `sum` in place. Throws: ShapeError also if sum's shape is not the result's.
template <class T>
void pointwise_linear_add(Graph<T>& graph, const LinearParameters& layer, const Variable<T>& x, const Variable<T>& sum) {
  require<ShapeError>(x.shape.channels == layer.inputs, "pointwise_linear_add: x has shape ", x.shape, ", expected ",
                      layer.inputs, " channels");
  require_shape("pointwise_linear_add", "sum", sum.shape, x.shape.with_channels(layer.outputs));
  const std::size_t in = x.shape.size(), out = sum.shape.size();
  const auto scope = graph.op("pointwise_linear_add", {.forward = in + 2 * out, .backward = 2 * in + out});
  pointwise(graph, layer, x, sum, false);
}

}  // namespace lacuna::ops
