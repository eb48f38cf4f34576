#pragma once

#include "lacuna/autograd/graph.hpp"
#include "lacuna/ops/activation_functions.hpp"

namespace lacuna::ops {

/// @brief y = f(x), element by element; for small tensors such as a time embedding (images use the fused norm).
///
/// Shapes: x, y alike. Gradient: grad_x = f'(x) grad_y, handed to x. NaN: propagates within its element.
template <class Function, class T>
Variable<T> activation(Graph<T>& graph, const Variable<T>& x) {
  const auto scope = graph.op("activation", {.forward = 2 * x.shape.size(), .backward = 3 * x.shape.size()});
  const auto y = graph.make(x.shape);
  const std::size_t size = x.shape.size();
  if (!graph.dry())
    for (std::size_t i = 0; i < size; ++i) y.data[i] = Function::value(x.data[i]);
  graph.record([&graph, x, y, size] {
    T* grad_x = graph.take(size);
    if (!graph.dry())
      for (std::size_t i = 0; i < size; ++i) grad_x[i] = Function::derivative(x.data[i]) * y.node->gradient[i];
    graph.contribute(x, grad_x);
    graph.finish(y);
  });
  return y;
}

}  // namespace lacuna::ops
