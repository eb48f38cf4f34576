#pragma once

#include "lacuna/autograd/graph.hpp"
#include "lacuna/ops/column_sums.hpp"
#include "lacuna/ops/panel_product.hpp"
#include "lacuna/ops/row_tasks.hpp"

namespace lacuna::ops {

/// @brief Parameters of a linear layer: weight (out, in), bias (out).
struct LinearParameters {
  Parameter weight, bias;
  int inputs = 0, outputs = 0;
};

/// @brief Up to so many rows, as the diffusion time has, are transposed where of more rows the weight is.
inline constexpr std::size_t few_rows = 32;

/// @brief to (rows, outputs) = W from, or += it, by way of transposes: to^T = W from^T. Sums have the order that they have for
/// more rows. turned: (inputs + outputs, rows).
template <class T>
void few_rows_product(Strided<const T> weight, const T* from, T* to, const ProductExtents& n, Into into, T* turned) {
  T* result = turned + n.depth * n.rows;
  for (std::ptrdiff_t r = 0; r < n.rows; ++r)
    for (std::ptrdiff_t i = 0; i < n.depth; ++i) turned[i * n.rows + r] = from[r * n.depth + i];
  if (into == Into::added)
    for (std::ptrdiff_t r = 0; r < n.rows; ++r)
      for (std::ptrdiff_t o = 0; o < n.columns; ++o) result[o * n.rows + r] = to[r * n.columns + o];
  panel_product(weight, {turned, n.rows}, {result, n.rows}, {n.columns, n.rows, n.depth}, into);
  for (std::ptrdiff_t r = 0; r < n.rows; ++r)
    for (std::ptrdiff_t o = 0; o < n.columns; ++o) to[r * n.columns + o] = result[o * n.rows + r];
}

/// @brief y (rows, outputs) = W x, or y += W x; W (outputs, inputs) may be the first columns of one with rows further apart.
/// finish(row, its channels) is called for every row before it is stored.
template <class T, class S, class Finish>
void pointwise_forward(Graph<T>& graph, std::size_t rows, Strided<const T> weight, const S* x, int inputs, S* y, int outputs,
                       Into into, const Finish& finish) {
  const auto in = static_cast<std::size_t>(inputs), out = static_cast<std::size_t>(outputs);
  const bool few = rows <= few_rows;
  const std::size_t room = few ? rows * (in + out) : in * out;
  T* turned = graph.take(room);  // else W^T: the right-hand side of a product has contiguous rows
  if (!graph.dry() && !few)
    for (std::size_t o = 0; o < out; ++o)
      for (std::size_t i = 0; i < in; ++i)
        turned[i * out + o] = weight.data[static_cast<std::ptrdiff_t>(o) * weight.row + static_cast<std::ptrdiff_t>(i)];
  for_wide_rows<S>(graph, rows, in + out, [&](Range r, WideCopies<T, S> copies) {
    const std::size_t count = r.end - r.begin;
    S* target = y + r.begin * out;
    const T* from = copies.read(x + r.begin * in, count * in);
    T* to = into == Into::overwritten ? copies.place(target, count * out) : copies.read(target, count * out);
    const ProductExtents n{static_cast<std::ptrdiff_t>(count), outputs, inputs};
    if (few)
      few_rows_product(weight, from, to, n, into, turned);
    else
      panel_product({from, inputs}, {turned, outputs}, {to, outputs}, n, into);
    for (std::size_t row = 0; row < count; ++row) finish(r.begin + row, to + row * out);
    copies.write(to, target, count * out);
  });
  graph.give(turned, room);
}

/// @brief grad_weight (outputs, inputs) += grad_y^T x, grad_bias += sum of grad_y; grad_bias may be null.
template <class T, class S>
void pointwise_parameter_gradients(Graph<T>& graph, std::size_t rows, const S* x, int inputs, const S* grad_y, int outputs,
                                   T* grad_weight, std::ptrdiff_t weight_row, T* grad_bias) {
  using Copies = WideCopies<T, S>;
  const auto in = static_cast<std::size_t>(inputs), out = static_cast<std::size_t>(outputs);
  const std::size_t own_room = Copies::size(rows_of_a_task * (in + out));
  const std::size_t room = own_room * static_cast<std::size_t>(summing_runs(rows));
  T* copies = Copies::needed ? graph.take(room) : nullptr;
  T* sums = graph.take(out * (in + 1));
  if (!graph.dry()) std::fill_n(sums, out * (in + 1), T(0));
  sum_over_rows(graph, rows, sums, out * (in + 1), [&](Range all, T* own, int run) {
    const std::size_t step = Copies::needed ? rows_of_a_task : all.end - all.begin;
    for (std::size_t begin = all.begin; begin < all.end; begin += step) {
      const std::size_t count = std::min(step, all.end - begin);
      Copies some(copies + own_room * static_cast<std::size_t>(run));
      const T *from = some.read(x + begin * in, count * in), *grad = some.read(grad_y + begin * out, count * out);
      panel_product(Strided<const T>{grad, outputs}.transposed(), {from, inputs}, {own, inputs},
                    {outputs, inputs, static_cast<std::ptrdiff_t>(count)}, Into::added);
      if (grad_bias != nullptr) add_rows(grad, Range{0, count}, out, own + in * out);
    }
  });
  if (!graph.dry())
    for (std::size_t o = 0; o < out; ++o) {
      for (std::size_t i = 0; i < in; ++i)
        grad_weight[static_cast<std::ptrdiff_t>(o) * weight_row + static_cast<std::ptrdiff_t>(i)] += sums[o * in + i];
      if (grad_bias != nullptr) grad_bias[o] += sums[in * out + o];
    }
  graph.give(sums, out * (in + 1));
  if constexpr (Copies::needed) graph.give(copies, room);
}

/// @brief Where an op writes the gradient of its operand: into memory of its own at first, then to what is there already.
template <class S>
struct GradientTarget {
  S* data;
  Into into;
};
template <class T, class D, class S>
GradientTarget<S> gradient_target(Graph<T, D>& graph, const Variable<S>& x) {
  if (x.node->gradient != nullptr) return {x.node->gradient, Into::added};
  x.node->gradient = graph.template take<S>(x.shape.size());
  return {x.node->gradient, Into::overwritten};
}

/// @brief grad_x (rows, inputs) += grad_y W.
template <class T, class S>
void pointwise_input_gradient(Graph<T>& graph, const Variable<S>& x, Strided<const T> weight, const S* grad_y, int outputs) {
  const int inputs = x.shape.channels;
  const auto in = static_cast<std::size_t>(inputs), out = static_cast<std::size_t>(outputs);
  const GradientTarget<S> grad_x = gradient_target(graph, x);
  for_wide_rows<S>(graph, x.shape.cells(), in + out, [&](Range r, WideCopies<T, S> copies) {
    const std::size_t count = r.end - r.begin;
    S* target = grad_x.data + r.begin * in;
    const T* grad = copies.read(grad_y + r.begin * out, count * out);
    T* to = grad_x.into == Into::overwritten ? copies.place(target, count * in) : copies.read(target, count * in);
    panel_product({grad, outputs}, weight, {to, inputs}, {static_cast<std::ptrdiff_t>(count), inputs, outputs}, grad_x.into);
    copies.write(to, target, count * in);
  });
}

/// @brief y = W x + b, or added to what y holds; no bias where it has size 0.
template <class T, class S>
void pointwise_linear_forward(Graph<T>& graph, const LinearParameters& layer, const S* x, std::size_t cells, S* y, Into into) {
  const auto& p = graph.parameters();
  const T* bias = layer.bias.size > 0 ? p.value(layer.bias) : nullptr;
  pointwise_forward(graph, cells, Strided<const T>{p.value(layer.weight), layer.inputs}, x, layer.inputs, y, layer.outputs, into,
                    [bias, out = layer.outputs](std::size_t, T* to) {
                      if (bias == nullptr) return;
                      for (int o = 0; o < out; ++o) to[o] += bias[o];
                    });
}

template <class T, class D, class S>
void pointwise(Graph<T, D>& graph, const LinearParameters& layer, const Variable<S>& x, const Variable<S>& y, Into into) {
  pointwise_linear_forward<T, S>(graph, layer, x.data, x.shape.cells(), y.data, into);
  graph.record([&graph, layer, x, y, into] {
    auto& p = graph.parameters();
    const S* grad_y = y.node->gradient;
    T* grad_bias = layer.bias.size > 0 ? p.gradient(layer.bias) : nullptr;
    pointwise_parameter_gradients<T, S>(graph, x.shape.cells(), x.data, layer.inputs, grad_y, layer.outputs,
                                        p.gradient(layer.weight), layer.inputs, grad_bias);
    pointwise_input_gradient<T, S>(graph, x, {p.value(layer.weight), layer.inputs}, grad_y, layer.outputs);
    if (into == Into::overwritten) graph.finish(y);
  });
}

/// @brief y = W x + b along the channels of every position. No bias where it has size 0.
///
/// Shapes: x (B,T,H,W,in) -> y (B,T,H,W,out). Gradient: added to x's and the parameters'. NaN: propagates within its position.
/// dtype: S images; bfloat16 is computed in float, a task's rows at a time; on a GPU weights are rounded to bfloat16 and sums are
/// float. Backends: cpu (own kernel for float, else Eigen), cuda (cuBLASLt). Determinism: independent of the number of threads.
/// Throws: ShapeError on a channel mismatch.
template <class T, class D, class S>
Variable<S> pointwise_linear(Graph<T, D>& graph, const LinearParameters& layer, const Variable<S>& x) {
  require<ShapeError>(x.shape.channels == layer.inputs, "pointwise_linear: x has shape ", x.shape, ", expected ", layer.inputs,
                      " channels");
  const std::size_t in = x.shape.size(), out = x.shape.cells() * static_cast<std::size_t>(layer.outputs);
  const auto scope = graph.template op<S>("pointwise_linear", {.forward = in + out, .backward = 2 * in + out});
  const auto y = graph.template make<S>(x.shape.with_channels(layer.outputs));
  pointwise(graph, layer, x, y, Into::overwritten);
  return y;
}

/// @brief Adds W x + b to `sum` in place. Throws: ShapeError also if sum's shape is not the result's.
template <class T, class D, class S>
void pointwise_linear_add(Graph<T, D>& graph, const LinearParameters& layer, const Variable<S>& x, const Variable<S>& sum) {
  require<ShapeError>(x.shape.channels == layer.inputs, "pointwise_linear_add: x has shape ", x.shape, ", expected ",
                      layer.inputs, " channels");
  require_shape("pointwise_linear_add", "sum", sum.shape, x.shape.with_channels(layer.outputs));
  const std::size_t in = x.shape.size(), out = sum.shape.size();
  const auto scope = graph.template op<S>("pointwise_linear_add", {.forward = in + 2 * out, .backward = 2 * in + out});
  pointwise(graph, layer, x, sum, Into::added);
}

}  // namespace lacuna::ops
