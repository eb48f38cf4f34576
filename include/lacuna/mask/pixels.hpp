#pragma once

#include <cmath>
#include <cstdint>

#include "lacuna/core/error.hpp"
#include "lacuna/mask/policy.hpp"

namespace lacuna::mask {

/// @brief An observed cell of a window, chosen about uniformly; group -1 if nothing is observed.
inline Cell random_observed(PhiloxKey key, std::uint64_t sample, const Window& window) {
  const Masks& m = window.masks;
  const auto cell = [&](int t, int y, int x, int v) { return Cell{t, y, x, v, window.group(t, v)}; };
  for (std::uint64_t k = 1; k <= 32; ++k) {
    const PhiloxBlock words = philox(key, sample, sample_position(k));
    const int plane = uniform_below(words[0], m.planes());
    const int t = plane / m.variables, v = plane % m.variables;
    const int y = uniform_below(words[1], m.height), x = uniform_below(words[2], m.width);
    if (m.at(t, y, x, v)) return cell(t, y, x, v);
  }
  // Few observed cells: count them and take one by number.
  std::uint64_t count = 0;
  for (const auto byte : m.observed) count += byte != 0;
  Cell none;
  none.group = -1;
  if (count == 0) return none;
  std::uint64_t left = static_cast<std::uint64_t>(philox(key, sample, sample_position(33))[0]) * count >> 32;
  for (int t = 0; t < m.frames; ++t)
    for (int y = 0; y < m.height; ++y)
      for (int x = 0; x < m.width; ++x)
        for (int v = 0; v < m.variables; ++v)
          if (m.at(t, y, x, v) && left-- == 0) return cell(t, y, x, v);
  return none;
}

/// @brief Every observed cell of a group is in the context with one probability: for cells that are missing independently.
///
/// Fixed (the paper, section 4): context with probability `ratio`, query with probability `query`, independently.
/// Random: ratio ~ U(lower, 1) per sample, and at least one observed cell of the window is outside of the context; the mask M
/// itself is then within the distribution of contexts. The query is M minus context, or (rest = false) as above with `query`:
/// contexts that show nearly all then weigh no less in the loss than those that show half.
/// Determinism: the same (key, sample, group, y, x) gives the same answer on every backend.
struct Pixels {
  float ratio = 0.7f;
  float query = 0.7f;
  bool random = false;
  float lower = 0.5f;
  bool rest = true;  ///< random: the query is the rest of M

  static constexpr Pixels random_ratio(float lower = 0.5f) {
    return {.ratio = 1.0f, .query = 1.0f, .random = true, .lower = lower};
  }

  struct Draw {
    static constexpr bool same_in_group() { return true; }

    PhiloxKey key;
    std::uint64_t sample = 0;
    float ratio = 1.0f, query = 1.0f;
    bool complement = false;       ///< the query is everything outside the context
    int group = -1, y = 0, x = 0;  ///< the cell kept out of the context so that something is to be learned

    bool in_context(Cell c) const {
      if (c.group == group && c.y == y && c.x == x) return false;
      return uniform(philox(key, sample, cell_position(c.group, c.y, c.x))[0]) < ratio;
    }
    bool in_query(Cell c) const {
      if (complement) return !in_context(c);
      return uniform(philox(key, sample, cell_position(c.group, c.y, c.x))[1]) < query;
    }
  };

  Draw draw(PhiloxKey key, std::uint64_t sample, const Window& window) const {
    check();
    Draw d{.key = key, .sample = sample, .ratio = ratio, .query = query, .complement = random && rest};
    if (!random) return d;
    d.ratio = std::fma(1.0f - lower, uniform(philox(key, sample, sample_position(0))[0]), lower);  // one rounding everywhere
    const Cell kept = random_observed(key, sample, window);
    d.group = kept.group;
    d.y = kept.y;
    d.x = kept.x;
    return d;
  }

  void check() const {
    require<OptionError>(ratio > 0 && ratio <= 1, "Pixels: ratio ", ratio, " is not in (0, 1]");
    require<OptionError>(query > 0 && query <= 1, "Pixels: query ", query, " is not in (0, 1]");
    require<OptionError>(lower >= 0 && lower < 1, "Pixels: lower ", lower, " is not in [0, 1)");
  }
};
static_assert(MaskPolicy<Pixels> && MaskPolicy<Observed>);

}  // namespace lacuna::mask
