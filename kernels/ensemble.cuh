#pragma once

#include <cstddef>
#include <cstdint>

#include "lacuna/sampler/welford.hpp"
#include "port.cuh"
#include "vector.cuh"

namespace lacuna::kernels {

/// @brief Mean and deviation over `members` estimates (members, n), merged with the observed values.
///
/// Where observed: mean = the value bit for bit, deviation = 0; elsewhere Welford's recurrence, one pass, members in order.
/// Neither a value that is not observed nor an estimate of an observed one enters the result: both may be NaN.
/// Moves (4 members + 5) n bytes in, 8 n out.
template <int threads>
__global__ void __launch_bounds__(threads)
    ensemble_kernel(const float* __restrict__ estimates, int members, std::size_t n, const std::uint8_t* __restrict__ observed,
                    const float* __restrict__ values, float* __restrict__ mean_out, float* __restrict__ deviation_out) {
  const bool wide = aligned(estimates) && n % chunk_size == 0 && aligned(observed) && aligned(values) && aligned(mean_out) &&
                    aligned(deviation_out);
  for_chunks(n, wide, [&](auto chunk) {
    Four<float> mean{}, squares{}, deviation;
    LACUNA_UNROLL_FOUR
    for (int member = 0; member < members; ++member) {
      const auto x = load(estimates + static_cast<std::size_t>(member) * n, chunk);
      const float weight = 1.0f / static_cast<float>(member + 1);
      for (int k = 0; k < 4; ++k) sampler::add_member(x.v[k], weight, mean.v[k], squares.v[k]);
    }
    const auto seen = load(observed, chunk);
    const auto value = load(values, chunk);
    for (int k = 0; k < 4; ++k) {
      mean.v[k] = seen.v[k] != 0 ? value.v[k] : mean.v[k];
      deviation.v[k] = seen.v[k] != 0 ? 0.0f : sampler::deviation_of(squares.v[k], members);
    }
    store(mean_out, chunk, mean);
    store(deviation_out, chunk, deviation);
  });
}

/// @brief Ensemble mean and deviation (n), observed values kept; the meaning of sampler::RunningMoments and of the merge.
inline void ensemble(Stream stream, const float* estimates, int members, std::size_t n, const std::uint8_t* observed,
                     const float* values, float* mean, float* deviation) {
  launch(stream, &ensemble_kernel<block_size>, blocks_for(n), block_size, 0, estimates, members, n, observed, values, mean,
         deviation);
}

}  // namespace lacuna::kernels
