#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "lacuna/mask/blocks.hpp"
#include "lacuna/mask/exposure.hpp"
#include "lacuna/mask/policy.hpp"
#include "lacuna/mask/structure.hpp"

namespace lacuna::mask {

/// @brief Settings of an audit by sampling.
struct AuditOptions {
  std::uint64_t seed = 0;
  double cells = 4e6;  ///< about how many cells to look at
};

/// @brief Chessboard distance of every cell of a plane to the nearest cell of the context; 0 in it, -1 if it is empty.
///
/// Breadth-first from all context cells at once; x wraps on periodic grids. context: (H, W).
inline std::vector<int> context_distance(std::span<const std::uint8_t> context, int height, int width, bool periodic_x) {
  std::vector<int> distance(context.size(), -1), queue;
  queue.reserve(context.size());
  for (std::size_t i = 0; i < context.size(); ++i)
    if (context[i]) {
      distance[i] = 0;
      queue.push_back(static_cast<int>(i));
    }
  for (std::size_t head = 0; head < queue.size(); ++head) {
    const int y = queue[head] / width, x = queue[head] % width;
    for (int ny = std::max(0, y - 1); ny <= std::min(height - 1, y + 1); ++ny)
      for (int dx = -1; dx <= 1; ++dx) {
        const int nx = periodic_x ? (x + dx + width) % width : x + dx;
        if (nx < 0 || nx >= width) continue;
        const auto next = static_cast<std::size_t>(ny * width + nx);
        if (distance[next] >= 0) continue;
        distance[next] = distance[static_cast<std::size_t>(queue[head])] + 1;
        queue.push_back(static_cast<int>(next));
      }
  }
  return distance;
}

/// @brief Sorts the positions outside a context by what a learner can see around them.
///
/// Distance to the context in octaves; at distance 1 also how many of the eight neighbours are in the context, since a single
/// missing pixel and the rim of a large hole look different. With block masks: whether the whole block is absent, and how
/// many blocks are.
class ContextBins {
 public:
  static constexpr int count = 10 + 65;

  ContextBins(const Structure& s, bool periodic_x) : structure_(&s), periodic_x_(periodic_x) {
    if (s.kind == Structure::Kind::blocks) partition_ = BlockPartition::of(s.rows, s.cols, s.height, s.width);
  }

  /// Prepares for a plane's context (H, W).
  void look_at(std::span<const std::uint8_t> context) {
    context_ = context;
    if (structure_->kind != Structure::Kind::blocks) {
      distance_ = context_distance(context, structure_->height, structure_->width, periodic_x_);
      return;
    }
    present_ = 0;
    for (int y = 0; y < structure_->height; ++y)
      for (int x = 0; x < structure_->width; ++x)
        if (context[at(y, x)]) present_ |= block_bit(partition_.block(y, x));
  }

  /// Bin of a position outside the context.
  int bin(int y, int x) const {
    if (structure_->kind == Structure::Kind::blocks) {
      if (present_ & block_bit(partition_.block(y, x))) return 9;
      return 10 + std::popcount(structure_->live_blocks & ~present_);
    }
    const int distance = distance_[at(y, x)];
    if (distance < 0) return 8;
    if (distance == 1) {
      const int near = neighbours(y, x);
      return near >= 7 ? 0 : near >= 4 ? 1 : 2;
    }
    return std::min(
        7, 2 + static_cast<int>(std::bit_width(static_cast<unsigned>(distance - 1))));  // 2: 3, 3-4: 4, 5-8: 5, 9-16: 6, more: 7
  }

  static std::string where(int bin) {
    constexpr std::array names{"single cells within the context", "cells at the context's edge",
                               "cells just outside the context",  "2 cells from the context",
                               "3 to 4 cells from the context",   "5 to 8 cells from the context",
                               "9 to 16 cells from the context",  "more than 16 cells from the context",
                               "planes without any context",      "cells of blocks that are partly in the context"};
    if (bin < 10) return names[static_cast<std::size_t>(bin)];
    return text("whole blocks, ", bin - 10, " being absent");
  }

 private:
  std::size_t at(int y, int x) const { return static_cast<std::size_t>(y * structure_->width + x); }

