#pragma once

#include "kernels/accumulate.cuh"
#include "lacuna/autograd/graph.hpp"
#include "lacuna/cuda/device.hpp"
#include "lacuna/cuda/parameters.hpp"

namespace lacuna::cuda {

using Graph = lacuna::Graph<float, Device>;

inline cudaStream_t stream_of(Graph& graph) { return graph.device().stream(); }

/// @brief A workspace from the graph's arena, for the length of a scope.
template <class T>
class Workspace {
 public:
  Workspace(Graph& graph, std::size_t count) : graph_(graph), count_(count), data_(graph.take<T>(count)) {}
  ~Workspace() { graph_.give(data_, count_); }
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  operator T*() const { return data_; }

 private:
  Graph& graph_;
  std::size_t count_;
  T* data_;
};

/// @brief sum += gradient.
template <class S>
void accumulate(Graph& graph, S* sum, const S* gradient, std::size_t size) {
  if (!graph.dry()) kernels::accumulate(stream_of(graph), sum, gradient, size);
}

}  // namespace lacuna::cuda
