#include "lacuna/sampler/tiles.hpp"

#include "catch.hpp"

using lacuna::sampler::cut_axis;

TEST_CASE("an axis within the largest core is one tile") {
  const auto tiles = cut_axis(10, 16, 4, false);
  REQUIRE(tiles.size() == 1);
  CHECK(tiles[0].begin == 0);
  CHECK(tiles[0].end == 10);
  CHECK(tiles[0].core_begin == 0);
  CHECK(tiles[0].core_end == 10);
}

TEST_CASE("a periodic axis is continued around the seam") {
  const auto tiles = cut_axis(10, 16, 4, true);
  REQUIRE(tiles.size() == 1);
  CHECK(tiles[0].begin == -4);
  CHECK(tiles[0].end == 14);
}

TEST_CASE("cores cover an axis once, margins stay inside") {
  for (const bool periodic : {false, true}) {
    const auto tiles = cut_axis(257, 64, 9, periodic);
    REQUIRE(tiles.size() == 5);
    int next = 0;
    for (const auto& tile : tiles) {
      CHECK(tile.core_begin == next);
      CHECK(tile.core_end - tile.core_begin <= 64);
      CHECK(tile.begin == (periodic ? tile.core_begin - 9 : std::max(0, tile.core_begin - 9)));
      CHECK(tile.end == (periodic ? tile.core_end + 9 : std::min(257, tile.core_end + 9)));
      next = tile.core_end;
    }
    CHECK(next == 257);
  }
}
