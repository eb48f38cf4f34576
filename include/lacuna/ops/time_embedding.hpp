#pragma once

#include <cmath>

#include "lacuna/autograd/graph.hpp"
#include "lacuna/ops/time_embedding_functions.hpp"

namespace lacuna::ops {

template <class T>
void time_embedding_forward(Graph<T>& graph, const T* times, int batch, int width, T* y) {
  if (graph.dry()) return;
  const int half = width / 2;
  for (int b = 0; b < batch; ++b)
    for (int i = 0; i < half; ++i) {
      const T angle = time_angle(times[b], i, half);
      y[b * width + i] = std::sin(angle);
      y[b * width + half + i] = std::cos(angle);
    }
}

/// @brief Sinusoidal features of the diffusion time: sin, then cos of t * 10000^(-i / (width/2 - 1)).
///
/// Shapes: times (B) in [0, 1], unscaled, in the device's memory -> y (B,1,1,1,width). Gradient: none (times are constants).
/// Source: Vaswani et al. 2017, arXiv:1706.03762, as the paper's networks use it. Throws: ShapeError if width is odd or < 4.
template <class T, class D>
Variable<T> time_embedding(Graph<T, D>& graph, const T* times, int batch, int width) {
  require<ShapeError>(width % 2 == 0 && width >= 4, "time_embedding: width ", width, ", expected an even number from 4");
  const Shape shape{batch, 1, 1, 1, width};
  const auto scope = graph.op("time_embedding", {.forward = shape.size()});
  const auto y = graph.make(shape);
  time_embedding_forward(graph, times, batch, width, y.data);
  graph.record([&graph, y] { graph.finish(y); });
  return y;
}

}  // namespace lacuna::ops
