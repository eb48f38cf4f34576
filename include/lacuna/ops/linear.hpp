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

/// @brief y = W x + b along the channels of every position.
///
/// Shapes: x (B,T,H,W,in) -> y (B,T,H,W,out). Gradient: x's is handed over, parameters' accumulate.
/// NaN: propagates within its position. Backends: cpu (Eigen, one thread: these layers are small). Determinism: independent of
/// the number of threads. Throws: ShapeError on a channel mismatch.
template <class T>
Variable<T> linear(Graph<T>& graph, const LinearParameters& layer, const Variable<T>& x) {
  using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  using Constant = Eigen::Map<const Matrix>;
  using Mutable = Eigen::Map<Matrix>;
  require<ShapeError>(x.shape.channels == layer.inputs, "linear: x has shape ", x.shape, ", expected ", layer.inputs,
                      " channels");
  const std::size_t in = x.shape.size(), out = x.shape.cells() * static_cast<std::size_t>(layer.outputs);
  const auto scope = graph.op("linear", {.forward = in + out, .backward = 2 * in + out});
  const auto y = graph.make(x.shape.with_channels(layer.outputs));
  const auto rows = static_cast<Eigen::Index>(x.shape.cells());
  if (!graph.dry()) {
    const LibraryThreads serial(1);
    const auto& p = graph.parameters();
    Mutable result(y.data, rows, layer.outputs);
    set_product(Constant(x.data, rows, layer.inputs), Constant(p.value(layer.weight), layer.outputs, layer.inputs).transpose(),
                result);
    result.rowwise() += Eigen::Map<const Eigen::Matrix<T, 1, Eigen::Dynamic>>(p.value(layer.bias), layer.outputs);
  }
  graph.record([&graph, layer, x, y, rows] {
    T* grad_x = graph.take(x.shape.size());
    if (!graph.dry()) {
      const LibraryThreads serial(1);
      auto& p = graph.parameters();
      const Constant grad_y(y.node->gradient, rows, layer.outputs);
      add_product(grad_y.transpose(), Constant(x.data, rows, layer.inputs),
                  Mutable(p.gradient(layer.weight), layer.outputs, layer.inputs));
      Eigen::Map<Eigen::Matrix<T, 1, Eigen::Dynamic>>(p.gradient(layer.bias), layer.outputs) += grad_y.colwise().sum();
      set_product(grad_y, Constant(p.value(layer.weight), layer.outputs, layer.inputs), Mutable(grad_x, rows, layer.inputs));
    }
    graph.contribute(x, grad_x);
    graph.finish(y);
  });
  return y;
}

}  // namespace lacuna::ops
