#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "lacuna/core/philox.hpp"
#include "lacuna/data/field.hpp"
#include "lacuna/mask/partition.hpp"
#include "lacuna/sampler/single_step.hpp"
#include "lacuna/train/samples.hpp"

namespace lacuna::sampler {

/// @brief `members` contexts of every window, drawn by a policy as in training: those of a window one after
/// another. Each depends on policy, seed, window and member alone. Source: paper, Principle 1.
template <mask::MaskPolicy Policy>
std::vector<Request> draw_contexts(const train::Samples& samples, const Policy& policy, int members, std::uint64_t seed) {
  std::vector<Request> requests;
  for (std::size_t w = 0; w < samples.windows().size(); ++w)
    for (int k = 0; k < members; ++k) {
      requests.push_back({static_cast<int>(w), static_cast<std::uint64_t>(k) << 32 | static_cast<std::uint64_t>(w), {}});
      mask::sampling_context(policy, philox_key(seed, Purpose::ensemble), requests.back().member, samples.windows()[w],
                             data::whole(samples.fields().grid), requests.back().context);
    }
  return requests;
}

}  // namespace lacuna::sampler
