#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include "lacuna/data/field.hpp"
#include "lacuna/data/windows.hpp"
#include "lacuna/mask/observed.hpp"

namespace lacuna::validation {

/// @brief Data to choose settings by: what may be learned from, and held-out observations to score by.
struct ValidationData {
  const data::Fields& available;              ///< normalised; NaN where missing or held out
  const std::vector<float>& truth;            ///< (T,H,W,V) in the same units; read where held out only
  const std::vector<std::uint8_t>& held_out;  ///< (T,H,W,V), 1 = held out
  data::WindowSettings windows;
};

/// @brief First frames of up to `most` windows that hold held-out values, evenly spread.
inline std::vector<int> scored_windows(const ValidationData& e, int most) {
  std::vector<int> holding, chosen;
  const auto size = static_cast<std::ptrdiff_t>(e.available.frame_size());
  for (const int start : data::window_starts(e.available.frames(), e.windows)) {
    const auto first = e.held_out.begin() + size * start, last = first + size * e.windows.length;
    if (std::find(first, last, std::uint8_t{1}) != last) holding.push_back(start);
  }
  const int n = static_cast<int>(holding.size()), count = std::min(n, most);
  for (int i = 0; i < count; ++i) chosen.push_back(holding[static_cast<std::size_t>((2 * i + 1) * n / (2 * count))]);
  return chosen;
}

/// @brief A window that is scored, and those of its frames that no scored window before it has: where windows overlap, a value
/// counts once.
struct ScoredWindow {
  int window = 0;           ///< its number
  data::FrameRange frames;  ///< of the record
};

/// @brief The windows that every method is scored on: for each kind of gap up to `most` of those that hold held-out values of it,
/// evenly spread; joined and in order. A kind is a variable's gaps in planes with observations, or its lost planes: errors there
/// are of another size.
inline std::vector<ScoredWindow> windows_to_score(const ValidationData& e, int most = 16) {
  const std::size_t frame = e.available.frame_size(), variables = e.available.names.size();
  const std::vector<int> starts = data::window_starts(e.available.frames(), e.windows);
  const auto observed = mask::observed_of(e.available);
  const mask::Masks masks = mask::masks_of(e.available, observed);
  std::vector<std::vector<int>> holding(2 * variables);
  for (std::size_t w = 0; w < starts.size(); ++w)
    for (int t = starts[w]; t < starts[w] + e.windows.length; ++t)
      for (std::size_t v = 0; v < variables; ++v) {
        const std::size_t first = frame * static_cast<std::size_t>(t);
        bool found = false;
        for (std::size_t i = first + v; i < first + frame && !found; i += variables) found = e.held_out[i] != 0;
        if (!found) continue;
        auto& own = holding[mask::lost_plane(masks, t, static_cast<int>(v)) ? variables + v : v];
        if (own.empty() || own.back() != static_cast<int>(w)) own.push_back(static_cast<int>(w));
      }
  std::set<int> chosen;
  for (const auto& own : holding) {
    const int n = static_cast<int>(own.size()), count = std::min(n, most);
    for (int i = 0; i < count; ++i) chosen.insert(own[static_cast<std::size_t>((2 * i + 1) * n / (2 * count))]);
  }
  std::vector<ScoredWindow> scored;
  for (const int w : chosen) {
    const int start = starts[static_cast<std::size_t>(w)], before = scored.empty() ? 0 : scored.back().frames.end;
    scored.push_back({w, {std::max(start, before), start + e.windows.length}});
  }
  return scored;
}

/// @brief Number of held-out values in the windows that are scored.
inline std::size_t scored_values(const ValidationData& e, const std::vector<ScoredWindow>& windows) {
  std::size_t count = 0;
  for (const auto& w : windows) {
    const auto at = [&](int t) { return e.held_out.begin() + static_cast<std::ptrdiff_t>(e.available.index(t, 0, 0, 0)); };
    count += static_cast<std::size_t>(std::count(at(w.frames.begin), at(w.frames.end), std::uint8_t{1}));
  }
  return count;
}

}  // namespace lacuna::validation
