#pragma once

#include <cstddef>
#include <cstdint>

#include "port.cuh"
#include "vector.cuh"

namespace lacuna::kernels {

/// @brief From time s down to t: the coefficients of x_s and of the estimate.
struct SamplerStep {
  float keep;  ///< sigma_t / sigma_s
  float take;  ///< alpha_t - alpha_s sigma_t / sigma_s

  static SamplerStep between(double alpha_s, double sigma_s, double alpha_t, double sigma_t) {
    return {static_cast<float>(sigma_t / sigma_s), static_cast<float>(alpha_t - alpha_s * sigma_t / sigma_s)};
  }
};

/// @brief x_t = keep x_s + take x0, x0 = the observed value where there is one, else the estimate. In place: x_t may be x_s.
///
/// The estimate of an observed element and a value that is not observed enter no arithmetic: both may be NaN.
/// Moves 13 n bytes in, 4 n out. Source: the paper's Algorithm 4, lines 3 to 6.
template <int threads>
__global__ void __launch_bounds__(threads)
    sampler_update_kernel(const float* x_s, const float* __restrict__ estimate, const std::uint8_t* __restrict__ observed,
                          const float* __restrict__ values, std::size_t n, SamplerStep step, float* x_t) {
  const bool wide = aligned(x_s) && aligned(estimate) && aligned(observed) && aligned(values) && aligned(x_t);
  for_chunks(n, wide, [&](auto chunk) {
    auto x = load(x_s, chunk);
    const auto e = load(estimate, chunk), value = load(values, chunk);
    const auto seen = load(observed, chunk);
    for (int k = 0; k < 4; ++k) x.v[k] = step.keep * x.v[k] + step.take * (seen.v[k] != 0 ? value.v[k] : e.v[k]);
    store(x_t, chunk, x);
  });
}

/// @brief One deterministic sampler step with observed values put in; exact if the estimate is.
inline void sampler_update(Stream stream, const float* x_s, const float* estimate, const std::uint8_t* observed,
                           const float* values, std::size_t n, const SamplerStep& step, float* x_t) {
  launch(stream, &sampler_update_kernel<block_size>, blocks_for(n), block_size, 0, x_s, estimate, observed, values, n, step, x_t);
}

}  // namespace lacuna::kernels
