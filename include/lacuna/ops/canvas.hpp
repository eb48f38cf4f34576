#pragma once

#include <algorithm>

#include "lacuna/autograd/graph.hpp"
#include "lacuna/ops/canvas_functions.hpp"

namespace lacuna::ops {

/// @brief Calls visit(cell of the window, cell of the image or -1, count) for every run of neighbouring cells of a window.
template <class Visit>
void for_window_runs(const Shape& image, const Window& window, const Borders& borders, const Visit& visit) {
  const int inside_begin = std::clamp(-window.left, 0, window.width),
            inside_end = std::clamp(image.width - window.left, inside_begin, window.width);
  for (int i = 0; i < window.height; ++i) {
    const int row = seen_cell(window.top + i, image.height, borders.rows), at = i * window.width;
    if (row < 0) {
      visit(at, -1, window.width);
      continue;
    }
    const auto one = [&](int j) {
      const int column = seen_cell(window.left + j, image.width, borders.columns);
      visit(at + j, column < 0 ? -1 : row * image.width + column, 1);
    };
    for (int j = 0; j < inside_begin; ++j) one(j);
    if (inside_end > inside_begin)
      visit(at + inside_begin, row * image.width + window.left + inside_begin, inside_end - inside_begin);
    for (int j = inside_end; j < window.width; ++j) one(j);
  }
}

/// @brief What one image shows in a window.
template <class T>
void copy_window(const T* image, const Shape& shape, T* to, const Window& window, const Borders& borders) {
  const std::ptrdiff_t channels = shape.channels;
  for_window_runs(shape, window, borders, [=](int at, int cell, int count) {
    if (cell < 0) return static_cast<void>(std::fill_n(to + at * channels, count * channels, T(0)));
    std::copy_n(image + cell * channels, count * channels, to + at * channels);
  });
}

/// @brief The adjoint of copy_window(): adds what came of each cell to its gradient.
template <class T>
void add_window(const T* gradient, const Shape& shape, T* to, const Window& window, const Borders& borders) {
  const std::ptrdiff_t channels = shape.channels;
  for_window_runs(shape, window, borders, [=](int at, int cell, int count) {
    if (cell < 0) return;
    add_gradient(to + cell * channels, gradient + at * channels, static_cast<std::size_t>(count * channels));
  });
}

template <class T, class S>
void canvas_forward(Graph<T>& graph, const Variable<S>& x, const Window& window, const Borders& borders, const Variable<S>& y) {
  if (graph.dry()) return;
  const std::ptrdiff_t from = static_cast<std::ptrdiff_t>(x.shape.pixels()) * x.shape.channels,
                       to = static_cast<std::ptrdiff_t>(y.shape.pixels()) * y.shape.channels;
  parallel_for(graph.device().threads(), x.shape.images(),
               [&](int i) { copy_window(x.data + i * from, x.shape, y.data + i * to, window, borders); });
}
template <class T, class S>
void canvas_backward(Graph<T>& graph, const Variable<S>& x, const Window& window, const Borders& borders, const Variable<S>& y,
                     S* grad_x) {
  if (graph.dry()) return;
  const std::ptrdiff_t to = static_cast<std::ptrdiff_t>(x.shape.pixels()) * x.shape.channels,
                       from = static_cast<std::ptrdiff_t>(y.shape.pixels()) * y.shape.channels;
  parallel_for(graph.device().threads(), x.shape.images(), [&](int i) {
    std::fill_n(grad_x + i * to, to, S(0));
    add_window(y.node->gradient + i * from, x.shape, grad_x + i * to, window, borders);
  });
}

/// @brief Shows every image in a window: cuts it, grows it, or puts a border around it.
///
/// Shapes: x (B,T,H,W,C) -> y (B,T,window.height,window.width,C). Gradient: of the cells that are seen, summed where one is seen
/// more than once; none if y's consumer computed none (a network's first layer). NaN: copied. Determinism: independent of the
/// number of threads.
template <class T, class D, class S>
Variable<S> canvas(Graph<T, D>& graph, const Variable<S>& x, const Window& window, const Borders& borders = {}) {
  Shape shape = x.shape;
  shape.height = window.height;
  shape.width = window.width;
  const std::size_t moved = x.shape.size() + shape.size();
  const auto scope = graph.template op<S>("canvas", {.forward = moved, .backward = moved});
  const auto y = graph.template make<S>(shape);
  canvas_forward(graph, x, window, borders, y);
  graph.record([&graph, x, y, window, borders] {
    if (y.node->gradient != nullptr) {
      S* grad_x = graph.template take<S>(x.shape.size());
      canvas_backward(graph, x, window, borders, y, grad_x);
      graph.contribute(x, grad_x);
    }
    graph.finish(y);
  });
  return y;
}

}  // namespace lacuna::ops
