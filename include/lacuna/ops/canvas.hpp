#pragma once

#include <algorithm>

#include "lacuna/autograd/graph.hpp"

namespace lacuna::ops {

/// @brief Copies `from` into `to` where both have a position and writes zeros elsewhere (rows and columns from 0).
template <class T>
void copy_canvas(const T* from, const Shape& from_shape, T* to, const Shape& to_shape) {
  const auto row = [](const Shape& s) { return static_cast<std::ptrdiff_t>(s.width) * s.channels; };
  const auto copied = std::min(row(from_shape), row(to_shape));
  for (int image = 0; image < to_shape.images(); ++image)
    for (int y = 0; y < to_shape.height; ++y) {
      T* target = to + (static_cast<std::ptrdiff_t>(image) * to_shape.height + y) * row(to_shape);
      const bool inside = y < from_shape.height;
      if (inside)
        std::copy_n(from + (static_cast<std::ptrdiff_t>(image) * from_shape.height + y) * row(from_shape), copied, target);
      std::fill(target + (inside ? copied : 0), target + row(to_shape), T(0));
    }
}

/// @brief Grows an image with zeros at the bottom and right, or cuts it there: networks with strided levels need whole steps.
///
/// Shapes: x (B,T,H,W,C) -> y (B,T,height,width,C). Gradient: of the kept positions, zero for those cut; none if y's consumer
/// computed none (a network's first layer). NaN: copied.
template <class T>
Variable<T> canvas(Graph<T>& graph, const Variable<T>& x, int height, int width) {
  Shape shape = x.shape;
  shape.height = height;
  shape.width = width;
  const auto y = graph.make(shape);
  if (!graph.dry()) copy_canvas(x.data, x.shape, y.data, shape);
  graph.record([&graph, x, y] {
    if (y.node->gradient != nullptr) {
      T* grad_x = graph.take(x.shape.size());
      if (!graph.dry()) copy_canvas(y.node->gradient, y.shape, grad_x, x.shape);
      graph.contribute(x, grad_x);
    }
    graph.finish(y);
  });
  return y;
}

}  // namespace lacuna::ops
