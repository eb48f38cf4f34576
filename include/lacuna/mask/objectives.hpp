#pragma once

#include <cstdint>

#include "lacuna/mask/policy.hpp"

namespace lacuna::mask {

/// The objectives that the paper compares are mask policies: one template argument of the trainer chooses among them. The paper's
/// own are Pixels, Blocks and Empirical. What the network answers (x0, noise, velocity) is schedule::Matching.

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
    bool same_in_group() const { return is_same_in_group(inner); }
    bool in_context(Cell c) const { return inner.in_context(c); }
    bool in_query(Cell) const { return true; }
  };
  Draw draw(PhiloxKey key, std::uint64_t sample, const Window& window) const { return {corruption.draw(key, sample, window)}; }
};

/// @brief Diffusion probabilistic fields: the network is shown the query too, its values noised apart from the context's, and
/// says what noise they hold. It learns E[x0 | ctx, qry] (eq. 25), not E[x0 | ctx].
///
/// Adapted to gappy data: context and query are drawn within M by any policy; this is the outermost wrapper. At use the query is
/// everything, so an imputation takes many steps (Algorithm 3): of what was never observed there is no noisy value to begin with
/// but noise. Source: Zhuang et al. 2023, arXiv:2303.00165; paper, appendix D, Algorithms 2 and 3.
template <MaskPolicy Policy>
struct ProbabilisticField {
  static constexpr bool shows_query = true;
  Policy partition;

  DrawOf<Policy> draw(PhiloxKey key, std::uint64_t sample, const Window& window) const {
    return partition.draw(key, sample, window);
  }
};

/// @brief Whether a policy's network is shown the query.
template <class Policy>
inline constexpr bool shows_query = [] {
  if constexpr (requires { Policy::shows_query; })
    return Policy::shows_query;
  else
    return false;
}();

}  // namespace lacuna::mask
