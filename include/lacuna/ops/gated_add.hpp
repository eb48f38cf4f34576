#pragma once

#include "lacuna/ops/pointwise_linear.hpp"
#include "lacuna/ops/row_sums.hpp"

namespace lacuna::ops {

/// @brief sum += gate * x in place, one gate a channel (a soft-gated skip connection).
///
/// Shapes: x, sum (B,T,H,W,C), gate (C). Gradient: grad_x += gate grad_sum, grad_gate += sum over positions of x grad_sum; sum's
/// passes through. NaN: propagates within its element. Determinism: independent of the number of threads.
/// Throws: ShapeError if sum and x differ, or the gate has another width. Source: Bulat et al. 2020, arXiv:2002.11098.
template <class T>
void gated_add(Graph<T>& graph, Parameter gate, const Variable<T>& x, const Variable<T>& sum) {
  const auto channels = static_cast<std::size_t>(x.shape.channels);
  require_shape("gated_add", "sum", sum.shape, x.shape);
  require<ShapeError>(gate.size == channels, "gated_add: x has shape ", x.shape, ", expected ", gate.size, " channels");
  const auto scope = graph.op("gated_add", {.forward = 3 * x.shape.size(), .backward = 4 * x.shape.size()});
  for_rows(graph, x.shape.cells(), [&](Range r) {
    const T* g = graph.parameters().value(gate);
    for (std::size_t i = r.begin; i < r.end; ++i)
      for (std::size_t c = 0; c < channels; ++c) sum.data[i * channels + c] += g[c] * x.data[i * channels + c];
  });
  graph.record([&graph, gate, x, sum, channels] {
    const T* grad_sum = sum.node->gradient;
    const bool first = x.node->gradient == nullptr;
    if (first) x.node->gradient = graph.take(x.shape.size());
    T* grad_x = x.node->gradient;
    sum_over_rows(graph, x.shape.cells(), graph.parameters().gradient(gate), channels, [&](Range r, T* own) {
      const T* g = graph.parameters().value(gate);
      for (std::size_t i = r.begin; i < r.end; ++i)
        for (std::size_t c = 0; c < channels; ++c) {
          const std::size_t at = i * channels + c;
          grad_x[at] = (first ? T(0) : grad_x[at]) + g[c] * grad_sum[at];
          own[c] += x.data[at] * grad_sum[at];
        }
    });
  });
}

}  // namespace lacuna::ops
