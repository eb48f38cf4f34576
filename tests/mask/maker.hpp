#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lacuna/core/philox.hpp"
#include "lacuna/mask/blocks.hpp"
#include "lacuna/mask/groups.hpp"

namespace lacuna::mask {

/// Owns the bytes of masks (T, H, W, V) for tests; all observed at first.
struct Owned {
  int frames, height, width, variables;
  bool periodic = false;
  std::vector<std::uint8_t> bytes =
      std::vector<std::uint8_t>(static_cast<std::size_t>(frames) * static_cast<std::size_t>(height * width * variables), 1);

  Masks view() const { return {frames, height, width, variables, periodic, bytes}; }
  std::uint8_t& at(int t, int y, int x, int v) { return bytes[view().index(t, y, x, v)]; }

  /// Sets the planes (frames [first, first + count), all variables) to a picture of '#' (observed) and '.' row by row.
  Owned& draw(int first, int count, const std::string& picture) {
    for (int t = first; t < first + count; ++t)
      for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x)
          for (int v = 0; v < variables; ++v) at(t, y, x, v) = picture[static_cast<std::size_t>(y * width + x)] == '#';
    return *this;
  }
};

/// Pixel masks of a density, each shared by `shared` frames and all variables.
inline Owned pixel_masks(int frames, int height, int width, int variables, double density, int shared, std::uint64_t seed) {
  Owned o{frames, height, width, variables};
  for (int t = 0; t < frames; ++t)
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x) {
        const auto word = philox(philox_key(seed, Purpose::window), static_cast<std::uint64_t>(t / shared),
                                 static_cast<std::uint64_t>(y * width + x))[0];
        for (int v = 0; v < variables; ++v) o.at(t, y, x, v) = uniform(word) < static_cast<float>(density);
      }
  return o;
}

/// Masks that miss `missing` of rows x cols blocks, each shared by `shared` frames and all variables.
inline Owned block_masks(int frames, int height, int width, int variables, int rows, int cols, int missing, int shared,
                         std::uint64_t seed) {
  Owned o{frames, height, width, variables};
  const BlockPartition p = BlockPartition::of(rows, cols, height, width);
  for (int t = 0; t < frames; ++t) {
    const BlockSet all = p.count() == 64 ? ~BlockSet{0} : block_bit(p.count()) - 1;
    const BlockSet gone =
        choose_blocks(philox_key(seed, Purpose::window), static_cast<std::uint64_t>(t / shared), 0, all, missing);
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x)
        for (int v = 0; v < variables; ++v) o.at(t, y, x, v) = (gone >> p.block(y, x) & 1u) == 0;
  }
  return o;
}

/// Masks with discs missing (clouds), a fresh one per frame, all variables alike.
inline Owned cloud_masks(int frames, int height, int width, int variables, int discs, double radius, std::uint64_t seed) {
  Owned o{frames, height, width, variables};
  for (int t = 0; t < frames; ++t)
    for (int k = 0; k < discs; ++k) {
      const auto words = philox(philox_key(seed, Purpose::window), static_cast<std::uint64_t>(t), static_cast<std::uint64_t>(k));
      const double cy = uniform(words[0]) * static_cast<float>(height), cx = uniform(words[1]) * static_cast<float>(width);
      const double r = radius * (0.5 + uniform(words[2]));
      for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x)
          if ((y - cy) * (y - cy) + (x - cx) * (x - cx) < r * r)
            for (int v = 0; v < variables; ++v) o.at(t, y, x, v) = 0;
    }
  return o;
}

inline const PhiloxKey test_key = philox_key(1, Purpose::context);

}  // namespace lacuna::mask
