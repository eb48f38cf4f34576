#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/core/philox.hpp"
#include "lacuna/data/field.hpp"
#include "lacuna/mask/blocks.hpp"

namespace lacuna::mask {

/// @brief Masks (T, H, W), 1 = observed, when each pixel is seen with probability `ratio`, independently. They depend on nothing
/// but grid, frame and seed.
inline std::vector<std::uint8_t> draw_pixels(const data::Grid& grid, int frames, double ratio, std::uint64_t seed) {
  std::vector<std::uint8_t> observed;
  const auto key = philox_key(seed, Purpose::gaps);
  for (int t = 0; t < frames; ++t)
    for (int i = 0; i < grid.cells(); ++i)
      observed.push_back(
          static_cast<double>(uniform(philox(key, static_cast<std::uint64_t>(t), static_cast<std::uint64_t>(i))[0])) < ratio);
  return observed;
}

/// @brief The same when `lost` of rows x cols blocks are missing from each frame, every choice equally likely. Throws:
/// OptionError when no block would be left, or rows x cols do not fit the grid (BlockPartition::of).
inline std::vector<std::uint8_t> draw_blocks(const data::Grid& grid, int frames, int rows, int cols, int lost,
                                             std::uint64_t seed) {
  const auto partition = BlockPartition::of(rows, cols, grid.height(), grid.width());
  require<OptionError>(lost >= 0 && lost < partition.count(), "draw_blocks: ", lost, " lost of ", partition.count(), " blocks");
  const BlockSet all = partition.count() == 64 ? ~BlockSet{0} : block_bit(partition.count()) - 1;
  std::vector<std::uint8_t> observed;
  for (int t = 0; t < frames; ++t) {
    const auto gone = choose_blocks(philox_key(seed, Purpose::gaps), static_cast<std::uint64_t>(t), 0, all, lost);
    for (int y = 0; y < grid.height(); ++y)
      for (int x = 0; x < grid.width(); ++x) observed.push_back((gone >> partition.block(y, x) & 1u) == 0);
  }
  return observed;
}

/// @brief Fields with NaN wherever `observed`, in the shape of the values (T, H, W, V), is 0. Throws: ShapeError.
inline data::Fields with_gaps(data::Fields fields, const std::vector<std::uint8_t>& observed) {
  require<ShapeError>(observed.size() == fields.values.size(), "with_gaps: ", observed.size(), " bytes for ",
                      fields.values.size(), " values");
  for (std::size_t i = 0; i < observed.size(); ++i)
    if (observed[i] == 0) fields.values[i] = data::not_observed;
  return fields;
}

}  // namespace lacuna::mask
