#pragma once

#include <cstddef>
#include <cstdint>

#include "port.cuh"
#include "reduce.cuh"
#include "vector.cuh"

namespace lacuna::kernels {

/// @brief Queried elements per block: counts[blocks_for(n)].
///
/// Moves n bytes in and 4 per block out.
template <int threads>
__global__ void __launch_bounds__(threads)
    count_queried_kernel(const std::uint8_t* __restrict__ query, std::size_t n, unsigned* __restrict__ counts) {
  unsigned count = 0;
  for_chunks(n, aligned(query), [&](auto chunk) {
    const auto q = load(query, chunk);
    for (int k = 0; k < 4; ++k) count += q.v[k] != 0 ? 1u : 0u;
  });
  count = block_sum(count);
  if (threadIdx.x == 0) counts[blockIdx.x] = count;
}

/// @brief gradient = 2 query (estimate - target) / count and the blocks' sums of query (estimate - target)^2.
///
/// `counts` are partial counts of the query, from count_queried_kernel or from the kernel that made the query; every block adds
/// them up itself. Neither estimate nor target enters arithmetic where it is not queried: there they may be NaN.
/// Moves 9 n bytes in, 4 n out; per block 4 count_blocks in and 4 out.
template <int threads>
__global__ void __launch_bounds__(threads)
    masked_loss_kernel(const float* __restrict__ estimate, const float* __restrict__ target,
                       const std::uint8_t* __restrict__ query, std::size_t n, const unsigned* __restrict__ counts,
                       unsigned count_blocks, float* __restrict__ gradient, float* __restrict__ sums) {
  const unsigned count = sum_of_partials(counts, count_blocks);
  const float scale = count > 0 ? 2.0f / static_cast<float>(count) : 0.0f;
  float sum = 0;
  const bool wide = aligned(estimate) && aligned(target) && aligned(query) && aligned(gradient);
  for_chunks(n, wide, [&](auto chunk) {
    const auto e = load(estimate, chunk), t = load(target, chunk);
    const auto q = load(query, chunk);
    Four<float> g;
    for (int k = 0; k < 4; ++k) {
      const float residual = q.v[k] != 0 ? e.v[k] - t.v[k] : 0.0f;
      sum += residual * residual;
      g.v[k] = scale * residual;
    }
    store(gradient, chunk, g);
  });
  sum = block_sum(sum);
  if (threadIdx.x == 0) sums[blockIdx.x] = sum;
}

/// @brief result = {sum / count, count}, {0, 0} if nothing is queried: one block.
///
/// Moves 4 blocks + 4 count_blocks bytes in and 8 out.
template <int threads>
__global__ void __launch_bounds__(threads)
    masked_loss_result_kernel(const float* __restrict__ sums, unsigned blocks, const unsigned* __restrict__ counts,
                              unsigned count_blocks, float* __restrict__ result) {
  const float sum = sum_of_partials(sums, blocks);
  const unsigned count = sum_of_partials(counts, count_blocks);
  if (threadIdx.x == 0) {
    result[0] = count > 0 ? sum / static_cast<float>(count) : 0.0f;
    result[1] = static_cast<float>(count);
  }
}

/// @brief Partial counts of queried elements in the workspace.
inline void count_queried(Stream stream, const std::uint8_t* query, std::size_t n, unsigned* counts) {
  launch(stream, &count_queried_kernel<block_size>, blocks_for(n), block_size, 0, query, n, counts);
}

/// @brief Where the loss keeps partial results, and which partial counts it uses.
struct MaskedLossWorkspace {
  float* sums;             ///< blocks_for(n)
  const unsigned* counts;  ///< partial counts of the query
  unsigned count_blocks;   ///< how many
};

/// @brief loss = sum(query (estimate - target)^2) / sum(query) and its gradient; the meaning of ops::masked_loss.
///
/// result: 2 floats, loss and count. Fewer than 2^32 elements. Determinism: one order of sums for each n.
inline void masked_loss(Stream stream, const float* estimate, const float* target, const std::uint8_t* query, std::size_t n,
                        const MaskedLossWorkspace& workspace, float* gradient, float* result) {
  const unsigned blocks = blocks_for(n);
  launch(stream, &masked_loss_kernel<block_size>, blocks, block_size, 0, estimate, target, query, n, workspace.counts,
         workspace.count_blocks, gradient, workspace.sums);
  launch(stream, &masked_loss_result_kernel<block_size>, 1u, block_size, 0, workspace.sums, blocks, workspace.counts,
         workspace.count_blocks, result);
}

}  // namespace lacuna::kernels
