#include "lacuna/mask/draw.hpp"

#include "catch.hpp"

using namespace lacuna;
using namespace lacuna::mask;

TEST_CASE("pixels are observed at their ratio, blocks go whole, and every frame has gaps of its own") {
  const data::Grid grid = {.y = std::vector<double>(9), .x = std::vector<double>(10)};
  const auto pixels = draw_pixels(grid, 200, 0.3, 1);
  double seen = 0;
  for (const auto m : pixels) seen += m;
  CHECK(seen / static_cast<double>(pixels.size()) == Approx(0.3).margin(0.01));
  CHECK_FALSE(std::equal(pixels.begin(), pixels.begin() + 90, pixels.begin() + 90));

  const auto blocks = draw_blocks(grid, 200, 3, 3, 2, 1);
  const auto partition = BlockPartition::of(3, 3, 9, 10);
  std::vector<int> lost(9, 0);
  for (int t = 0; t < 200; ++t) {
    std::vector<int> missing(9, 0), size(9, 0);
    for (int i = 0; i < 90; ++i) {
      const auto block = static_cast<std::size_t>(partition.block(i / 10, i % 10));
      missing[block] += blocks[static_cast<std::size_t>(t * 90 + i)] == 0 ? 1 : 0;
      ++size[block];
    }
    int gone = 0;
    for (std::size_t b = 0; b < 9; ++b) {
      CHECK((missing[b] == 0 || missing[b] == size[b]));
      gone += missing[b] > 0 ? 1 : 0;
      lost[b] += missing[b] > 0 ? 1 : 0;
    }
    CHECK(gone == 2);
  }
  for (const int count : lost) CHECK(count > 20);  // 44 expected
  CHECK_THROWS_AS(draw_blocks(grid, 1, 3, 3, 9, 1), OptionError);
}

TEST_CASE("gaps hide values and nothing else") {
  const data::Fields whole{{{0, 1}, {0, 1}}, {"u"}, {0}, "", {1, 2, 3, 4}};
  const auto gappy = with_gaps(whole, {1, 0, 1, 1});
  CHECK(std::isnan(gappy.values[1]));
  CHECK(gappy.values[2] == whole.values[2]);
  CHECK_THROWS_AS(with_gaps(whole, {1, 0}), ShapeError);
}
