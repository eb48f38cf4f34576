#pragma once

#include <cstdint>

#include "lacuna/mask/policy.hpp"

namespace lacuna::mask {

/// The objectives that the paper compares are mask policies: one template argument of the trainer chooses among them. The paper's
/// own are Pixels, Blocks and Empirical.

/// @brief MissDiff: context = query = M. Nothing that the network does not see is ever asked for.
/// At use the context is M. Source: Ouyang et al. 2023, arXiv:2307.00467; paper, appendix C.
using MissDiff = Observed;

/// @brief AmbientDiff: the context is M corrupted further by any policy, the query is all of M, what the network sees included.
///
/// At use one context, instead of an ensemble of them. Source: Daras et al. 2023, arXiv:2305.19256; paper, appendix C.
template <MaskPolicy Policy>
struct AmbientDiff {
  Policy corruption;

  struct Draw {
    DrawOf<Policy> inner;
    LACUNA_HOST_DEVICE bool in_context(Cell c) const { return inner.in_context(c); }
    LACUNA_HOST_DEVICE bool in_query(Cell) const { return true; }
  };
  Draw draw(PhiloxKey key, std::uint64_t sample, const Window& window) const { return {corruption.draw(key, sample, window)}; }
};

}  // namespace lacuna::mask
