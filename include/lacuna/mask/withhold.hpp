#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/core/philox.hpp"
#include "lacuna/mask/blocks.hpp"
#include "lacuna/mask/empirical.hpp"
#include "lacuna/mask/policy.hpp"
#include "lacuna/mask/structure.hpp"

namespace lacuna::mask {

/// @brief Planes of the whole data set that share a mask within some window: what is withheld in one is withheld in all.
///
/// A mask belongs to a frame, whatever windows it is in, so groups of overlapping windows are joined.
struct SharedPlanes {
  std::vector<int> of;                    ///< (T, V) -> component; -1 = lost, or in no window
  std::vector<std::vector<int>> members;  ///< planes t * V + v of each component
};

inline SharedPlanes shared_planes(const Masks& all, std::span<const Window> windows, std::span<const int> starts) {
  std::vector<int> parent(static_cast<std::size_t>(all.planes()), -1);
  const auto root = [&](int plane) {
    while (parent[static_cast<std::size_t>(plane)] != plane) plane = parent[static_cast<std::size_t>(plane)];
    return plane;
  };
  for (std::size_t w = 0; w < windows.size(); ++w) {
    std::vector<int> first(static_cast<std::size_t>(windows[w].groups.count), -1);
    for (std::size_t i = 0; i < windows[w].groups.of.size(); ++i) {
      const int group = windows[w].groups.of[i];
      if (group < 0) continue;
      const int plane = starts[w] * all.variables + static_cast<int>(i);
      if (parent[static_cast<std::size_t>(plane)] < 0) parent[static_cast<std::size_t>(plane)] = plane;
      int& leader = first[static_cast<std::size_t>(group)];
      if (leader < 0) leader = plane;
      const int a = root(leader), b = root(plane);
      parent[static_cast<std::size_t>(std::max(a, b))] = std::min(a, b);
    }
  }
  SharedPlanes shared{.of = std::vector<int>(parent.size(), -1), .members = {}};
  for (int plane = 0; plane < all.planes(); ++plane) {
    if (parent[static_cast<std::size_t>(plane)] < 0) continue;
    const auto top = static_cast<std::size_t>(root(plane));
    if (shared.of[top] < 0) {
      shared.of[top] = static_cast<int>(shared.members.size());
      shared.members.emplace_back();
    }
    shared.of[static_cast<std::size_t>(plane)] = shared.of[top];
    shared.members[static_cast<std::size_t>(shared.of[top])].push_back(plane);
  }
  return shared;
}

/// @brief 0 .. count - 1 in random order.
inline std::vector<int> shuffled(PhiloxKey key, std::uint64_t stream, int count) {
  std::vector<int> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  for (int i = count - 1; i > 0; --i) {
    const int j = uniform_below(philox(key, stream, static_cast<std::uint64_t>(i))[0], i + 1);
    std::swap(order[static_cast<std::size_t>(i)], order[static_cast<std::size_t>(j)]);
  }
  return order;
}

/// @brief What is being withheld: the data's masks, the bytes so far, and how many cells they should come to.
class Withholding {
 public:
  Withholding(const Masks& all, std::span<const Window> windows, std::span<const int> starts, double fraction, PhiloxKey key)
      : all_(all),
        windows_(windows),
        starts_(starts),
        fraction_(fraction),
        key_(key),
        shared_(shared_planes(all, windows, starts)),
        hidden_(all.size(), 0) {
    double observed = 0;
    for (const auto& planes : shared_.members)
      for (const int plane : planes) observed += static_cast<double>(count(plane, [](int, int) { return true; }));
    target_ = fraction * observed;
  }

  /// Every observed cell with probability `fraction`, alike in all planes that share a mask; never all cells of a mask.
  void pixels() {
    for (std::size_t c = 0; c < shared_.members.size(); ++c) {
      const auto chosen = [&](int y, int x) {
        return uniform(philox(key_, c, cell_position(0, y, x))[0]) < static_cast<float>(fraction_);
      };
      const int plane = shared_.members[c].front();
      if (count(plane, chosen) < count(plane, [](int, int) { return true; })) hide(static_cast<int>(c), chosen);
    }
  }

