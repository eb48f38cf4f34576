#pragma once

#include "lacuna/nn/layers.hpp"
#include "lacuna/ops/canvas.hpp"

namespace lacuna::nn {

/// @brief The window in which a network sees an image whose rows and columns must be multiples of `step`.
///
/// Grown at the bottom and right with what lies beyond the border: zeros, or the last cell again. An axis that is periodic is
/// continued around its seam on both sides, two steps or more each: the finest level's convolutions see its true neighbours
/// across the seam, the coarser ones a period that is up to `continued` cells too long.
inline ops::Window whole_steps(const Shape& image, int step, const ops::Borders& borders) {
  constexpr int continued = 2;  // steps, on either side
  struct Stretch {
    int begin, size;
  };
  const auto along = [step](int cells, ops::Border border) -> Stretch {
    const auto whole = [step](int n) { return (n + step - 1) / step * step; };
    if (border != ops::Border::periodic || cells % step == 0) return {0, whole(cells)};
    const int size = whole(cells + 2 * continued * step);
    return {-(size - cells) / 2, size};
  };
  const Stretch rows = along(image.height, borders.rows), columns = along(image.width, borders.columns);
  return {rows.begin, columns.begin, rows.size, columns.size};
}

/// @brief body(x) for a body that wants whole steps: x is grown, and the estimate cut back.
/// Shapes: x (B,T,H,W,C) -> (B,T,H,W, the body's channels).
template <class T, class D, class S, class Body>
Variable<S> on_whole_steps(Graph<T, D>& g, const Variable<S>& x, int step, const ops::Borders& borders, const Body& body) {
  const int height = x.shape.height, width = x.shape.width;
  const auto window = whole_steps(x.shape, step, borders);
  if (window.height == height && window.width == width) return body(x);
  const auto estimate = consume(g, ops::canvas(g, x, window, borders), body);
  return consume(g, estimate, [&](const Variable<S>& y) {
    return ops::canvas(g, y, {-window.top, -window.left, height, width});
  });
}

}  // namespace lacuna::nn
