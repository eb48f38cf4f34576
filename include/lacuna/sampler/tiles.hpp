#pragma once

#include <algorithm>
#include <vector>

namespace lacuna::sampler {

/// @brief One stretch of an axis: [core_begin, core_end) is kept of the network's output on [begin, end).
/// On a periodic axis begin may be negative and end beyond the axis: positions are meant modulo its length.
struct Tile {
  int begin, end, core_begin, core_end;
  int size() const { return end - begin; }
};

/// @brief Cuts an axis into cores of at most `largest`, each seen with a margin of what lies beside it.
///
/// A periodic axis gets its margins around the seam too; at the ends of any other axis there is none.
inline std::vector<Tile> cut_axis(int length, int largest, int margin, bool periodic) {
  const int count = (length + largest - 1) / largest;
  std::vector<Tile> tiles;
  for (int i = 0; i < count; ++i) {
    const int begin = static_cast<int>(static_cast<long>(length) * i / count);
    const int end = static_cast<int>(static_cast<long>(length) * (i + 1) / count);
    tiles.push_back({periodic ? begin - margin : std::max(0, begin - margin),
                     periodic ? end + margin : std::min(length, end + margin), begin, end});
  }
  return tiles;
}

}  // namespace lacuna::sampler
