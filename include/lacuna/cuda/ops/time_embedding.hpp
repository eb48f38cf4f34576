#pragma once

#include "kernels/time_embedding.cuh"
#include "lacuna/cuda/graph.hpp"
#include "lacuna/ops/time_embedding.hpp"

namespace lacuna::cuda {

inline void time_embedding_forward(Graph& graph, const float* times, int batch, int width, float* y) {
  if (!graph.dry()) kernels::time_embedding(stream_of(graph), times, batch, width, y);
}

}  // namespace lacuna::cuda
