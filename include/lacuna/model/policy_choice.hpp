#pragma once

#include <algorithm>
#include <bit>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "lacuna/mask/any_policy.hpp"
#include "lacuna/mask/audit.hpp"
#include "lacuna/settings.hpp"
#include "lacuna/train/samples.hpp"

namespace lacuna::model {

/// @brief What contexts are drawn by: a policy chosen at run time, with lost planes where the data have them.
using Policy = mask::LostPlanes<mask::AnyPolicy>;

/// @brief A mask policy under consideration and what the exposure audit says of it.
struct PolicyCandidate {
  std::string name;
  Policy policy;
  mask::Exposure exposure;
};

/// @brief The policy as the audit knows it: lost planes only where the data have them.
inline PolicyCandidate audited(const std::string& name, mask::AnyPolicy::Policies inner, const mask::Structure& structure,
                               const std::vector<mask::Window>& windows) {
  const bool lost = structure.lost_planes > 0 && structure.window_frames * structure.variables > 1;
  const float probability = lost ? 0.25f : 0.0f, all_variables = static_cast<float>(structure.lost_with_all);
  auto exposure = std::visit(
      [&](const auto& policy) {
        if (!lost) return mask::audit(policy, structure, windows);
        using Wrapped = mask::LostPlanes<std::decay_t<decltype(policy)>>;
        return mask::audit(Wrapped{policy, probability, all_variables}, structure, windows);
      },
      inner);
  return {name, Policy{mask::AnyPolicy{std::move(inner)}, probability, all_variables}, std::move(exposure)};
}

/// @brief The policies that the settings name (all of them for automatic), fitted to the data's gaps.
/// Throws: OptionError if an empirical policy is asked for by name and all masks are equal.
inline std::vector<PolicyCandidate> policy_candidates(const PolicySettings& asked, const mask::Structure& structure,
                                                      const train::Samples& samples) {
  const auto& windows = samples.windows();
  const bool every = asked.choice == PolicyChoice::automatic, blocky = structure.kind == mask::Structure::Kind::blocks;
  std::vector<PolicyCandidate> found;
  if (every || asked.choice == PolicyChoice::pixels) {
    const auto pixels = asked.ratio > 0 ? mask::Pixels{.ratio = static_cast<float>(asked.ratio)} : mask::Pixels::random_ratio();
    found.push_back(audited("pixels", pixels, structure, windows));
  }
  if ((every && blocky) || asked.choice == PolicyChoice::blocks) {
    mask::Blocks blocks;
    if (blocky) {
      blocks.rows = structure.rows;
      blocks.cols = structure.cols;
      // Two dropped blocks as well, where that leaves more than half: contexts then vary more between draws.
      const double live = std::popcount(structure.live_blocks);
      blocks.drop_max = structure.density * live >= 0.5 * live + 2.0 ? 2 : 1;
    }
    found.push_back(audited("blocks", blocks, structure, windows));
  }
  if (every || asked.choice == PolicyChoice::empirical) {
    try {
      found.push_back(audited("empirical", mask::Empirical(windows, {}, samples.live()), structure, windows));
    } catch (const OptionError&) {
      if (!every) throw;
    }
  }
  return found;
}

/// @brief Which of the candidates the audit allows; the structure's own policy first.
/// Throws: OptionError with the audit's reason if none is, unless the refusal is overridden: then it is the first of them.
inline std::vector<PolicyCandidate> allowed_policies(std::vector<PolicyCandidate> candidates, bool allow_unexposed,
                                                     const mask::Structure& structure) {
  const std::string own = structure.kind == mask::Structure::Kind::blocks      ? "blocks"
                          : structure.kind == mask::Structure::Kind::irregular ? "empirical"
                                                                               : "pixels";
  std::stable_sort(candidates.begin(), candidates.end(),
                   [&](const auto& a, const auto& b) { return (a.name == own) > (b.name == own); });
  std::vector<PolicyCandidate> allowed;
  for (auto& candidate : candidates)
    if (candidate.exposure.verdict != mask::Verdict::refused) allowed.push_back(candidate);
  if (allowed.empty()) {
    mask::require_exposure(candidates.front().exposure, allow_unexposed);
    allowed.push_back(candidates.front());
  }
  return allowed;
}

}  // namespace lacuna::model
