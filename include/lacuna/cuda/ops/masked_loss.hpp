#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/masked_loss.cuh"
#include "lacuna/cuda/graph.hpp"
#include "lacuna/ops/masked_loss.hpp"

namespace lacuna::cuda {

/// @brief {loss, number of queried elements} in the device's memory, once the stream has come so far; void after Device::reset().
struct DeviceLoss {
  const float* result = nullptr;
};

/// @brief Bytes, 1 = scored, and partial counts of them from the kernel that made them.
struct CountedQuery {
  const std::uint8_t* bytes;
  const unsigned* counts;
  unsigned count_blocks;
};

inline DeviceLoss masked_loss_forward(Graph& graph, const float* estimate, const float* target, const CountedQuery& query,
                                      std::size_t size, float* gradient) {
  float* result = graph.take<float>(2);
  const Workspace<float> sums(graph, kernels::blocks_for(size));
  if (!graph.dry())
    kernels::masked_loss(stream_of(graph), estimate, target, query.bytes, size, {sums, query.counts, query.count_blocks},
                         gradient, result);
  return {result};
}
inline DeviceLoss masked_loss_forward(Graph& graph, const float* estimate, const float* target, const std::uint8_t* query,
                                      std::size_t size, float* gradient) {
  const unsigned blocks = kernels::blocks_for(size);
  const Workspace<unsigned> counts(graph, blocks);
  if (!graph.dry()) kernels::count_queried(stream_of(graph), query, size, counts);
  return masked_loss_forward(graph, estimate, target, CountedQuery{query, counts, blocks}, size, gradient);
}

}  // namespace lacuna::cuda
