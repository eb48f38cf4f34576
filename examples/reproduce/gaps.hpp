#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/core/philox.hpp"
#include "lacuna/mask/draw.hpp"

namespace lacuna::experiment {

/// @brief What is observed of a sample: a percentage of the pixels, or so many of 3 x 3 blocks.
struct Gaps {
  static constexpr int side = 3;          ///< blocks a row and a column
  static constexpr int least_pixels = 5;  ///< observed of a sample; fewer: drawn again, as published

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

  /// Masks (samples, H, W), 1 = observed: one a sample, drawn independently. Throws: OptionError where the grid is too small.
  std::vector<std::uint8_t> draw(const data::Grid& grid, int samples, std::uint64_t seed) const {
    if (blocks) return mask::draw_blocks(grid, samples, side, side, side * side - observed, seed);
    auto masks = mask::draw_pixels(grid, samples, observed / 100.0, seed);
    const auto cells = static_cast<std::ptrdiff_t>(grid.cells());
    const auto few = [&](auto from) { return std::count(from, from + cells, 1) < least_pixels; };
    for (int i = 0; i < samples; ++i) {
      const auto mask = masks.begin() + i * cells;
      for (std::uint64_t attempt = 1; few(mask); ++attempt) {
        constexpr std::uint64_t most = 1000;
        require<OptionError>(attempt <= most, observed, " % of ", grid.height(), " x ", grid.width(), " pixels are fewer than ",
                             least_pixels, " observed ones in nearly every sample");
        // Seeds of their own: every attempt of every sample is one plane of another seed.
        const auto again =
            mask::draw_pixels(grid, 1, observed / 100.0, mix_bits(seed + attempt * 1000003) + static_cast<std::uint64_t>(i));
        std::copy(again.begin(), again.end(), mask);
      }
    }
    return masks;
  }
};

}  // namespace lacuna::experiment
