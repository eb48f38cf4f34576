#pragma once

#include <algorithm>

#include "lacuna/autograd/graph.hpp"

namespace lacuna::ops {

/// @brief Calls visit(at a, at b, at y) for every cell of [a, b] = y, on all threads.
template <class T, class Visit>
void for_joined_cells(Graph<T>& graph, std::size_t cells, int left, int right, const Visit& visit) {
  if (graph.dry()) return;
  const int parts = graph.device().threads();
  parallel_for(parts, parts, [&](int part) {
    const auto [begin, end] = share(cells, parts, part);
    for (std::size_t i = begin; i < end; ++i)
      visit(i * static_cast<std::size_t>(left), i * static_cast<std::size_t>(right), i * static_cast<std::size_t>(left + right));
  });
}
template <class T, class S>
void concatenate_forward(Graph<T>& graph, const S* a, const S* b, std::size_t cells, int left, int right, S* y) {
  for_joined_cells(graph, cells, left, right, [=](std::size_t at_a, std::size_t at_b, std::size_t at_y) {
    std::copy_n(a + at_a, left, y + at_y);
    std::copy_n(b + at_b, right, y + at_y + left);
  });
}
template <class T, class S>
void concatenate_backward(Graph<T>& graph, const S* grad_y, std::size_t cells, int left, int right, S* grad_a, S* grad_b) {
  for_joined_cells(graph, cells, left, right, [=](std::size_t at_a, std::size_t at_b, std::size_t at_y) {
    std::copy_n(grad_y + at_y, left, grad_a + at_a);
    std::copy_n(grad_y + at_y + left, right, grad_b + at_b);
  });
}

/// @brief y = [a, b] along the channels.
///
/// Shapes: a (B,T,H,W,C), b (B,T,H,W,D) -> y (B,T,H,W,C+D). Gradient: split and handed over. NaN: copied.
/// Cost: each operand read once, y written once. Throws: ShapeError if the positions differ.
template <class T, class D, class S>
Variable<S> concatenate(Graph<T, D>& graph, const Variable<S>& a, const Variable<S>& b) {
  require_shape("concatenate", "b", b.shape, a.shape.with_channels(b.shape.channels));
  const int left = a.shape.channels, right = b.shape.channels;
  const std::size_t size = a.shape.size() + b.shape.size();
  const auto scope = graph.template op<S>("concatenate", {.forward = 2 * size, .backward = 2 * size});
  const auto y = graph.template make<S>(a.shape.with_channels(left + right));
  const std::size_t cells = a.shape.cells();
  concatenate_forward<T, S>(graph, a.data, b.data, cells, left, right, y.data);
  graph.record([&graph, a, b, y, cells, left, right] {
    S* grad_a = graph.template take<S>(a.shape.size());
    S* grad_b = graph.template take<S>(b.shape.size());
    concatenate_backward<T, S>(graph, y.node->gradient, cells, left, right, grad_a, grad_b);
    graph.contribute(a, grad_a);
    graph.contribute(b, grad_b);
    graph.finish(y);
  });
  return y;
}

}  // namespace lacuna::ops
