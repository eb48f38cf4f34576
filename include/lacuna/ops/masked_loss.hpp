#pragma once

#include <cstdint>
#include <type_traits>
#include <vector>

#include "lacuna/autograd/graph.hpp"
#include "lacuna/core/simd.hpp"

namespace lacuna::ops {

/// @brief The plain version of one run of the loss: returns its sum of squares; scale is 2 / count.
template <class T>
double masked_loss_plain(const T* estimate, const float* target, const std::uint8_t* query, T scale, T* gradient,
                         std::size_t size) {
  double sum = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const T residual = query[i] != 0 ? estimate[i] - static_cast<T>(target[i]) : T(0);
    sum += static_cast<double>(residual) * static_cast<double>(residual);
    gradient[i] = scale * residual;
  }
  return sum;
}

inline double masked_loss_run(const float* estimate, const float* target, const std::uint8_t* query, float scale, float* gradient,
                              std::size_t size) {
  const std::size_t whole = size - size % simd::lanes;
  double total = 0;
  simd::run([&total, estimate, target, query, scale, gradient, whole]() LACUNA_KERNEL {
    simd::SquareSum sum;
    for (std::size_t i = 0; i < whole; i += simd::lanes) {
      const simd::Floats residual =
          simd::select(simd::load_bytes(query + i), simd::load(estimate + i) - simd::load(target + i), simd::zero());
      sum.add(residual);
      simd::store(gradient + i, scale * residual);
    }
    total = sum.total();
  });
  return total + masked_loss_plain(estimate + whole, target + whole, query + whole, scale, gradient + whole, size - whole);
}
inline double masked_loss_run(const double* estimate, const float* target, const std::uint8_t* query, double scale,
                              double* gradient, std::size_t size) {
  return masked_loss_plain(estimate, target, query, scale, gradient, size);
}

/// @brief Number of queried elements.
inline std::size_t count_queried(const std::uint8_t* query, std::size_t size) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < size; ++i) count += query[i] != 0 ? 1 : 0;
  return count;
}

/// @brief The loss, and its gradient into `gradient`.
template <class T>
double masked_loss_forward(Graph<T>& graph, const T* estimate, const float* target, const std::uint8_t* query, std::size_t size,
                           T* gradient) {
  constexpr int runs = 16;
  if (graph.dry()) return 0;
  const std::size_t count = count_queried(query, size);
  const T scale = count > 0 ? T(2) / static_cast<T>(count) : T(0);
  double sums[runs];
  parallel_for(graph.device().threads(), runs, [&](int run) {
    const auto [begin, end] = share(size, runs, run);
    sums[run] = masked_loss_run(estimate + begin, target + begin, query + begin, scale, gradient + begin, end - begin);
  });
  double total = 0;
  for (const double sum : sums) total += sum;
  return count > 0 ? total / static_cast<double>(count) : 0;
}

/// @brief loss = sum(query * (estimate - target)^2) / sum(query), and its gradient in the same pass.
///
/// Shapes: estimate, target, query alike; query 1 = scored, bytes or what a device makes of them. Gradient: grad_estimate = 2
/// query (estimate - target) / sum(query), handed to `estimate`. NaN: selected away where not queried (estimate and target
/// alike); elsewhere it shows. An empty query gives loss 0 and gradient 0. Determinism: fixed runs summed in order, whatever the
/// threads. Cost: reads estimate, target, query and writes the gradient once. Source: paper section 3.1, method of Algorithm 1.
template <class T, class D, class Query>
auto masked_loss(Graph<T, D>& graph, const Variable<T>& estimate, const float* target, const Query& query) {
  const std::size_t size = estimate.shape.size();
  const auto scope = graph.op("masked_loss", {.forward = 3 * size + size / sizeof(T)});  // query: a byte each
  T* gradient = graph.take(size);
  const auto loss = masked_loss_forward(graph, estimate.data, target, query, size, gradient);
  graph.contribute(estimate, gradient);
  return loss;
}

}  // namespace lacuna::ops
