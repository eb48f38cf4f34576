#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "lacuna/core/error.hpp"

namespace lacuna::mask {

/// @brief View of observation masks (T, H, W, V), V contiguous, 1 = observed.
struct Masks {
  int frames = 0, height = 0, width = 0, variables = 0;
  bool periodic_x = false;                 ///< the last column's neighbour is the first
  std::span<const std::uint8_t> observed;  ///< (T, H, W, V)

  std::size_t cells() const { return static_cast<std::size_t>(height) * static_cast<std::size_t>(width); }
  std::size_t frame_size() const { return cells() * static_cast<std::size_t>(variables); }
  std::size_t size() const { return frame_size() * static_cast<std::size_t>(frames); }
  int planes() const { return frames * variables; }
  std::size_t index(int t, int y, int x, int v) const {
    return ((static_cast<std::size_t>(t) * static_cast<std::size_t>(height) + static_cast<std::size_t>(y)) *
                static_cast<std::size_t>(width) +
            static_cast<std::size_t>(x)) *
               static_cast<std::size_t>(variables) +
           static_cast<std::size_t>(v);
  }
  bool at(int t, int y, int x, int v) const { return observed[index(t, y, x, v)] != 0; }

  /// Frames first .. first + count - 1, sharing the bytes.
  Masks frames_of(int first, int count) const {
    require<ShapeError>(first >= 0 && count > 0 && first + count <= frames, "Masks::frames_of: frames ", first, " .. ",
                        first + count - 1, " of ", frames);
    Masks part = *this;
    part.frames = count;
    part.observed =
        observed.subspan(frame_size() * static_cast<std::size_t>(first), frame_size() * static_cast<std::size_t>(count));
    return part;
  }
};

/// @brief Throws ShapeError unless the number of bytes is frames x height x width x variables and none of them is zero.
inline void require_consistent(const Masks& m) {
  require<ShapeError>(m.frames > 0 && m.height > 0 && m.width > 0 && m.variables > 0 && m.observed.size() == m.size(),
                      "Masks: ", m.observed.size(), " bytes, expected ", m.frames, " frames x ", m.height, " x ", m.width, " x ",
                      m.variables, " variables");
}

/// @brief Cells (H, W, V) that are observed in at least one frame.
inline std::vector<std::uint8_t> ever_observed(const Masks& m) {
  require_consistent(m);
  std::vector<std::uint8_t> ever(m.frame_size(), 0);
  for (std::size_t t = 0; t < static_cast<std::size_t>(m.frames); ++t)
    for (std::size_t i = 0; i < ever.size(); ++i) ever[i] |= static_cast<std::uint8_t>(m.observed[t * ever.size() + i] != 0);
  return ever;
}

/// @brief Planes (frame, variable) of one window that share a mask, and hence a context.
///
/// A context drawn anew for each frame of a shared mask would reveal the mask: the union of the frames' contexts is nearly M.
struct Groups {
  std::vector<int> of;  ///< (T, V) -> group id in order of first appearance; -1 = nothing observed (a lost plane)
  int count = 0;

  bool operator==(const Groups&) const = default;
};

/// @brief Whether two planes agree wherever both variables are live (everywhere if `live` is empty).
inline bool same_mask(const Masks& m, std::span<const std::uint8_t> live, int t, int v, int other_t, int other_v) {
  const auto stride = static_cast<std::size_t>(m.variables);
  const auto a = static_cast<std::size_t>(v), b = static_cast<std::size_t>(other_v);
  const std::uint8_t* first = m.observed.data() + m.index(t, 0, 0, 0);
  const std::uint8_t* second = m.observed.data() + m.index(other_t, 0, 0, 0);
  for (std::size_t i = 0; i < m.cells(); ++i) {
    if ((first[i * stride + a] != 0) == (second[i * stride + b] != 0)) continue;
    if (live.empty() || (live[i * stride + a] && live[i * stride + b])) return false;
  }
  return true;
}

/// @brief Whether nothing of a plane is observed.
inline bool lost_plane(const Masks& m, int t, int v) {
  const auto stride = static_cast<std::size_t>(m.variables);
  const std::uint8_t* plane = m.observed.data() + m.index(t, 0, 0, v);
  for (std::size_t i = 0; i < m.cells(); ++i)
    if (plane[i * stride]) return false;
  return true;
}

/// @brief Groups the planes of a window by their masks over the whole grid.
///
/// `live` (H, W, V), optional: cells where one of two variables is static are not compared, so that a mask shared by sea
/// temperature and pressure is one group although the former never exists on land.
inline Groups group_planes(const Masks& m, std::span<const std::uint8_t> live = {}) {
  require_consistent(m);
  require<ShapeError>(live.empty() || live.size() == m.frame_size(), "group_planes: ", live.size(),
                      " bytes of live cells, expected ", m.frame_size());
  Groups groups;
  std::vector<int> leaders;  // plane index of each group's first member
  for (int t = 0; t < m.frames; ++t)
    for (int v = 0; v < m.variables; ++v) {
      if (lost_plane(m, t, v)) {
        groups.of.push_back(-1);
        continue;
      }
      const auto match = std::find_if(leaders.begin(), leaders.end(), [&](int leader) {
        return same_mask(m, live, t, v, leader / m.variables, leader % m.variables);
      });
      groups.of.push_back(static_cast<int>(match - leaders.begin()));
      if (match == leaders.end()) leaders.push_back(t * m.variables + v);
    }
  groups.count = static_cast<int>(leaders.size());
  return groups;
}

}  // namespace lacuna::mask
