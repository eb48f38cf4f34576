#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/data/field.hpp"
#include "lacuna/mask/policy.hpp"

namespace lacuna::mask {

/// @brief Context and query of one sample on a patch: bytes (T, h, w, V), 1 = member; both are subsets of M.
struct Partition {
  std::vector<std::uint8_t> context, query;
  std::size_t context_count = 0, query_count = 0;
};

/// @brief Calls visit(index in the patch, cell) for every observed cell of a frame of a window's patch, which must lie in the
/// grid; x wraps on periodic ones.
template <class Visit>
void for_observed_of_frame(const Window& window, const data::Patch& patch, int t, const Visit& visit) {
  const Masks& m = window.masks;
  std::size_t i = static_cast<std::size_t>(t) * static_cast<std::size_t>(patch.cells()) * static_cast<std::size_t>(m.variables);
  for (int y = patch.y; y < patch.y + patch.height; ++y)
    for (int column = patch.x; column < patch.x + patch.width; ++column) {
      const int x = column < m.width ? column : column - m.width;
      for (int v = 0; v < m.variables; ++v, ++i)
        if (m.at(t, y, x, v)) visit(i, Cell{t, y, x, v, window.group(t, v)});
    }
}

/// @brief Throws ShapeError if the patch leaves the grid.
inline void require_patch(const Window& window, const data::Patch& patch) {
  const Masks& m = window.masks;
  const bool inside = patch.y >= 0 && patch.height >= 1 && patch.y + patch.height <= m.height && patch.width >= 1 &&
                      patch.width <= m.width && patch.x >= 0 &&
                      (m.periodic_x ? patch.x < m.width : patch.x + patch.width <= m.width);
  require<ShapeError>(inside, "partition: a patch of ", patch.height, " x ", patch.width, " cells at (", patch.y, ", ", patch.x,
                      ") on a grid of ", m.height, " x ", m.width);
}

/// @brief Whether frame t > 0 has the groups of the frame before it and is observed at the same cells (groups are told apart by
/// live cells alone).
inline bool repeats_frame(const Window& window, int t) {
  const Masks& m = window.masks;
  for (int v = 0; v < m.variables; ++v)
    if (window.group(t, v) != window.group(t - 1, v)) return false;
  const auto now = m.observed.begin() + static_cast<std::ptrdiff_t>(m.index(t, 0, 0, 0));
  const auto frame = static_cast<std::ptrdiff_t>(m.frame_size());
  return std::equal(now, now + frame, now - frame);
}

/// @brief Bytes of a window on a patch.
inline std::size_t patch_size(const Window& window, const data::Patch& patch) {
  return static_cast<std::size_t>(patch.cells()) * static_cast<std::size_t>(window.masks.planes());
}

/// @brief for_observed_of_frame() for all frames; but where one is sure to have the draw's answers of the frame before it,
/// repeat(first index, past the last index of the frame in the patch) is called instead.
/// Throws: ShapeError if the patch leaves the grid.
template <MaskDraw Draw, class Visit, class Repeat>
void for_drawn(const Draw& draw, const Window& window, const data::Patch& patch, const Visit& visit, const Repeat& repeat) {
  require_patch(window, patch);
  const bool same = is_same_in_group(draw);
  const auto plane = static_cast<std::ptrdiff_t>(patch.cells()) * window.masks.variables;
  for (int t = 0; t < window.masks.frames; ++t) {
    if (same && t > 0 && repeats_frame(window, t))
      repeat(plane * t, plane * (t + 1));
    else
      for_observed_of_frame(window, patch, t, visit);
  }
}

/// @brief Splits what was observed in a patch by a draw made for the window.
template <MaskDraw Draw>
void partition(const Draw& draw, const Window& window, const data::Patch& patch, Partition& out) {
  out.context.assign(patch_size(window, patch), 0);
  out.query.assign(patch_size(window, patch), 0);
  const auto split = [&](std::size_t i, const Cell& cell) {
    out.context[i] = draw.in_context(cell);
    out.query[i] = draw.in_query(cell);
  };
  for_drawn(draw, window, patch, split, [&](std::ptrdiff_t first, std::ptrdiff_t last) {
    for (auto* bytes : {&out.context, &out.query})
      std::copy(bytes->begin() + 2 * first - last, bytes->begin() + first, bytes->begin() + first);
  });
  out.context_count = std::accumulate(out.context.begin(), out.context.end(), std::size_t{0});
  out.query_count = std::accumulate(out.query.begin(), out.query.end(), std::size_t{0});
}

/// @brief Draws and splits: the same (key, sample) gives the same membership in every patch of the window.
template <MaskPolicy Policy>
void partition(const Policy& policy, PhiloxKey key, std::uint64_t sample, const Window& window, const data::Patch& patch,
               Partition& out) {
  partition(policy.draw(key, sample, window), window, patch, out);
}

/// @brief One context of M for sampling, bytes (T, h, w, V); `member` numbers the ensemble.
///
/// The paper's contexts: the training policy. A given ratio: Pixels{.ratio = r}. M itself: Observed{}. With another window's
/// masks: a context of the marginal distribution (Algorithm 4). Returns the number of cells in the context.
template <MaskPolicy Policy>
std::size_t sampling_context(const Policy& policy, PhiloxKey key, std::uint64_t member, const Window& window,
                             const data::Patch& patch, std::vector<std::uint8_t>& out) {
  const auto draw = policy.draw(key, member, window);
  out.assign(patch_size(window, patch), 0);
  const auto keep = [&](std::size_t i, const Cell& cell) { out[i] = draw.in_context(cell); };
  for_drawn(draw, window, patch, keep, [&](std::ptrdiff_t first, std::ptrdiff_t last) {
    std::copy(out.begin() + 2 * first - last, out.begin() + first, out.begin() + first);
  });
  return std::accumulate(out.begin(), out.end(), std::size_t{0});
}

}  // namespace lacuna::mask
