#pragma once

#include <algorithm>

#include "lacuna/autograd/graph.hpp"

namespace lacuna::ops {

/// @brief y = [a, b] along the channels.
///
/// Shapes: a (B,T,H,W,C), b (B,T,H,W,D) -> y (B,T,H,W,C+D). Gradient: split and handed over. NaN: copied.
/// Cost: each operand read once, y written once. Throws: ShapeError if the positions differ.
template <class T, class S>
Variable<S> concatenate(Graph<T>& graph, const Variable<S>& a, const Variable<S>& b) {
  require_shape("concatenate", "b", b.shape, a.shape.with_channels(b.shape.channels));
  const int left = a.shape.channels, right = b.shape.channels;
  const std::size_t size = a.shape.size() + b.shape.size();
  const auto scope = graph.template op<S>("concatenate", {.forward = 2 * size, .backward = 2 * size});
  const auto y = graph.template make<S>(a.shape.with_channels(left + right));
  const auto for_cells = [cells = a.shape.cells(), left, right](Graph<T>& g, const auto& visit) {
    if (g.dry()) return;
    const int parts = g.device().threads();
    parallel_for(parts, parts, [&](int part) {
      const auto [begin, end] = share(cells, parts, part);
      for (std::size_t i = begin; i < end; ++i)
        visit(i * static_cast<std::size_t>(left), i * static_cast<std::size_t>(right),
              i * static_cast<std::size_t>(left + right));
    });
  };
  for_cells(graph, [&](std::size_t at_a, std::size_t at_b, std::size_t at_y) {
    std::copy_n(a.data + at_a, left, y.data + at_y);
    std::copy_n(b.data + at_b, right, y.data + at_y + left);
  });
  graph.record([&graph, a, b, y, left, right, for_cells] {
    S* grad_a = graph.template take<S>(a.shape.size());
    S* grad_b = graph.template take<S>(b.shape.size());
    const S* grad_y = y.node->gradient;
    for_cells(graph, [&](std::size_t at_a, std::size_t at_b, std::size_t at_y) {
      std::copy_n(grad_y + at_y, left, grad_a + at_a);
      std::copy_n(grad_y + at_y + left, right, grad_b + at_b);
    });
    graph.contribute(a, grad_a);
    graph.contribute(b, grad_b);
    graph.finish(y);
  });
  return y;
}

}  // namespace lacuna::ops
