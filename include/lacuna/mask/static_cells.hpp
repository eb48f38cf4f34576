#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "lacuna/mask/blocks.hpp"
#include "lacuna/mask/policy.hpp"

namespace lacuna::mask {

/// @brief One mask of a window: a plane that stands for its group.
struct MaskPlane {
  const Window* window = nullptr;
  int frame = 0, variable = 0;

  bool at(int y, int x) const { return window->masks.at(frame, y, x, variable); }
};

/// @brief The first plane of every group of every window.
inline std::vector<MaskPlane> mask_planes(std::span<const Window> windows) {
  std::vector<MaskPlane> planes;
  for (const Window& w : windows) {
    int next = 0;
    for (int t = 0; t < w.masks.frames; ++t)
      for (int v = 0; v < w.masks.variables; ++v)
        if (w.group(t, v) == next) {
          planes.push_back({&w, t, v});
          ++next;
        }
  }
  return planes;
}

/// @brief Whether every mask is constant on the live cells (H, W, V) of every block.
inline bool constant_on_blocks(std::span<const std::uint8_t> live, std::span<const MaskPlane> planes,
                               const BlockPartition& partition) {
  for (const MaskPlane& plane : planes) {
    const Masks& m = plane.window->masks;
    BlockSet observed = 0, missing = 0;
    for (int y = 0; y < m.height; ++y)
      for (int x = 0; x < m.width; ++x)
        if (live[m.index(0, y, x, plane.variable)]) (plane.at(y, x) ? observed : missing) |= block_bit(partition.block(y, x));
    if (observed & missing) return false;
  }
  return true;
}

/// @brief The coarsest partition (3 x 3 first, then 2..8 x 2..8) on whose blocks of 2 x 2 cells or more all masks are constant;
/// {0, 0} if there is none.
inline std::pair<int, int> find_blocks(std::span<const std::uint8_t> live, std::span<const MaskPlane> planes) {
  if (planes.empty()) return {0, 0};
  const Masks& m = planes.front().window->masks;
  std::vector<std::pair<int, int>> candidates;
  for (int rows = 2; rows <= 8; ++rows)
    for (int cols = 2; cols <= 8; ++cols)
      if (m.height / rows >= 2 && m.width / cols >= 2) candidates.emplace_back(rows, cols);
  const auto rank = [](std::pair<int, int> p) { return p == std::pair{3, 3} ? 0 : p.first * p.second; };
  std::stable_sort(candidates.begin(), candidates.end(), [&](auto a, auto b) { return rank(a) < rank(b); });
  for (const auto& [rows, cols] : candidates)
    if (constant_on_blocks(live, planes, BlockPartition::of(rows, cols, m.height, m.width))) return {rows, cols};
  return {0, 0};
}

/// @brief How many cells of a variable would never be observed by chance, given how dense its masks are where it exists.
inline double unseen_by_chance(std::span<const std::uint8_t> ever, std::span<const Window> windows, int variable) {
  double cells = 0, log_unseen = 0;
  const Masks& grid = windows.front().masks;
  for (std::size_t i = static_cast<std::size_t>(variable); i < ever.size(); i += static_cast<std::size_t>(grid.variables))
    cells += ever[i];
  if (cells <= 0) return 0;
  const std::uint8_t* last = nullptr;
  for (const Window& w : windows) {
    if (w.masks.observed.data() < last) continue;  // shares a frame with the window before: not another mask
    last = w.masks.observed.data() + w.masks.size();
    std::set<int> seen;
    for (int t = 0; t < w.masks.frames; ++t) {
      if (w.group(t, variable) < 0 || !seen.insert(w.group(t, variable)).second) continue;
      double observed = 0;
      for (std::size_t i = 0; i < w.masks.cells(); ++i)
        observed += w.masks.observed[w.masks.index(t, 0, 0, variable) + i * static_cast<std::size_t>(w.masks.variables)] != 0;
      log_unseen += std::log(std::max(1e-12, 1 - observed / cells));
    }
  }
  const double unseen = std::exp(log_unseen);
  return unseen < 1 ? cells * unseen / (1 - unseen) : cells;
}

/// @brief Marks as live those never observed cells of a variable whose connected region has no cell with eight such neighbours.
inline void keep_thin_regions(std::vector<std::uint8_t>& live, const Masks& m, int v) {
  const auto at = [&](int y, int x) { return m.index(0, y, x, v); };
  const auto column = [&](int x) { return m.periodic_x ? (x + m.width) % m.width : x; };
  const auto for_neighbours = [&](int y, int x, const auto& visit) {
    for (int ny = std::max(0, y - 1); ny <= std::min(m.height - 1, y + 1); ++ny)
      for (int dx = -1; dx <= 1; ++dx)
        if (const int nx = column(x + dx); nx >= 0 && nx < m.width) visit(ny, nx);
  };
  std::vector<std::uint8_t> visited(m.cells(), 0);
  std::vector<std::pair<int, int>> region;
  const auto add = [&](int y, int x) {
    auto& mark = visited[static_cast<std::size_t>(y * m.width + x)];
    if (mark || live[at(y, x)]) return;
    mark = 1;
    region.emplace_back(y, x);
  };
  std::vector<std::size_t> chance;
  for (int y = 0; y < m.height; ++y)
    for (int x = 0; x < m.width; ++x) {
      region.clear();
      add(y, x);
      bool core = false;
      for (std::size_t head = 0; head < region.size(); ++head) {
        const int ry = region[head].first, rx = region[head].second;
        bool all = true;
        for_neighbours(ry, rx, [&](int ny, int nx) {
          all &= live[at(ny, nx)] == 0;
          if (ny == ry || nx == rx) add(ny, nx);
        });
        core |= all;
      }
      if (!core)
        for (const auto& [ry, rx] : region) chance.push_back(at(ry, rx));
    }
  for (const std::size_t i : chance) live[i] = 1;
}

/// @brief Cells (H, W, V) that can be observed: 1 = live, 0 = static (land), neither trained on nor filled.
///
/// A cell that is never observed is static, unless so few or so sparse masks leave cells unobserved by chance (ten masks with a
/// tenth of the cells miss a third of them). Then only regions too solid for chance are static: those with at least one cell all
/// of whose neighbours are never observed either; and none if the masks miss whole blocks of a partition.
/// `windows` are those of training in order of time.
inline std::vector<std::uint8_t> live_cells(const Masks& all, std::span<const Window> windows) {
  const std::vector<std::uint8_t> ever = ever_observed(all);
  std::vector<std::uint8_t> live = ever;
  if (windows.empty() || std::find(ever.begin(), ever.end(), std::uint8_t{0}) == ever.end()) return live;
  const std::vector<std::uint8_t> everything(ever.size(), 1);
  int blocks = -1;  // not yet known
  for (int v = 0; v < all.variables; ++v) {
    if (unseen_by_chance(ever, windows, v) < 0.5) continue;
    if (blocks < 0) blocks = find_blocks(everything, mask_planes(windows)).first;
    if (blocks == 0)
      keep_thin_regions(live, all, v);
    else
      for (std::size_t i = 0; i < all.cells(); ++i)
        live[i * static_cast<std::size_t>(all.variables) + static_cast<std::size_t>(v)] = 1;
  }
  return live;
}

}  // namespace lacuna::mask
