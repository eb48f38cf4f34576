#pragma once

#include "kernels/rms_norm_silu.cuh"
#include "lacuna/cuda/graph.hpp"

namespace lacuna::cuda {

/// @brief Operands of the kernels that go over the channels of x: norms and gates. What the pass needs besides is set by the
/// caller; a sample's pixels are those of all its frames.
template <class S>
kernels::Norm<S> norm_operands(Graph& graph, Parameter gain, const Variable<S>& x) {
  return {.x = x.data,
          .gain = graph.parameters().value(gain),
          .scale_shift = nullptr,
          .other = nullptr,
          .result = nullptr,
          .sums = nullptr,
          .pixels = x.shape.cells() / static_cast<std::size_t>(x.shape.batch),
          .batch = x.shape.batch,
          .channels = x.shape.channels};
}
/// @brief Partial sums that their backward passes leave: rows of channels, or with `parts` of as many times the channels.
template <class S>
std::size_t norm_sums(const kernels::Norm<S>& norm, int parts = 1) {
  return static_cast<std::size_t>(norm.batch) * kernels::norm_runs<S>(norm.pixels, norm.channels) *
         static_cast<std::size_t>(parts * norm.channels);
}

}  // namespace lacuna::cuda