  /// Whole observed blocks of randomly ordered masks, one a round, until the target is met. A mask keeps two blocks, so that
  /// its contexts can still drop one, unless the target cannot be met otherwise; it always keeps one.
  void blocks(int rows, int cols) {
    const BlockPartition partition = BlockPartition::of(rows, cols, all_.height, all_.width);
    const int masks = static_cast<int>(shared_.members.size());
    std::vector<BlockSet> left(shared_.members.size(), 0);
    for (std::size_t c = 0; c < left.size(); ++c)
      for (int y = 0; y < all_.height; ++y)
        for (int x = 0; x < all_.width; ++x)
          if (observed(shared_.members[c].front(), y, x)) left[c] |= block_bit(partition.block(y, x));
    for (const int keep : {2, 1})
      for (std::uint64_t round = 0; round < 64; ++round)
        for (const int c : shuffled(key_, (std::uint64_t{1} << 40) | round, masks)) {
          BlockSet& set = left[static_cast<std::size_t>(c)];
          if (std::popcount(set) <= keep) continue;
          const BlockSet chosen = choose_blocks(key_, static_cast<std::uint64_t>(c), round * 16, set, 1);
          const auto inside = [&](int y, int x) { return (chosen & block_bit(partition.block(y, x))) != 0; };
          if (!fits(c, inside)) return;
          hide(c, inside);
          set &= ~chosen;
        }
  }

  /// Other windows' gaps are laid over randomly ordered windows that share no frame, until the target is met.
  void transplant(std::span<const std::uint8_t> live) {
    const Empirical donors(windows_, {}, live);
    std::vector<bool> used(static_cast<std::size_t>(all_.frames), false);
    for (const int w : shuffled(key_, std::uint64_t{2} << 40, static_cast<int>(windows_.size()))) {
      const Window& window = windows_[static_cast<std::size_t>(w)];
      const auto first = used.begin() + starts_[static_cast<std::size_t>(w)];
      if (std::find(first, first + window.masks.frames, true) != first + window.masks.frames) continue;
      const auto draw = donors.draw(key_, static_cast<std::uint64_t>(w), window);
      if (!fits(draw, window, starts_[static_cast<std::size_t>(w)])) continue;
      std::fill(first, first + window.masks.frames, true);
      lay_over(draw, window, starts_[static_cast<std::size_t>(w)]);
    }
  }

  /// Whole planes, or frames of all variables in the share in which the data lose them; every window keeps something observed.
  void planes(const Structure& s) {
    const int wanted = std::max(1, static_cast<int>(std::lround(fraction_ * s.lost_planes)));
    int done = 0;
    for (const int plane : shuffled(key_, std::uint64_t{3} << 40, all_.planes())) {
      if (done >= wanted) return;
      if (shared_.of[static_cast<std::size_t>(plane)] < 0) continue;
      const bool all_variables = uniform(philox(key_, std::uint64_t{4} << 40, static_cast<std::uint64_t>(plane))[0]) <
                                 static_cast<float>(s.lost_with_all);
      const int t = plane / all_.variables;
      const int v = all_variables ? -1 : plane % all_.variables;
      if (!others_remain(t, v)) continue;
      for (int y = 0; y < all_.height; ++y)
        for (int x = 0; x < all_.width; ++x)
          for (int u = 0; u < all_.variables; ++u)
            if ((v < 0 || u == v) && all_.at(t, y, x, u)) hidden_[all_.index(t, y, x, u)] = 1;
      done += v < 0 ? all_.variables : 1;
    }
  }

  std::vector<std::uint8_t> take() { return std::move(hidden_); }

 private:
  bool observed(int plane, int y, int x) const { return all_.at(plane / all_.variables, y, x, plane % all_.variables); }

  template <class Chosen>
  std::size_t count(int plane, const Chosen& chosen) const {
    std::size_t n = 0;
    for (int y = 0; y < all_.height; ++y)
      for (int x = 0; x < all_.width; ++x) n += observed(plane, y, x) && chosen(y, x);
    return n;
  }

  /// Whether hiding this keeps nearer to the target than stopping here; the first always does.
  bool nearer(double more) const { return done_ == 0 || done_ + more / 2 <= target_; }

  template <class Chosen>
  bool fits(int component, const Chosen& chosen) const {
    double more = 0;
    for (const int plane : shared_.members[static_cast<std::size_t>(component)])
      more += static_cast<double>(count(plane, chosen));
    return nearer(more);
  }

  template <class Chosen>
  void hide(int component, const Chosen& chosen) {
    for (const int plane : shared_.members[static_cast<std::size_t>(component)])
      for (int y = 0; y < all_.height; ++y)
        for (int x = 0; x < all_.width; ++x)
          if (observed(plane, y, x) && chosen(y, x)) {
            hidden_[all_.index(plane / all_.variables, y, x, plane % all_.variables)] = 1;
            done_ += 1;
          }
  }

