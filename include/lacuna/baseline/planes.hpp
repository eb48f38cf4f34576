#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "lacuna/core/parallel.hpp"
#include "lacuna/data/field.hpp"
#include "lacuna/mask/groups.hpp"
#include "lacuna/mask/observed.hpp"

namespace lacuna::baseline {

/// @brief A fill of single planes: made for a mask (h,w), then applied to planes with it (see interpolation.hpp).
template <class F>
concept PlaneFill = requires(const F& fill, const data::Grid& grid, const std::uint8_t* known, const float* values, float* out) {
  F(grid, known);
  fill(values, out);
};

/// @brief Fills every plane of frames [first, first + count) by itself; planes with the same mask share what the fill prepares.
/// Shapes: masks (T,H,W,V), of the fields' observed values | out (count,H,W,V)
/// A plane without an observation becomes zero.
template <PlaneFill Fill>
void fill_planes(const data::Fields& fields, const mask::Masks& masks, int first, int count, float* out) {
  const auto cells = static_cast<std::size_t>(fields.grid.cells());
  const int variables = fields.variables();
  const auto stride = static_cast<std::size_t>(variables);
  const mask::Masks own = masks.frames_of(first, count);
  const mask::Groups groups = mask::group_planes(own);
  std::vector<std::uint8_t> known(cells);
  std::vector<float> plane(cells);
  std::fill(out, out + own.size(), 0.0f);
  for (int group = 0; group < groups.count; ++group) {
    const auto leader = static_cast<int>(std::find(groups.of.begin(), groups.of.end(), group) - groups.of.begin());
    const std::size_t at = own.index(leader / variables, 0, 0, leader % variables);
    for (std::size_t i = 0; i < cells; ++i) known[i] = own.observed[at + i * stride];
    const Fill fill(fields.grid, known.data());
    for (int p = leader; p < own.planes(); ++p) {
      if (groups.of[static_cast<std::size_t>(p)] != group) continue;
      const std::size_t from = fields.index(first + p / variables, 0, 0, p % variables);
      float* to = out + own.index(p / variables, 0, 0, p % variables);
      for (std::size_t i = 0; i < cells; ++i) plane[i] = fields.values[from + i * stride];
      fill(plane.data(), plane.data());
      for (std::size_t i = 0; i < cells; ++i) to[i * stride] = plane[i];
    }
  }
}

/// @brief Fills all frames (T,H,W,V) in runs of `run` frames: fill(fields, masks, first, count, out of the run), such as
/// fill_planes<NearestFill>.
/// Determinism: bit for bit, for any number of threads
template <class Fill>
std::vector<float> fill_in_runs(const data::Fields& fields, int run, int threads, const Fill& fill) {
  const auto observed = mask::observed_of(fields);
  const mask::Masks masks = mask::masks_of(fields, observed);
  std::vector<float> out(fields.values.size());
  parallel_for(threads, (fields.frames() + run - 1) / run, [&](int part) {
    const int first = part * run, count = std::min(run, fields.frames() - first);
    fill(fields, masks, first, count, out.data() + fields.index(first, 0, 0, 0));
  });
  return out;
}

}  // namespace lacuna::baseline
