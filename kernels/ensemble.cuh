#pragma once

#include <array>
#include <cstddef>

#include "lacuna/sampler/ensemble_pass.hpp"
#include "port.cuh"
#include "vector.cuh"

namespace lacuna::kernels {

/// @brief Takes the members of a pass into mean and deviation of their ensemble, from the network's answers as they lie; after
/// the last pass merged with the observed values.
///
/// For each value of the tile's core moves 4 bytes a member in, for a background as many again, for answers that are converted
/// 1 and where in context 4 more; 4 of weight, 8 if members were taken before, 4 of the value in the last pass; 8 out. The
/// samples' records come from cache and are not counted. Neighbouring threads have neighbouring cells, as they lie in a plane;
/// answers are read 16 bytes at a time where a cell's fields are a multiple of four, and all else lies plane by plane.
template <int threads>
__global__ void __launch_bounds__(threads) ensemble_kernel(sampler::EnsemblePass pass) {
  const int cells = static_cast<int>(pass.core.cells());
  const std::size_t count = static_cast<std::size_t>(cells) * static_cast<std::size_t>(pass.blocks());
  const bool wide = pass.shape.layout.fields() % 4 == 0 && aligned(pass.answers.values);
  const auto read = [wide](const float* from, int number) {
    const auto some = wide ? load(from, WholeChunk{0}) : load(from, PartChunk{0, number});
    return std::array<float, 4>{some.v[0], some.v[1], some.v[2], some.v[3]};
  };
  for (std::size_t i = static_cast<std::size_t>(blockIdx.x) * threads + threadIdx.x; i < count;
       i += static_cast<std::size_t>(gridDim.x) * threads) {
    const int n = static_cast<int>(i);
    sampler::add_members(pass, n % cells, n / cells, read);
  }
}

/// @brief The meaning of sampler::PassMoments: all that a pass points to lies in device memory.
inline void ensemble(Stream stream, const sampler::EnsemblePass& pass) {
  const std::size_t count = static_cast<std::size_t>(pass.core.cells()) * static_cast<std::size_t>(pass.blocks());
  launch(stream, &ensemble_kernel<block_size>, blocks_for<1>(count), block_size, 0, pass);
}

}  // namespace lacuna::kernels
