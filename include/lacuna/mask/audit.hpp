#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "lacuna/mask/any_policy.hpp"
#include "lacuna/mask/audit_sampling.hpp"
#include "lacuna/mask/blocks.hpp"
#include "lacuna/mask/empirical.hpp"
#include "lacuna/mask/exposure.hpp"
#include "lacuna/mask/lost_planes.hpp"
#include "lacuna/mask/pixels.hpp"
#include "lacuna/mask/structure.hpp"

namespace lacuna::mask {

/// @brief The policy's name in messages.
template <MaskPolicy Policy>
std::string policy_name(const Policy& policy) {
  if constexpr (requires { policy.name(); })
    return policy.name();
  else
    return "this mask policy";
}
inline std::string policy_name(const Pixels& p) {
  return p.random ? "hiding pixels at a random ratio" : text("hiding pixels at ratio ", p.ratio);
}
inline std::string policy_name(const Blocks& p) { return text("hiding blocks, ", p.rows, " x ", p.cols); }
inline std::string policy_name(const Empirical&) { return "hiding by the data's own masks"; }
inline std::string policy_name(const Observed&) { return "hiding nothing"; }
inline std::string policy_name(const AnyPolicy& p) {
  return std::visit([](const auto& policy) { return policy_name(policy); }, p.policies());
}
template <class Policy>
std::string policy_name(const LostPlanes<Policy>& p) {
  return text(policy_name(p.policy), " and whole planes");
}

/// @brief What to use instead, given the data's structure.
inline std::string advice(const Structure& s) {
  switch (s.kind) {
    case Structure::Kind::pixels: return "cells are missing one by one: hide pixels, at a ratio below 1";
    case Structure::Kind::blocks: return text("whole blocks are missing: hide blocks, ", s.rows, " x ", s.cols);
    case Structure::Kind::irregular: return "gaps have shapes of their own: hide by the data's own masks (empirical)";
    case Structure::Kind::complete: break;
  }
  return "hide pixels";
}

/// @brief P(query | outside the context) of an observed cell.
inline double query_share(const Pixels& p) { return p.random && p.rest ? 1 : static_cast<double>(p.query); }

/// @brief P(query | outside the context) if cells are observed with probability d and in the context with probability r:
/// d (1 - r) q / (1 - d r), q = 1 where the query is the rest; averaged over r ~ U(lower, 1) if the ratio is random.
inline double pixel_exposure(const Pixels& p, double d) {
  if (!p.random)
    return p.ratio < 1 ? d * (1 - static_cast<double>(p.ratio)) * query_share(p) / (1 - d * static_cast<double>(p.ratio)) : 0;
  const double l = p.lower;
  const double q = query_share(p);
  if (d <= 0 || d >= 1) return d <= 0 ? 0 : q;
  return q * (1 + (1 - d) / d * std::log((1 - d) / (1 - d * l)) / (1 - l));
}

/// @brief P(none of n observed cells is in the context).
inline double all_hidden(const Pixels& p, double n) {
  if (!p.random) return std::pow(1 - static_cast<double>(p.ratio), n);
  return std::pow(1 - static_cast<double>(p.lower), n) / (n + 1);
}

/// @brief P(n of `live` blocks are dropped | m are missing), n = 0 .. live.
inline std::vector<double> drop_distribution(const Blocks& p, int live, int m, const Structure&) {
  std::vector<double> q(static_cast<std::size_t>(live) + 1, 0);
  for (int n = p.drop_min; n <= p.drop_max; ++n)
    q[static_cast<std::size_t>(std::clamp(n, 0, std::max(0, live - m - 1)))] += 1.0 / (p.drop_max - p.drop_min + 1);
  return q;
}

/// @brief The same for blocks missing in another mask of the family: hypergeometric, redrawn if nothing or all would go.
inline std::vector<double> drop_distribution(const Empirical&, int live, int m, const Structure& s) {
  const auto choose = [](int n, int k) {
    return k < 0 || k > n ? 0.0 : std::exp(std::lgamma(n + 1.0) - std::lgamma(k + 1.0) - std::lgamma(n - k + 1.0));
  };
  std::vector<double> q(static_cast<std::size_t>(live) + 1, 0);
  double total = 0;
  for (int n = 1; n < live - m; ++n) {
    for (int other = n; other <= live; ++other)
      q[static_cast<std::size_t>(n)] +=
          s.missing_blocks[static_cast<std::size_t>(other)] * choose(live - m, n) * choose(m, other - n) / choose(live, other);
    total += q[static_cast<std::size_t>(n)];
  }
  if (total <= 0) q[0] = total = 1;
  for (double& value : q) value /= total;
  return q;
}

/// @brief Eq. 8 over all masks of the block family that are compatible with a context: exact.
///
/// A context with k absent blocks stems from every (m missing, n dropped) with m + n = k; within each, all choices of which
/// blocks are missing are equally likely, so an absent block was dropped, and hence is queried, with probability n / k.
template <class Policy>
Exposure block_exposure(const Policy& policy, const Structure& s) {
  const int live = std::popcount(s.live_blocks);
  std::vector<double> seen(static_cast<std::size_t>(live) + 1, 0), queried = seen, to_fill = seen;
  for (int m = 0; m < live; ++m) {
    const double weight = s.missing_blocks[static_cast<std::size_t>(m)];
    if (weight <= 0) continue;
    const std::vector<double> drop = drop_distribution(policy, live, m, s);
    for (int n = 0; m + n <= live; ++n) {
      const auto k = static_cast<std::size_t>(m + n);
      const double p = weight * drop[static_cast<std::size_t>(n)];
      seen[k] += p * (m + n);
      queried[k] += p * n;
      to_fill[k] += p * m;
    }
  }
  Exposure e{.height = s.height, .width = s.width};
  double all_seen = 0, all_queried = 0, all_to_fill = 0;
  for (std::size_t k = 1; k < seen.size(); ++k) {
    all_seen += seen[k];
    all_queried += queried[k];
    all_to_fill += to_fill[k];
  }
  for (std::size_t k = 1; k < seen.size(); ++k)
    if (seen[k] > 0)
      e.bins.push_back(
          {ContextBins::where(10 + static_cast<int>(k)), all_to_fill > 0 ? to_fill[k] / all_to_fill : 0, queried[k] / seen[k]});
  e.mean = all_seen > 0 ? all_queried / all_seen : 1;
  return e;
}

/// @brief A map with one value where any variable is live.
inline void fill_map(Exposure& e, const Structure& s, double value) {
  e.map.assign(static_cast<std::size_t>(s.height * s.width), std::numeric_limits<float>::quiet_NaN());
  for (std::size_t i = 0; i < s.live.size(); ++i)
    if (s.live[i]) e.map[i / static_cast<std::size_t>(s.variables)] = static_cast<float>(value);
}

/// @brief An audit whose positions to be filled all have one exposure.
inline Exposure single_exposure(const Structure& s, std::string where, double exposure, double elsewhere) {
  Exposure e{.mean = exposure, .height = s.height, .width = s.width};
  e.bins.push_back({std::move(where), 1, exposure});
  if (elsewhere > 0) e.bins.push_back({"other positions outside the context", 0, elsewhere});
  fill_map(e, s, exposure);
  return e;
}

/// Exposure within planes, one overload per policy; any other policy is sampled on the data's masks.
template <MaskPolicy Policy>
Exposure exposure_within_planes(const Policy& policy, const Structure& s, std::span<const Window> windows, AuditOptions options) {
  if constexpr (requires { policy.exposure(s, windows, options); })
    return policy.exposure(s, windows, options);
  else
    return sampled_exposure(policy, s, windows, options);
}

inline Exposure exposure_within_planes(const Observed&, const Structure& s, std::span<const Window>, AuditOptions) {
  return single_exposure(s, "all missing cells", 0, 1);
}

inline Exposure exposure_within_planes(const Pixels& policy, const Structure& s, std::span<const Window> windows,
                                       AuditOptions options) {
  policy.check();
  if (s.kind == Structure::Kind::pixels) {
    const double p = pixel_exposure(policy, s.density);
    return single_exposure(s, "missing cells", p, p > 0 ? 0 : 1);
  }
  if (s.kind != Structure::Kind::blocks) return sampled_exposure(policy, s, windows, options);
  // A block without any context cell is missing, or every one of its observed cells happens to be outside the context.
  const BlockPartition partition = BlockPartition::of(s.rows, s.cols, s.height, s.width);
  std::vector<double> cells(static_cast<std::size_t>(partition.count()), 0);
  for (int y = 0; y < s.height; ++y)
    for (int x = 0; x < s.width; ++x)
      for (int v = 0; v < s.variables; ++v)
        if (is_live(s, y, x, v)) cells[static_cast<std::size_t>(partition.block(y, x))] += 1.0 / s.variables;
  const double query = query_share(policy);
  Exposure e = single_exposure(s, "missing blocks", 1, query);
  e.mean = 0;
  const int live = std::popcount(s.live_blocks);
  for (int y = 0; y < s.height; ++y)
    for (int x = 0; x < s.width; ++x) {
      const int b = partition.block(y, x);
      if ((s.live_blocks & block_bit(b)) == 0) continue;
      const double hidden = s.density * all_hidden(policy, cells[static_cast<std::size_t>(b)]);
      const double p = query * hidden / (1 - s.density + hidden);
      e.map[static_cast<std::size_t>(y * s.width + x)] = static_cast<float>(p);
      e.bins.front().exposure = std::min(e.bins.front().exposure, p);
      e.mean += p / live / cells[static_cast<std::size_t>(b)];
    }
  return e;
}

inline Exposure exposure_within_planes(const Blocks& policy, const Structure& s, std::span<const Window> windows,
                                       AuditOptions options) {
  policy.check();
  if (s.kind == Structure::Kind::irregular) return sampled_exposure(policy, s, windows, options);
  if (s.kind == Structure::Kind::pixels) return single_exposure(s, "single missing cells between context cells", 0, 1);
  if (policy.rows != s.rows || policy.cols != s.cols) return single_exposure(s, "blocks of another partition", 0, 1);
  Exposure e = block_exposure(policy, s);
  fill_map(e, s, e.mean);
  return e;
}

inline Exposure exposure_within_planes(const Empirical& policy, const Structure& s, std::span<const Window> windows,
                                       AuditOptions options) {
  if (s.kind != Structure::Kind::blocks) return sampled_exposure(policy, s, windows, options);
  // A moved or mirrored block no longer fits the partition: the learner sees which absent blocks were there from the start.
  if (policy.options().shift || policy.options().flip_x || policy.options().flip_y)
    return single_exposure(s, "missing blocks, told from the moved ones by their place", 0, 1);
  Exposure e = block_exposure(policy, s);
  fill_map(e, s, e.mean);
  return e;
}

/// @brief P(a plane is in the query | it is absent from the context), for each kind of loss the data have: hidden / (hidden +
/// lost).
template <class Policy>
double lost_plane_exposure(const Policy&, const Structure&) {
  return 0;
}
template <class Policy>
double lost_plane_exposure(const LostPlanes<Policy>& policy, const Structure& s) {
  const int planes = s.window_frames * s.variables;
  if (planes < 2) return 0;
  const double all = s.variables > 1 ? static_cast<double>(policy.all_variables) : 0;
  const double one_hidden = static_cast<double>(policy.probability) * (1 - all) / planes;
  const double all_hidden = s.window_frames > 1 ? static_cast<double>(policy.probability) * all / s.window_frames : 0;
  const double one_lost = s.lost_share * (1 - s.lost_with_all), all_lost = s.lost_share * s.lost_with_all;
  double exposure = 1;
  if (one_lost > 0) exposure = std::min(exposure, one_hidden / (one_hidden + one_lost));
  if (all_lost > 0) exposure = std::min(exposure, all_hidden / (all_hidden + all_lost));
  return exposure;
}

inline Exposure exposure_within_planes(const AnyPolicy& policy, const Structure& s, std::span<const Window> windows,
                                       AuditOptions options) {
  return std::visit([&](const auto& inner) { return exposure_within_planes(inner, s, windows, options); }, policy.policies());
}

template <MaskPolicy Policy>
const Policy& within_planes(const Policy& policy) {
  return policy;
}
template <class Policy>
const auto& within_planes(const LostPlanes<Policy>& policy) {
  return within_planes(policy.policy);
}

/// @brief The exposure audit (eq. 8): may this policy train on data with these gaps?
///
/// Closed form for Pixels, exact sum over the mask family for Blocks (and for Empirical without shift and flip on block masks),
/// else by sampling contexts of the windows' masks. Lost planes need LostPlanes.
template <MaskPolicy Policy>
Exposure audit(const Policy& policy, const Structure& s, std::span<const Window> windows, AuditOptions options = {}) {
  Exposure e;
  if (s.kind == Structure::Kind::complete) {
    e = {.height = s.height, .width = s.width};
    fill_map(e, s, 1);
  } else {
    e = exposure_within_planes(within_planes(policy), s, windows, options);
  }
  judge(e, policy_name(policy), advice(s));
  if (s.lost_planes == 0) return e;
  e.lost_planes = lost_plane_exposure(policy, s);
  e.minimum = std::min(e.minimum, e.lost_planes);
  if (e.lost_planes <= 0 && e.verdict != Verdict::refused) {
    e.verdict = Verdict::refused;
    e.reason =
        text(policy_name(policy), " leaves the ", s.lost_planes, " lost planes of the data without exposure; ",
             s.window_frames * s.variables < 2 ? "use windows of several frames, and hide whole planes too (LostPlanes)"
                                               : "hide whole planes too (LostPlanes), of the variables that the data lose");
  }
  return e;
}

}  // namespace lacuna::mask
