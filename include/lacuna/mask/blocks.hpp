#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/mask/policy.hpp"

namespace lacuna::mask {

/// @brief Cuts a grid into rows x cols blocks of H / rows x W / cols cells, the remainder in the last ones, numbered row by row.
struct BlockPartition {
  int rows = 3, cols = 3, block_height = 1, block_width = 1;

  static BlockPartition of(int rows, int cols, int height, int width) {
    require<OptionError>(rows >= 1 && cols >= 1 && rows * cols >= 2 && rows * cols <= 64, "blocks: ", rows, " x ", cols,
                         " blocks; between 2 and 64 are possible");
    require<OptionError>(rows <= height && cols <= width, "blocks: ", rows, " x ", cols, " blocks do not fit a grid of ", height,
                         " x ", width, " cells");
    return {rows, cols, height / rows, width / cols};
  }
  int count() const { return rows * cols; }
  int block(int y, int x) const {
    const int row = y / block_height, col = x / block_width;
    return (row < rows ? row : rows - 1) * cols + (col < cols ? col : cols - 1);
  }
};

/// @brief A set of at most 64 blocks.
using BlockSet = std::uint64_t;
constexpr BlockSet block_bit(int block) { return BlockSet{1} << block; }

/// @brief Per group, the blocks with at least one observed cell.
inline std::vector<BlockSet> observed_blocks(const Window& window, const BlockPartition& partition) {
  const Masks& m = window.masks;
  std::vector<BlockSet> sets(static_cast<std::size_t>(window.groups.count), 0);
  for (int t = 0; t < m.frames; ++t)
    for (int y = 0; y < m.height; ++y)
      for (int x = 0; x < m.width; ++x)
        for (int v = 0; v < m.variables; ++v)
          if (m.at(t, y, x, v)) sets[static_cast<std::size_t>(window.group(t, v))] |= block_bit(partition.block(y, x));
  return sets;
}

/// @brief `count` members of a set, chosen uniformly; counters sample_position(first), first + 1, ... feed the choice.
inline BlockSet choose_blocks(PhiloxKey key, std::uint64_t sample, std::uint64_t first, BlockSet from, int count) {
  BlockSet chosen = 0;
  int left = std::popcount(from);
  for (int k = 0; k < count; ++k, --left) {
    const PhiloxBlock words = philox(key, sample, sample_position(first + static_cast<std::uint64_t>(k / 4)));
    BlockSet rest = from & ~chosen;
    for (int skip = uniform_below(words[static_cast<std::size_t>(k % 4)], left); skip > 0; --skip) rest &= rest - 1;
    chosen |= rest & (~rest + 1);  // the lowest member left
  }
  return chosen;
}

/// @brief A group's context drops whole observed blocks, the query is exactly these: for data that miss whole blocks.
///
/// drop ~ U{drop_min .. drop_max} blocks per group, always leaving one. Source: the paper's section 3.2 (its code: one block of
/// a 3 x 3 partition). At most 256 groups per window.
struct Blocks {
  int rows = 3, cols = 3;
  int drop_min = 1, drop_max = 1;
  bool query_all = false;  ///< score all of M, not only the dropped blocks

  static constexpr int max_groups = 256;

  struct Draw {
    static constexpr bool same_in_group() { return true; }

    BlockPartition partition;
    bool query_all = false;
    std::array<BlockSet, max_groups> dropped{};

    bool in_context(Cell c) const { return (dropped[static_cast<std::size_t>(c.group)] >> partition.block(c.y, c.x) & 1u) == 0; }
    bool in_query(Cell c) const { return query_all || !in_context(c); }
  };

  Draw draw(PhiloxKey key, std::uint64_t sample, const Window& window) const {
    check();
    require<OptionError>(window.groups.count <= max_groups, "Blocks: a window with ", window.groups.count,
                         " different masks, at most ", max_groups, " are possible; use shorter windows");
    Draw d{.partition = BlockPartition::of(rows, cols, window.masks.height, window.masks.width), .query_all = query_all};
    const std::vector<BlockSet> observed = observed_blocks(window, d.partition);
    for (std::size_t g = 0; g < observed.size(); ++g) {
      const std::uint64_t first = static_cast<std::uint64_t>(g) * 32;  // one counter for the number, 16 for the blocks
      const int drawn = drop_min + uniform_below(philox(key, sample, sample_position(first))[0], drop_max - drop_min + 1);
      const int drop = std::min(drawn, std::popcount(observed[g]) - 1);
      d.dropped[g] = choose_blocks(key, sample, first + 1, observed[g], drop);
    }
    return d;
  }

  void check() const {
    require<OptionError>(drop_min >= 1 && drop_max >= drop_min && drop_max < rows * cols, "Blocks: drops ", drop_min, " to ",
                         drop_max, " of ", rows * cols, " blocks; expected 1 <= drop_min <= drop_max < ", rows * cols);
  }
};
static_assert(MaskPolicy<Blocks>);

}  // namespace lacuna::mask
