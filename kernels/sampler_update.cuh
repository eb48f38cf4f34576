#pragma once

#include <cstddef>

#include "lacuna/sampler/update_element.hpp"
#include "port.cuh"
#include "vector.cuh"

namespace lacuna::kernels {

/// @brief out = w_s state + w_e x' + w_o x'' + w_n noise, where x' (x'') is the known value where it was observed and else the
/// estimate (the other one). In place: out may be state.
///
/// `other` and `noise` may be null if their weight is 0. An estimate of an observed element and a value that is not known enter
/// no arithmetic: both may be NaN. Moves 13 n bytes in, 4 n more for each of `other` and `noise` that is given, and 4 n out.
template <int threads>
__global__ void __launch_bounds__(threads)
    sampler_update_kernel(sampler::UpdateWeights<float> w, sampler::UpdateArrays<float> a, std::size_t n) {
  const bool wide = aligned(a.state) && aligned(a.estimate) && aligned(a.other) && aligned(a.noise) && aligned(a.known) &&
                    aligned(a.observed) && aligned(a.out);
  for_chunks(n, wide, [&](auto chunk) {
    auto x = load(a.state, chunk);
    const auto e = load(a.estimate, chunk), known = load(a.known, chunk);
    const auto seen = load(a.observed, chunk);
    Four<float> other{}, noise{};
    if (a.other != nullptr) other = load(a.other, chunk);
    if (a.noise != nullptr) noise = load(a.noise, chunk);
    for (int k = 0; k < 4; ++k) {
      const float first = seen.v[k] != 0 ? known.v[k] : e.v[k], second = seen.v[k] != 0 ? known.v[k] : other.v[k];
      x.v[k] = sampler::updated(w, x.v[k], first, second, noise.v[k]);
    }
    store(a.out, chunk, x);
  });
}

/// @brief Lines 3 to 6 of the paper's Algorithm 4; the meaning of sampler::update, whose test for finite results it leaves out.
inline void sampler_update(Stream stream, const sampler::UpdateWeights<float>& weights,
                           const sampler::UpdateArrays<float>& arrays, std::size_t n) {
  launch(stream, &sampler_update_kernel<block_size>, blocks_for(n), block_size, 0, weights, arrays, n);
}

}  // namespace lacuna::kernels
