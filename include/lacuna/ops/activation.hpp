#pragma once

#include "lacuna/autograd/graph.hpp"
#include "lacuna/ops/activation_functions.hpp"

namespace lacuna::ops {

template <class Function, class T>
void activation_forward(Graph<T>& graph, const T* x, T* y, std::size_t size) {
  if (graph.dry()) return;
  for (std::size_t i = 0; i < size; ++i) y[i] = Function::value(x[i]);
}
template <class Function, class T>
void activation_backward(Graph<T>& graph, const T* x, const T* grad_y, T* grad_x, std::size_t size) {
  if (graph.dry()) return;
  for (std::size_t i = 0; i < size; ++i) grad_x[i] = Function::derivative(x[i]) * grad_y[i];
}

/// @brief y = f(x), element by element; for small tensors such as a time embedding (images use the fused norm).
///
/// Shapes: x, y alike. Gradient: grad_x = f'(x) grad_y, handed to x. NaN: propagates within its element.
template <class Function, class T, class D>
Variable<T> activation(Graph<T, D>& graph, const Variable<T>& x) {
  const auto scope = graph.op("activation", {.forward = 2 * x.shape.size(), .backward = 3 * x.shape.size()});
  const auto y = graph.make(x.shape);
  const std::size_t size = x.shape.size();
  activation_forward<Function>(graph, x.data, y.data, size);
  graph.record([&graph, x, y, size] {
    T* grad_x = graph.take(size);
    activation_backward<Function>(graph, x.data, y.node->gradient, grad_x, size);
    graph.contribute(x, grad_x);
    graph.finish(y);
  });
  return y;
}

}  // namespace lacuna::ops
