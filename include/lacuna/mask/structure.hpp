#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/mask/blocks.hpp"
#include "lacuna/mask/policy.hpp"
#include "lacuna/mask/static_cells.hpp"

namespace lacuna::mask {

/// @brief How a data set's gaps look, as found in its own masks. Static cells and lost planes are left out of everything else.
struct Structure {
  enum class Kind {
    complete,   ///< no gaps within planes
    pixels,     ///< cells are missing independently of their neighbours
    blocks,     ///< whole blocks of a rows x cols partition are missing
    irregular,  ///< anything else: clouds, swaths, coasts
  };
  Kind kind = Kind::complete;
  int rows = 0, cols = 0;              ///< the partition if kind is blocks
  BlockSet live_blocks = 0;            ///< its blocks with a cell that is not static
  std::vector<double> missing_blocks;  ///< share of masks that miss m = 0, 1, ... live blocks
  bool shared_by_frames = false;       ///< in most windows the frames of a variable have one mask
  bool shared_by_variables = false;    ///< in most windows the variables of a frame have one mask
  double density = 1;                  ///< observed share of the cells that are neither static nor in a lost plane
  double neighbour_correlation = 0;    ///< of the missing indicator between neighbours in y or x
  double frame_correlation = 0;        ///< between consecutive frames, or variables of a frame, with different masks
  int lost_planes = 0;                 ///< planes (frame, variable) with nothing observed
  double lost_share = 0;               ///< their share of all planes
  double lost_with_all = 0;            ///< share of them in frames that are lost in all of several variables
  int height = 0, width = 0, variables = 0, window_frames = 0;
  std::vector<std::uint8_t> live;  ///< (H, W, V), 1 = can be observed; the rest is static (live_cells)
};

inline const char* name(Structure::Kind kind) {
  constexpr std::array names{"complete", "pixels", "blocks", "irregular"};
  return names[static_cast<std::size_t>(kind)];
}

/// @brief Whether cell (y, x) of a variable is not static.
inline bool is_live(const Structure& s, int y, int x, int v) {
  return s.live[static_cast<std::size_t>((y * s.width + x) * s.variables + v)] != 0;
}

/// @brief Observed share of a plane's live cells.
inline double plane_density(const Structure& s, const MaskPlane& plane) {
  double live = 0, observed = 0;
  for (int y = 0; y < s.height; ++y)
    for (int x = 0; x < s.width; ++x) {
      live += is_live(s, y, x, plane.variable);
      observed += plane.at(y, x);
    }
  return live > 0 ? observed / live : 0;
}

/// @brief An average correlation, and how far it strays from zero when cells are missing independently.
struct Correlation {
  double value = 0, noise = 1;
  bool present() const { return std::abs(value) > std::max(0.05, 4 * noise); }
};

/// @brief 1 - disagreeing neighbours / what independence predicts, over all planes (in x also around a periodic grid).
inline Correlation neighbour_correlation(const Structure& s, std::span<const MaskPlane> planes) {
  double disagree = 0, predicted = 0, variance = 0;
  for (const MaskPlane& plane : planes) {
    const bool periodic = plane.window->masks.periodic_x && s.width > 2;
    const double d = plane_density(s, plane), q = 2 * d * (1 - d);
    double pairs = 0;
    const auto compare = [&](int y, int x, int other_y, int other_x) {
      if (!is_live(s, y, x, plane.variable) || !is_live(s, other_y, other_x, plane.variable)) return;
      pairs += 1;
      disagree += plane.at(y, x) != plane.at(other_y, other_x);
    };
    for (int y = 0; y < s.height; ++y)
      for (int x = 0; x < s.width; ++x) {
        if (y + 1 < s.height) compare(y, x, y + 1, x);
        if (x + 1 < s.width || periodic) compare(y, x, y, (x + 1) % s.width);
      }
    predicted += pairs * q;
    variance += pairs * q * (1 - q) * 2;  // pairs that share a cell are not independent: at most about twice the variance
  }
  if (predicted <= 0) return {};
  return {1 - disagree / predicted, std::sqrt(variance) / predicted};
}

/// @brief Correlation between planes of a window that have different masks: consecutive frames, variables of one frame.
inline Correlation frame_correlation(const Structure& s, std::span<const Window> windows) {
  double covariance = 0, scale = 0, squares = 0;
  const auto compare = [&](const MaskPlane& a, const MaskPlane& b) {
    const int ga = a.window->group(a.frame, a.variable), gb = b.window->group(b.frame, b.variable);
    if (ga < 0 || gb < 0 || ga == gb) return;
    const double da = plane_density(s, a), db = plane_density(s, b);
    const double deviation = std::sqrt(da * (1 - da) * db * (1 - db));
    for (int y = 0; y < s.height; ++y)
      for (int x = 0; x < s.width; ++x) {
        if (!is_live(s, y, x, a.variable) || !is_live(s, y, x, b.variable)) continue;
        covariance += (a.at(y, x) - da) * (b.at(y, x) - db);
        scale += deviation;
        squares += deviation * deviation;
      }
  };
  for (const Window& w : windows)
    for (int t = 0; t < w.masks.frames; ++t)
      for (int v = 0; v < w.masks.variables; ++v) {
        if (t + 1 < w.masks.frames) compare({&w, t, v}, {&w, t + 1, v});
        if (v + 1 < w.masks.variables) compare({&w, t, v}, {&w, t, v + 1});
      }
  if (scale <= 0) return {};
  return {covariance / scale, std::sqrt(squares) / scale};
}

/// @brief Fills in the live blocks and how many of them masks miss.
inline void count_blocks(Structure& s, std::span<const MaskPlane> planes) {
  const BlockPartition partition = BlockPartition::of(s.rows, s.cols, s.height, s.width);
  s.missing_blocks.assign(static_cast<std::size_t>(partition.count()) + 1, 0);
  for (const MaskPlane& plane : planes) {
    BlockSet missing = 0;
    for (int y = 0; y < s.height; ++y)
      for (int x = 0; x < s.width; ++x) {
        if (!is_live(s, y, x, plane.variable)) continue;
        s.live_blocks |= block_bit(partition.block(y, x));
        if (!plane.at(y, x)) missing |= block_bit(partition.block(y, x));
      }
    s.missing_blocks[static_cast<std::size_t>(std::popcount(missing))] += 1.0 / static_cast<double>(planes.size());
  }
}

/// @brief Counts planes with nothing observed, apart from variables that are never observed at all.
inline void count_lost_planes(const Masks& all, Structure& s) {
  std::vector<bool> exists(static_cast<std::size_t>(s.variables), false);
  for (std::size_t i = 0; i < s.live.size(); ++i)
    if (s.live[i]) exists[i % exists.size()] = true;
  const auto variables = static_cast<int>(std::count(exists.begin(), exists.end(), true));
  int with_all = 0;
  for (int t = 0; t < all.frames; ++t) {
    int lost = 0;
    for (int v = 0; v < all.variables; ++v) lost += exists[static_cast<std::size_t>(v)] && lost_plane(all, t, v);
    s.lost_planes += lost;
    if (variables > 1 && lost == variables) with_all += lost;
  }
  if (variables == 0) return;
  s.lost_share = static_cast<double>(s.lost_planes) / static_cast<double>(all.frames * variables);
  if (s.lost_planes > 0) s.lost_with_all = static_cast<double>(with_all) / s.lost_planes;
}

/// @brief Whether in most windows with at least two planes to compare, planes that differ in frame (or in variable) share a mask.
inline bool mostly_shared(std::span<const Window> windows, bool by_frames) {
  int shared = 0, apart = 0;
  for (const Window& w : windows) {
    bool compared = false, same = true;
    const int outer = by_frames ? w.masks.variables : w.masks.frames, inner = by_frames ? w.masks.frames : w.masks.variables;
    for (int i = 0; i < outer; ++i) {
      int first = -1;
      for (int j = 0; j < inner; ++j) {
        const int group = by_frames ? w.group(j, i) : w.group(i, j);
        if (group < 0) continue;
        compared |= first >= 0;
        if (first < 0) first = group;
        same &= group == first;
      }
    }
    if (compared) ++(same ? shared : apart);
  }
  return shared > apart;
}

/// @brief Finds the structure of the gaps of a data set from its masks.
///
/// `windows` are those of training, for a mask is shared or not within a window; `live` (H, W, V) is live_cells(all, windows)
/// where none is given. Windows made with it compare masks where they can be compared.
/// Cost: some passes over the masks of all windows.
inline Structure detect(const Masks& all, std::span<const Window> windows, std::vector<std::uint8_t> live = {}) {
  Structure s;
  s.live = live.empty() ? live_cells(all, windows) : std::move(live);
  require<ShapeError>(s.live.size() == all.frame_size(), "detect: ", s.live.size(), " bytes of live cells, expected ",
                      all.frame_size());
  s.height = all.height;
  s.width = all.width;
  s.variables = all.variables;
  s.window_frames = windows.empty() ? 0 : windows.front().masks.frames;
  count_lost_planes(all, s);
  s.shared_by_frames = mostly_shared(windows, true);
  s.shared_by_variables = mostly_shared(windows, false);
  const std::vector<MaskPlane> planes = mask_planes(windows);
  if (planes.empty()) return s;
  s.density = 0;
  for (const MaskPlane& plane : planes) s.density += plane_density(s, plane) / static_cast<double>(planes.size());
  if (s.density >= 1 - 1e-12) return s;
  std::tie(s.rows, s.cols) = find_blocks(s.live, planes);
  const Correlation neighbours = neighbour_correlation(s, planes), frames = frame_correlation(s, windows);
  s.neighbour_correlation = neighbours.value;
  s.frame_correlation = frames.value;
  if (s.rows > 0) {
    s.kind = Structure::Kind::blocks;
    count_blocks(s, planes);
  } else {
    s.kind = neighbours.present() || frames.present() ? Structure::Kind::irregular : Structure::Kind::pixels;
  }
  return s;
}

/// @brief One line for logs and reports.
inline std::string describe(const Structure& s) {
  std::string line = text("gaps: ", name(s.kind));
  if (s.kind == Structure::Kind::blocks) line += text(" of a ", s.rows, " x ", s.cols, " partition");
  line += text(", ", std::round(s.density * 1000) / 10, " % observed");
  if (s.kind != Structure::Kind::complete)
    line += text(s.shared_by_frames ? ", shared by frames" : ", per frame", s.variables < 2         ? ""
                                                                            : s.shared_by_variables ? ", shared by variables"
                                                                                                    : ", per variable");
  if (s.lost_planes > 0) line += text(", ", s.lost_planes, " lost planes");
  const auto still = std::count(s.live.begin(), s.live.end(), std::uint8_t{0});
  if (still > 0) line += text(", ", still, " static cells");
  return line;
}

}  // namespace lacuna::mask