  /// How many of the eight neighbours are in the context; beyond the grid's edge counts as in it.
  int neighbours(int y, int x) const {
    int found = 0;
    for (int dy = -1; dy <= 1; ++dy)
      for (int dx = -1; dx <= 1; ++dx) {
        if (dy == 0 && dx == 0) continue;
        const int ny = y + dy, nx = periodic_x_ ? (x + dx + structure_->width) % structure_->width : x + dx;
        const bool outside = ny < 0 || ny >= structure_->height || nx < 0 || nx >= structure_->width;
        found += outside || context_[at(ny, nx)];
      }
    return found;
  }

  const Structure* structure_;
  bool periodic_x_;
  BlockPartition partition_;
  std::span<const std::uint8_t> context_;
  std::vector<int> distance_;
  BlockSet present_ = 0;
};

/// @brief Counts by bin and by position: outside the context, of these queried, of these missing.
struct ExposureCounts {
  std::array<double, ContextBins::count> absent{}, queried{}, missing{};
  std::vector<double> absent_at, queried_at;  ///< (H, W)
};

/// @brief Adds one draw for one window: every group once, by its first plane.
template <MaskDraw Draw>
void count_exposure(const Draw& draw, const Structure& s, std::span<const MaskPlane> planes, ContextBins& bins,
                    ExposureCounts& counts) {
  std::vector<std::uint8_t> context(static_cast<std::size_t>(s.height * s.width));
  for (const MaskPlane& plane : planes) {
    const int group = plane.window->group(plane.frame, plane.variable);
    for (int y = 0; y < s.height; ++y)
      for (int x = 0; x < s.width; ++x)
        context[static_cast<std::size_t>(y * s.width + x)] =
            plane.at(y, x) && draw.in_context(Cell{plane.frame, y, x, plane.variable, group});
    bins.look_at(context);
    for (int y = 0; y < s.height; ++y)
      for (int x = 0; x < s.width; ++x) {
        const auto i = static_cast<std::size_t>(y * s.width + x);
        if (context[i] || !is_live(s, y, x, plane.variable)) continue;
        const auto bin = static_cast<std::size_t>(bins.bin(y, x));
        const bool observed = plane.at(y, x);
        const bool query = observed && draw.in_query(Cell{plane.frame, y, x, plane.variable, group});
        counts.absent[bin] += 1;
        counts.queried[bin] += query;
        counts.missing[bin] += !observed;
        counts.absent_at[i] += 1;
        counts.queried_at[i] += query;
      }
  }
}

/// @brief Estimates the exposure by drawing contexts of the data's own masks, in bins that a learner can tell apart.
template <MaskPolicy Policy>
Exposure sampled_exposure(const Policy& policy, const Structure& s, std::span<const Window> windows, AuditOptions options = {}) {
  Exposure e{.height = s.height, .width = s.width};
  ExposureCounts counts;
  counts.absent_at.assign(static_cast<std::size_t>(s.height * s.width), 0);
  counts.queried_at = counts.absent_at;
  const PhiloxKey key = philox_key(options.seed, Purpose::context);
  double budget = std::max(options.cells, 1.0);
  for (std::uint64_t sample = 0; budget > 0 && !windows.empty(); ++sample) {
    const auto pick =
        uniform_below(philox(philox_key(options.seed, Purpose::window), sample, 0)[0], static_cast<int>(windows.size()));
    const std::span<const Window> window = windows.subspan(static_cast<std::size_t>(pick), 1);
    const std::vector<MaskPlane> planes = mask_planes(window);
    ContextBins bins(s, window.front().masks.periodic_x);
    count_exposure(policy.draw(key, sample, window.front()), s, planes, bins, counts);
    budget -= static_cast<double>((planes.size() + 1) * static_cast<std::size_t>(s.height * s.width));
  }
  double absent = 0, queried = 0, missing = 0;
  for (std::size_t b = 0; b < counts.absent.size(); ++b) {
    absent += counts.absent[b];
    queried += counts.queried[b];
    missing += counts.missing[b];
  }
  e.mean = absent > 0 ? queried / absent : 1;
  for (std::size_t b = 0; b < counts.absent.size(); ++b)
    if (counts.absent[b] > 0)
      e.bins.push_back({ContextBins::where(static_cast<int>(b)), missing > 0 ? counts.missing[b] / missing : 0,
                        counts.queried[b] / counts.absent[b]});
  for (std::size_t i = 0; i < counts.absent_at.size(); ++i)
    e.map.push_back(counts.absent_at[i] > 0 ? static_cast<float>(counts.queried_at[i] / counts.absent_at[i])
                                            : std::numeric_limits<float>::quiet_NaN());
  return e;
}

}  // namespace lacuna::mask
