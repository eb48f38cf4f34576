#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/mask/draw.hpp"

namespace lacuna::experiment {

/// @brief What is observed of a sample: a percentage of the pixels, or so many of 3 x 3 blocks.
struct Gaps {
  static constexpr int side = 3;  ///< blocks a row and a column

  bool blocks = false;
  int observed = 80;

  /// "p80": 80 % of the pixels; "b8": 8 of 9 blocks. Throws: OptionError.
  explicit Gaps(const std::string& word) {
    try {
      std::size_t used = 0;
      observed = std::stoi(word.substr(1), &used);
      blocks = word[0] == 'b';
      if ((blocks || word[0] == 'p') && used + 1 == word.size() && observed >= 1 && observed < (blocks ? side * side : 100))
        return;
    } catch (const std::exception&) {  // falls through to the message
    }
    throw OptionError("gaps " + word + ": expected p and a percentage of pixels, or b and a number of blocks, such as p80 or b8");
  }

  /// Masks (samples, H, W), 1 = observed: one a sample, drawn independently.
  std::vector<std::uint8_t> draw(const data::Grid& grid, int samples, std::uint64_t seed) const {
    if (blocks) return mask::draw_blocks(grid, samples, side, side, side * side - observed, seed);
    return mask::draw_pixels(grid, samples, observed / 100.0, seed);
  }
};

}  // namespace lacuna::experiment
