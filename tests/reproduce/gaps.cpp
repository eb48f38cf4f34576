#include "reproduce/gaps.hpp"

#include <numeric>

#include "catch.hpp"
#include "support/probe.hpp"

using namespace lacuna;
using experiment::Gaps;

namespace {

data::Grid grid_of(int side) {
  std::vector<double> axis(static_cast<std::size_t>(side));
  std::iota(axis.begin(), axis.end(), 0.0);
  return {axis, axis};
}

}  // namespace

TEST_CASE("gaps are named by a letter and a number") {
  CHECK_FALSE(Gaps("p80").blocks);
  CHECK(Gaps("p80").observed == 80);
  CHECK(Gaps("b5").blocks);
  CHECK(Gaps("b5").observed == 5);
  for (const char* wrong : {"", "p", "x20", "p0", "p100", "b9", "p20x", "20"}) {
    INFO(wrong);
    CHECK(test::message_of<OptionError>([&] { Gaps{wrong}; }) ==
          text("gaps ", wrong, ": expected p and a percentage of pixels, or b and a number of blocks, such as p80 or b8"));
  }
}

TEST_CASE("gaps leave the share that they say, another mask for each sample and seed") {
  const auto grid = grid_of(12);
  const auto share = [](const std::vector<std::uint8_t>& mask) {
    return std::accumulate(mask.begin(), mask.end(), 0.0) / static_cast<double>(mask.size());
  };
  const auto pixels = Gaps("p30").draw(grid, 40, 1);
  REQUIRE(pixels.size() == 40 * 144);
  CHECK(share(pixels) == Approx(0.3).margin(0.02));
  const auto blocks = Gaps("b5").draw(grid, 40, 1);
  CHECK(share(blocks) == Approx(5.0 / 9.0));
  CHECK(Gaps("b5").draw(grid, 40, 1) == blocks);
  CHECK(Gaps("b5").draw(grid, 40, 2) != blocks);
  CHECK_FALSE(std::equal(blocks.begin(), blocks.begin() + 144, blocks.begin() + 144));
}

TEST_CASE("every sample has a few observed pixels, or there is a message") {
  const auto grid = grid_of(12);
  const auto masks = Gaps("p4").draw(grid, 60, 1);  // 5.8 pixels in the mean
  double sum = 0;
  for (int i = 0; i < 60; ++i) {
    const auto count = std::accumulate(masks.begin() + i * 144, masks.begin() + (i + 1) * 144, 0);
    CHECK(count >= Gaps::least_pixels);
    sum += count;
  }
  CHECK(sum / 60 < 9);
  CHECK(Gaps("p4").draw(grid, 60, 1) == masks);
  CHECK(test::message_of<OptionError>([&] { Gaps("p1").draw(grid_of(4), 1, 1); }) ==
        "1 % of 4 x 4 pixels are fewer than 5 observed ones in nearly every sample");
}
