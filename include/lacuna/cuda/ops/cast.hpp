#pragma once

#include "kernels/cast.cuh"
#include "lacuna/cuda/graph.hpp"
#include "lacuna/ops/cast.hpp"

namespace lacuna::cuda {

template <class From, class To>
void convert_all(Graph& graph, const From* from, To* to, std::size_t size) {
  if (!graph.dry()) kernels::cast(stream_of(graph), from, size, to);
}

}  // namespace lacuna::cuda
