#pragma once

#include "lacuna/ops/column_sums.hpp"
#include "lacuna/ops/pointwise_linear.hpp"

namespace lacuna::ops {

template <class T, class S>
void gated_add_forward(Graph<T>& graph, Parameter gate, const Variable<S>& x, S* sum) {
  const auto channels = static_cast<std::size_t>(x.shape.channels);
  for_wide_rows<S>(graph, x.shape.cells(), 2 * channels, [&](Range r, WideCopies<T, S> copies) {
    const T* g = graph.parameters().value(gate);
    const std::size_t rows = r.end - r.begin, size = rows * channels;
    const T* from = copies.read(x.data + r.begin * channels, size);
    T* to = copies.read(sum + r.begin * channels, size);
    for (std::size_t i = 0; i < rows; ++i)
      for (std::size_t c = 0; c < channels; ++c) to[i * channels + c] += g[c] * from[i * channels + c];
    copies.write(to, sum + r.begin * channels, size);
  });
}
template <class T, class S>
void gated_add_backward(Graph<T>& graph, Parameter gate, const Variable<S>& x, const S* grad_sum, GradientTarget<S> grad_x) {
  using Copies = WideCopies<T, S>;
  const auto channels = static_cast<std::size_t>(x.shape.channels);
  const bool first = grad_x.into == Into::overwritten;
  const std::size_t own_room = Copies::size(3 * rows_of_a_task * channels);
  const std::size_t room = own_room * static_cast<std::size_t>(summing_runs(x.shape.cells()));
  T* all_copies = Copies::needed ? graph.take(room) : nullptr;
  sum_over_rows(graph, x.shape.cells(), graph.parameters().gradient(gate), channels, [&](Range r, T* own, int run) {
    const T* g = graph.parameters().value(gate);
    for (std::size_t begin = r.begin; begin < r.end; begin += rows_of_a_task) {
      const std::size_t rows = std::min(rows_of_a_task, r.end - begin), size = rows * channels;
      S* target = grad_x.data + begin * channels;
      Copies copies(all_copies + own_room * static_cast<std::size_t>(run));
      const T *from = copies.read(x.data + begin * channels, size), *grad = copies.read(grad_sum + begin * channels, size);
      T* to = first ? copies.place(target, size) : copies.read(target, size);
      for (std::size_t i = 0; i < rows; ++i)
        for (std::size_t c = 0; c < channels; ++c) {
          const std::size_t at = i * channels + c;
          to[at] = (first ? T(0) : to[at]) + g[c] * grad[at];
          own[c] += from[at] * grad[at];
        }
      copies.write(to, target, size);
    }
  });
  if constexpr (Copies::needed) graph.give(all_copies, room);
}

/// @brief sum += gate * x in place, one gate a channel (a soft-gated skip connection).
///
/// Shapes: x, sum (B,T,H,W,C), gate (C). Gradient: grad_x += gate grad_sum, grad_gate += sum over positions of x grad_sum; sum's
/// passes through. NaN: propagates within its element. Determinism: independent of the number of threads.
/// Backends: cpu, cuda (up to 512 channels). Throws: ShapeError if sum and x differ, or the gate has another width.
/// Source: Bulat et al. 2020, arXiv:2002.11098.
template <class T, class D, class S>
void gated_add(Graph<T, D>& graph, Parameter gate, const Variable<S>& x, const Variable<S>& sum) {
  require_shape("gated_add", "sum", sum.shape, x.shape);
  require<ShapeError>(gate.size == static_cast<std::size_t>(x.shape.channels), "gated_add: x has shape ", x.shape, ", expected ",
                      gate.size, " channels");
  const auto scope = graph.template op<S>("gated_add", {.forward = 3 * x.shape.size(), .backward = 4 * x.shape.size()});
  gated_add_forward<T, S>(graph, gate, x, sum.data);
  graph.record(
      [&graph, gate, x, sum] { gated_add_backward<T, S>(graph, gate, x, sum.node->gradient, gradient_target(graph, x)); });
}

}  // namespace lacuna::ops
