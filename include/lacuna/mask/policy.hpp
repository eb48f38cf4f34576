#pragma once

#include <concepts>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "lacuna/core/philox.hpp"
#include "lacuna/mask/groups.hpp"

namespace lacuna::mask {

/// @brief One value of a window, in coordinates of the whole grid, and the group of its plane.
struct Cell {
  int frame = 0, y = 0, x = 0, variable = 0, group = 0;
};

/// @brief The masks of consecutive frames over the whole grid, with their groups: what a policy draws a context of.
struct Window {
  Masks masks;
  Groups groups;

  int group(int t, int v) const { return groups.of[static_cast<std::size_t>(t * masks.variables + v)]; }
};

/// @brief The window of frames first .. first + count - 1. It shares the bytes of `all`, which must outlive it.
inline Window window_of(const Masks& all, int first, int count, std::span<const std::uint8_t> live = {}) {
  const Masks part = all.frames_of(first, count);
  return {part, group_planes(part, live)};
}

/// @brief One window per start.
inline std::vector<Window> windows_of(const Masks& all, std::span<const int> starts, int count,
                                      std::span<const std::uint8_t> live = {}) {
  std::vector<Window> windows;
  windows.reserve(starts.size());
  for (const int start : starts) windows.push_back(window_of(all, start, count, live));
  return windows;
}

/// @brief Counter of a cell in a mask stream: depends on group, row and column alone, never on patch or grid size.
constexpr std::uint64_t cell_position(int group, int y, int x) {
  return (static_cast<std::uint64_t>(group) << 48) | (static_cast<std::uint64_t>(y) << 24) | static_cast<std::uint64_t>(x);
}

/// @brief Counter of number `k` of a sample's own random numbers (ratio, dropped blocks, donor): apart from all cells.
constexpr std::uint64_t sample_position(std::uint64_t k) { return (std::uint64_t{1} << 63) | k; }

/// @brief `draw.in_context(cell)`: whether the network sees this observed cell.
template <class Draw>
concept DecidesContext = requires(const Draw& draw, Cell cell) {
  { draw.in_context(cell) } -> std::same_as<bool>;
};

/// @brief `draw.in_query(cell)`: whether the network is scored on this observed cell.
template <class Draw>
concept DecidesQuery = requires(const Draw& draw, Cell cell) {
  { draw.in_query(cell) } -> std::same_as<bool>;
};

/// @brief What a policy returns for one sample: membership of every observed cell, by cheap const functions.
template <class Draw>
concept MaskDraw = DecidesContext<Draw> && DecidesQuery<Draw>;

/// @brief Whether a draw says the same of a cell in every plane of a group, whatever frame and variable: where it answers so to
/// draw.same_in_group().
template <class Draw>
bool is_same_in_group(const Draw& draw) {
  if constexpr (requires { draw.same_in_group(); })
    return draw.same_in_group();
  else
    return false;
}

/// @brief `policy.draw(key, sample, window)`, on the host, once a sample.
template <class Policy>
concept DrawsSamples = requires(const Policy& policy, PhiloxKey key, std::uint64_t sample, const Window& window) {
  { policy.draw(key, sample, window) } -> MaskDraw;
};

/// @brief The policy that contexts are drawn by when imputing: policy.at_use() where it has that, else the policy itself.
template <class Policy>
Policy at_use(const Policy& policy) {
  if constexpr (requires { policy.at_use(); })
    return policy.at_use();
  else
    return policy;
}

/// @brief A rule that splits what was observed into context and query: a copyable value with draw(key, sample, window).
///
/// Optional members: `name()`, in messages; `exposure(structure, windows, options)`, the exposure audit within planes where it is
/// known exactly (else contexts are sampled); `at_use()`, the policy that contexts are drawn by when imputing.
///
/// Both answers of the draw assume that the cell is observed, and depend on (key, sample, cell) alone, so every patch and
/// every backend sees the same masks. The key is philox_key(seed, Purpose::context) in training.
template <class Policy>
concept MaskPolicy = std::copyable<Policy> && DrawsSamples<Policy>;

/// @brief The draw of a policy.
template <MaskPolicy Policy>
using DrawOf = decltype(std::declval<const Policy&>().draw(PhiloxKey{}, std::uint64_t{}, std::declval<const Window&>()));

/// @brief Context = query = M: the network is never asked for what it does not see (MissDiff). For ablations.
struct Observed {
  struct Draw {
    static constexpr bool same_in_group() { return true; }
    bool in_context(Cell) const { return true; }
    bool in_query(Cell) const { return true; }
  };
  Draw draw(PhiloxKey, std::uint64_t, const Window&) const { return {}; }
};

}  // namespace lacuna::mask
