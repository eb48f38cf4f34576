#pragma once

#include "kernels/canvas.cuh"
#include "lacuna/cuda/graph.hpp"
#include "lacuna/ops/canvas.hpp"

namespace lacuna::cuda {

template <class S>
void canvas_forward(Graph& graph, const Variable<S>& x, const ops::Window& window, const ops::Borders& borders,
                    const Variable<S>& y) {
  if (!graph.dry()) kernels::canvas(stream_of(graph), x.data, x.shape, window, borders, y.data);
}
template <class S>
void canvas_backward(Graph& graph, const Variable<S>& x, const ops::Window& window, const ops::Borders& borders,
                     const Variable<S>& y, S* grad_x) {
  if (!graph.dry()) kernels::canvas_gradient(stream_of(graph), y.node->gradient, x.shape, window, borders, grad_x);
}

}  // namespace lacuna::cuda
