#pragma once

#include <Eigen/Core>

#include "lacuna/autograd/graph.hpp"
#include "lacuna/ops/matrix_product.hpp"

namespace lacuna::ops {

/// @brief Parameters of a linear layer: weight (out, in), bias (out).
struct LinearParameters {
  Parameter weight, bias;
  int inputs = 0, outputs = 0;
};

/// Rows of channels as Eigen's matrices.
template <class T>
using RowMajor = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

template <class T>
void linear_forward(Graph<T>& graph, const LinearParameters& layer, const T* x, std::size_t cells, T* y) {
  if (graph.dry()) return;
  using Constant = Eigen::Map<const RowMajor<T>>;
  const LibraryThreads serial(1);
  const auto rows = static_cast<Eigen::Index>(cells);
  const auto& p = graph.parameters();
  Eigen::Map<RowMajor<T>> result(y, rows, layer.outputs);
  set_product(Constant(x, rows, layer.inputs), Constant(p.value(layer.weight), layer.outputs, layer.inputs).transpose(), result);
  result.rowwise() += Eigen::Map<const Eigen::Matrix<T, 1, Eigen::Dynamic>>(p.value(layer.bias), layer.outputs);
}
template <class T>
void linear_backward(Graph<T>& graph, const LinearParameters& layer, const T* x, std::size_t cells, const T* grad_y, T* grad_x) {
  if (graph.dry()) return;
  using Constant = Eigen::Map<const RowMajor<T>>;
  using Mutable = Eigen::Map<RowMajor<T>>;
  const LibraryThreads serial(1);
  const auto rows = static_cast<Eigen::Index>(cells);
  auto& p = graph.parameters();
  const Constant gradient(grad_y, rows, layer.outputs);
  add_product(gradient.transpose(), Constant(x, rows, layer.inputs),
              Mutable(p.gradient(layer.weight), layer.outputs, layer.inputs));
  Eigen::Map<Eigen::Matrix<T, 1, Eigen::Dynamic>>(p.gradient(layer.bias), layer.outputs) += gradient.colwise().sum();
  set_product(gradient, Constant(p.value(layer.weight), layer.outputs, layer.inputs), Mutable(grad_x, rows, layer.inputs));
}

/// @brief y = W x + b along the channels of every position.
///
/// Shapes: x (B,T,H,W,in) -> y (B,T,H,W,out). Gradient: x's is handed over, parameters' accumulate.
/// NaN: propagates within its position. Backends: cpu (Eigen, one thread: these layers are small). Determinism: independent of
/// the number of threads. Throws: ShapeError on a channel mismatch.
template <class T, class D>
Variable<T> linear(Graph<T, D>& graph, const LinearParameters& layer, const Variable<T>& x) {
  require<ShapeError>(x.shape.channels == layer.inputs, "linear: x has shape ", x.shape, ", expected ", layer.inputs,
                      " channels");
  const std::size_t in = x.shape.size(), out = x.shape.cells() * static_cast<std::size_t>(layer.outputs);
  const auto scope = graph.op("linear", {.forward = in + out, .backward = 2 * in + out});
  const auto y = graph.make(x.shape.with_channels(layer.outputs));
  linear_forward<T>(graph, layer, x.data, x.shape.cells(), y.data);
  graph.record([&graph, layer, x, y] {
    T* grad_x = graph.take(x.shape.size());
    linear_backward<T>(graph, layer, x.data, x.shape.cells(), y.node->gradient, grad_x);
    graph.contribute(x, grad_x);
    graph.finish(y);
  });
  return y;
}

}  // namespace lacuna::ops
