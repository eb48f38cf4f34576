#include "lacuna/mask/blocks.hpp"

#include <array>
#include <bit>
#include <cmath>

#include "catch.hpp"
#include "mask/maker.hpp"

using namespace lacuna;
using namespace lacuna::mask;

TEST_CASE("Blocks: the remainder goes to the last block, numbered row by row") {
  const auto p = BlockPartition::of(2, 2, 5, 5);
  const std::array<int, 25> expected{0, 0, 1, 1, 1, 0, 0, 1, 1, 1, 2, 2, 3, 3, 3, 2, 2, 3, 3, 3, 2, 2, 3, 3, 3};
  for (int i = 0; i < 25; ++i) CHECK(p.block(i / 5, i % 5) == expected[static_cast<std::size_t>(i)]);
  CHECK_THROWS_AS(BlockPartition::of(9, 8, 100, 100), OptionError);
  CHECK_THROWS_AS(BlockPartition::of(3, 3, 2, 9), OptionError);
}

TEST_CASE("Blocks: every block is dropped equally often, one whole block at a time") {
  const Owned o{1, 7, 8, 1};
  const Window w = window_of(o.view(), 0, 1);
  std::array<int, 9> dropped{};
  const int samples = 3000;
  for (int s = 0; s < samples; ++s) {
    const auto d = Blocks{}.draw(test_key, static_cast<std::uint64_t>(s), w);
    REQUIRE(std::popcount(d.dropped[0]) == 1);
    const int gone = std::countr_zero(d.dropped[0]);
    ++dropped[static_cast<std::size_t>(gone)];
    for (int i = 0; i < 56; ++i) {
      const Cell c{0, i / 8, i % 8, 0, 0};
      CHECK(d.in_query(c) == (d.partition.block(c.y, c.x) == gone));
      CHECK(d.in_context(c) != d.in_query(c));
    }
  }
  for (const int n : dropped) CHECK(std::abs(n - samples / 9.0) < 4 * std::sqrt(samples / 9.0 * 8 / 9));
}

TEST_CASE("Blocks: between drop_min and drop_max observed blocks go, one always stays") {
  Owned o{1, 4, 4, 1};
  o.draw(0, 1, "##....##..######");  // block 0 has cells, 1 has cells, 2 and 3 too
  for (std::uint64_t s = 0; s < 100; ++s) {
    const auto d = Blocks{.rows = 2, .cols = 2, .drop_min = 2, .drop_max = 3}.draw(test_key, s, window_of(o.view(), 0, 1));
    const int n = std::popcount(d.dropped[0]);
    CHECK((n == 2 || n == 3));
  }
  o.draw(0, 1, "##..##..........");  // a single observed block
  const auto d = Blocks{.rows = 2, .cols = 2, .drop_max = 3}.draw(test_key, 0, window_of(o.view(), 0, 1));
  CHECK(d.dropped[0] == 0);
  o.draw(0, 1, "................");
  CHECK(Blocks{.rows = 2, .cols = 2}.draw(test_key, 0, window_of(o.view(), 0, 1)).dropped[0] == 0);
}

TEST_CASE("Blocks: query_all scores all of M, the context stays") {
  const Owned o{1, 6, 6, 1};
  const Window w = window_of(o.view(), 0, 1);
  const auto part = Blocks{}.draw(test_key, 4, w), all = Blocks{.query_all = true}.draw(test_key, 4, w);
  CHECK(part.dropped == all.dropped);
  for (int i = 0; i < 36; ++i) CHECK(all.in_query({0, i / 6, i % 6, 0, 0}));
}

TEST_CASE("Blocks: each group drops blocks of its own; the draws are what they always were") {
  const Owned o = block_masks(6, 9, 9, 1, 3, 3, 2, 1, 3);
  const Window w = window_of(o.view(), 0, 6);
  REQUIRE(w.groups.count == 5);  // two of the six masks are equal by chance
  const auto d = Blocks{.drop_max = 4}.draw(test_key, 9, w);
  const auto observed = observed_blocks(w, d.partition);
  for (std::size_t g = 0; g < 5; ++g) CHECK((d.dropped[g] & ~observed[g]) == 0);
  CHECK(d.dropped[0] == 137u);
  CHECK(d.dropped[1] == 17u);
  CHECK(d.dropped[2] == 148u);
}

TEST_CASE("Blocks: nonsense is refused") {
  const Owned o{1, 9, 9, 1};
  const Window w = window_of(o.view(), 0, 1);
  CHECK_THROWS_AS((Blocks{.drop_min = 0}.draw(test_key, 0, w)), OptionError);
  CHECK_THROWS_AS((Blocks{.drop_min = 2, .drop_max = 1}.draw(test_key, 0, w)), OptionError);
  CHECK_THROWS_AS((Blocks{.drop_max = 9}.draw(test_key, 0, w)), OptionError);
  const Owned many = pixel_masks(300, 3, 3, 1, 0.5, 1, 5);
  CHECK_NOTHROW(Blocks{}.draw(test_key, 0, window_of(many.view(), 0, 200)));
}
