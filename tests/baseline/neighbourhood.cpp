#include "lacuna/baseline/neighbourhood.hpp"

#include "baseline/maker.hpp"
#include "catch.hpp"

using namespace lacuna;
using baseline::Cell;
using baseline::KnownCells;

TEST_CASE("Tiling: every unknown cell lies in exactly one tile, and tiles obey their limits") {
  for (const double density : {0.05, 0.4, 0.98}) {
    const auto mask = test::random_mask(40 * 60, density, 3);
    const KnownCells cells{40, 60, false, mask.data()};
    std::vector<int> covered(mask.size(), 0);
    baseline::Tiling tiling;
    for (const auto& t : tiling.cut(cells, 60, 500)) {
      int unknown = 0;
      for (int y = t.y0; y < t.y1; ++y)
        for (int x = t.x0; x < t.x1; ++x) {
          ++covered[static_cast<std::size_t>(y * 60 + x)];
          unknown += !cells(y, x);
        }
      CHECK(unknown >= 1);
      CHECK(unknown <= 500);
    }
    bool once = true;
    for (std::size_t i = 0; i < mask.size(); ++i) once &= mask[i] != 0 ? covered[i] <= 1 : covered[i] == 1;
    CHECK(once);
  }
}

TEST_CASE("Tiling: known cells beside unknown ones are counted") {
  std::vector<std::uint8_t> mask(9 * 9, 1);
  baseline::Tiling tiling;
  CHECK(tiling.beside_unknown({9, 9, false, mask.data()}) == 0);
  mask[4 * 9 + 4] = 0;
  CHECK(tiling.beside_unknown({9, 9, false, mask.data()}) == 24);
  mask[4 * 9 + 4] = 1;
  mask[0] = 0;
  CHECK(tiling.beside_unknown({9, 9, false, mask.data()}) == 8);
}

TEST_CASE("Levels: one representative in each aligned square") {
  const std::vector<std::uint8_t> all(64, 1);
  std::vector<std::uint8_t> levels;
  baseline::representative_levels({8, 8, false, all.data()}, levels, 5);
  CHECK(levels[0] == 5);
  CHECK(levels[1] == 0);
  CHECK(levels[2] == 1);
  CHECK(levels[4] == 2);
  CHECK(levels[4 * 8 + 4] == 2);
  CHECK(levels[2 * 8 + 2] == 1);
  std::vector<std::uint8_t> one(64, 0);
  one[27] = 1;
  baseline::representative_levels({8, 8, false, one.data()}, levels, 5);
  CHECK(levels[27] == 5);
}

TEST_CASE("Neighbours: near the gap they are dense, far from it sparse, and both sides of a seam count") {
  std::vector<std::uint8_t> mask(32 * 64, 1);
  for (int y = 12; y < 20; ++y)
    for (int x = 0; x < 6; ++x) mask[static_cast<std::size_t>(y * 64 + x)] = 0;
  const KnownCells cells{32, 64, true, mask.data()};
  const std::vector<double> aspects(32, 1.0);
  std::vector<std::uint8_t> levels;
  baseline::representative_levels(cells, levels, 5);
  baseline::NeighbourSearch search;
  std::vector<Cell> found;
  search.find(cells, levels, {12, 0, 20, 6}, aspects.data(), 100, found);
  CHECK(found.size() == 100);
  int touching = 0, left = 0, far = 0;
  for (const Cell& c : found) {
    CHECK(cells(c.y, baseline::NeighbourSearch::column(cells, c.x)));
    touching += c.y >= 11 && c.y <= 20 && c.x >= -1 && c.x <= 6;
    left += c.x < 0;
    far += c.y < 9 || c.y > 22 || c.x < -3 || c.x > 8;
  }
  CHECK(touching == 2 * 8 + 2 * 8);
  CHECK(left > 20);
  CHECK(far > 5);
}
