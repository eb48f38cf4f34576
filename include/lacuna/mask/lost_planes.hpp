#pragma once

#include <cstdint>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/mask/policy.hpp"

namespace lacuna::mask {

/// @brief Wraps a policy for data that lose whole frames: now and then a frame of one variable, or of all, leaves the context
/// and enters the query.
///
/// A sample keeps at least one plane with observations: where hiding would leave nothing, nothing is hidden.
template <MaskPolicy Policy>
struct LostPlanes {
  Policy policy;
  float probability = 0.1f;    ///< of hiding something, per sample
  float all_variables = 0.0f;  ///< share of these that hide the frame of all variables, else of one

  struct Draw {
    DrawOf<Policy> inner;
    int frame = -1, variable = -1;  ///< what is hidden: no frame if -1; all variables if variable is -1

    bool same_in_group() const { return frame < 0 && is_same_in_group(inner); }
    bool hides(Cell c) const { return c.frame == frame && (variable < 0 || c.variable == variable); }
    bool in_context(Cell c) const { return !hides(c) && inner.in_context(c); }
    bool in_query(Cell c) const { return hides(c) || inner.in_query(c); }
  };

  /// When imputing, no planes are hidden that the data have.
  LostPlanes at_use() const { return {mask::at_use(policy), 0.0f, all_variables}; }

  Draw draw(PhiloxKey key, std::uint64_t sample, const Window& window) const {
    require<OptionError>(probability >= 0 && probability <= 1, "LostPlanes: probability ", probability, " is not in [0, 1]");
    require<OptionError>(all_variables >= 0 && all_variables <= 1, "LostPlanes: all_variables ", all_variables,
                         " is not in [0, 1]");
    Draw d{.inner = policy.draw(key, sample, window)};
    // A key of its own keeps the wrapped policy's numbers as they are without the wrapper.
    const PhiloxBlock words = philox({key.low ^ 0x6c6f7374u, key.high}, sample, sample_position(0));
    if (uniform(words[0]) >= probability) return d;
    const bool whole_frame = uniform(words[1]) < all_variables;
    const std::vector<int> choices = candidates(window, whole_frame);
    if (choices.empty()) return d;
    const int chosen = choices[static_cast<std::size_t>(uniform_below(words[2], static_cast<int>(choices.size())))];
    d.frame = chosen / window.masks.variables;
    d.variable = whole_frame ? -1 : chosen % window.masks.variables;
    return d;
  }

 private:
  /// Planes (t * V + v), or first planes of frames, that hold observations while others do too.
  static std::vector<int> candidates(const Window& window, bool whole_frame) {
    const Masks& m = window.masks;
    std::vector<int> found;
    for (int t = 0; t < m.frames; ++t) {
      bool any = false;
      for (int v = 0; v < m.variables; ++v) {
        if (window.group(t, v) < 0) continue;
        if (!whole_frame) found.push_back(t * m.variables + v);
        any = true;
      }
      if (whole_frame && any) found.push_back(t * m.variables);
    }
    if (found.size() < 2) found.clear();
    return found;
  }
};

}  // namespace lacuna::mask
