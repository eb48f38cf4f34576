#pragma once

#include <cstddef>
#include <cstdint>

#include "lacuna/autograd/graph.hpp"

namespace lacuna::ops {

/// @brief to[i] = from[i], in the other scalar type.
template <class To, class From>
void convert(const From* from, To* to, std::size_t size) {
  simd::run(
      [from, to](std::size_t end) LACUNA_KERNEL {
        for (std::size_t i = 0; i < end; i += simd::lanes) simd::store(to + i, simd::load(from + i));
      },
      size - size % simd::lanes);
  for (std::size_t i = size - size % simd::lanes; i < size; ++i) to[i] = static_cast<To>(static_cast<float>(from[i]));
}

/// @brief The same on all threads; nothing in a dry graph.
template <class T, class To, class From>
void convert_all(Graph<T>& graph, const From* from, To* to, std::size_t size) {
  if (graph.dry()) return;
  const int parts = graph.device().threads();
  parallel_for(parts, parts, [&](int part) {
    const auto [begin, end] = share(size, parts, part);
    convert(from + begin, to + begin, end - begin);
  });
}

/// @brief y = x in another scalar type: float or bfloat16.
///
/// Shapes: x, y alike. Gradient: converted and handed over; none if y's consumer computed none (a network's first layer). NaN:
/// stays NaN. Cost: x read and y written once. Determinism: element by element. Throws: nothing.
template <class To, class T, class D, class From>
Variable<To> cast(Graph<T, D>& graph, const Variable<From>& x) {
  const std::size_t size = x.shape.size();
  const auto scope = graph.template op<std::uint8_t>(
      "cast", {.forward = size * (sizeof(From) + sizeof(To)), .backward = size * (sizeof(From) + sizeof(To))});
  const auto y = graph.template make<To>(x.shape);
  convert_all(graph, x.data, y.data, size);
  graph.record([&graph, x, y, size] {
    if (y.node->gradient != nullptr) {
      From* grad_x = graph.template take<From>(size);
      convert_all(graph, y.node->gradient, grad_x, size);
      graph.contribute(x, grad_x);
    }
    graph.finish(y);
  });
  return y;
}

}  // namespace lacuna::ops