  /// Calls visit(index in the data set) for each cell of a window that a draw puts into the query; returns how many stay.
  template <class Visit>
  double for_query(const Empirical::Draw& draw, const Window& window, int start, const Visit& visit) const {
    double kept = 0;
    for (int t = 0; t < window.masks.frames; ++t)
      for (int y = 0; y < all_.height; ++y)
        for (int x = 0; x < all_.width; ++x)
          for (int v = 0; v < all_.variables; ++v) {
            if (!window.masks.at(t, y, x, v)) continue;
            if (draw.in_query({t, y, x, v, window.group(t, v)}))
              visit(all_.index(start + t, y, x, v));
            else
              kept += 1;
          }
    return kept;
  }

  bool fits(const Empirical::Draw& draw, const Window& window, int start) const {
    double more = 0;
    const double kept = for_query(draw, window, start, [&](std::size_t) { more += 1; });
    return more > 0 && kept > 0 && nearer(more);
  }

  void lay_over(const Empirical::Draw& draw, const Window& window, int start) {
    for_query(draw, window, start, [&](std::size_t i) {
      hidden_[i] = 1;
      done_ += 1;
    });
  }

  /// Whether every window with frame t keeps an observed, not withheld cell outside plane (t, v); v = -1: outside frame t.
  bool others_remain(int t, int v) const {
    for (std::size_t w = 0; w < windows_.size(); ++w) {
      const Masks& m = windows_[w].masks;
      const int start = starts_[w];
      if (t < start || t >= start + m.frames) continue;
      bool found = false;
      for (std::size_t i = 0; i < m.size() && !found; ++i) {
        if (!m.observed[i] || hidden_[i + m.frame_size() * static_cast<std::size_t>(start)]) continue;
        const int frame = start + static_cast<int>(i / m.frame_size());
        found = frame != t || (v >= 0 && static_cast<int>(i % static_cast<std::size_t>(m.variables)) != v);
      }
      if (!found) return false;
    }
    return true;
  }

  Masks all_;
  std::span<const Window> windows_;
  std::span<const int> starts_;
  double fraction_, target_ = 0, done_ = 0;
  PhiloxKey key_;
  SharedPlanes shared_;
  std::vector<std::uint8_t> hidden_;
};

/// @brief Observed cells to hide for scoring: bytes (T, H, W, V), 1 = withheld, drawn with the structure of the gaps.
///
/// Pixels: each with probability `fraction`, alike in planes that share a mask. Blocks: whole observed blocks in as many masks
/// as give about the fraction, never all of a mask's. Irregular: other windows' gaps laid over as many windows as give about
/// the fraction. Lost planes: whole planes too, about `fraction` of the number the data lose, at least one.
/// `windows` are windows_of(all, starts, frames, structure.live); what lies in no window is not withheld.
/// Throws: OptionError if the fraction is not in (0, 1), ShapeError if windows and starts differ in number.
inline std::vector<std::uint8_t> withhold(const Masks& all, std::span<const Window> windows, std::span<const int> starts,
                                          double fraction, const Structure& s, std::uint64_t seed) {
  require_consistent(all);
  require<OptionError>(fraction > 0 && fraction < 1, "withhold: a fraction of ", fraction, " is not in (0, 1)");
  require<ShapeError>(windows.size() == starts.size(), "withhold: ", windows.size(), " windows, ", starts.size(), " starts");
  Withholding w(all, windows, starts, fraction, philox_key(seed, Purpose::withhold));
  switch (s.kind) {
    case Structure::Kind::complete:
    case Structure::Kind::pixels: w.pixels(); break;
    case Structure::Kind::blocks: w.blocks(s.rows, s.cols); break;
    case Structure::Kind::irregular: w.transplant(s.live); break;
  }
  if (s.lost_planes > 0) w.planes(s);
  return w.take();
}

/// @brief M without what is withheld.
inline std::vector<std::uint8_t> without(const Masks& all, std::span<const std::uint8_t> withheld) {
  require<ShapeError>(withheld.size() == all.size(), "without: ", withheld.size(), " bytes withheld, expected ", all.size());
  std::vector<std::uint8_t> left(all.size());
  for (std::size_t i = 0; i < left.size(); ++i) left[i] = all.observed[i] && !withheld[i];
  return left;
}

}  // namespace lacuna::mask
