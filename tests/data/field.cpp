#include "lacuna/data/field.hpp"

#include "catch.hpp"

using namespace lacuna;
using namespace lacuna::data;

TEST_CASE("Frame ranges: what two share") {
  CHECK(common({0, 5}, {3, 9}) == FrameRange{3, 5});
  CHECK(common({3, 9}, {0, 5}) == FrameRange{3, 5});
  CHECK(common({2, 4}, {0, 9}) == FrameRange{2, 4});
  CHECK(common({0, 3}, {3, 9}) == FrameRange{});
  CHECK(FrameRange{2, 4}.contains(3));
  CHECK_FALSE(FrameRange{2, 4}.contains(4));
}

TEST_CASE("Fields: some frames of them") {
  Fields f{.grid = {.y = {0, 1}, .x = {0, 1, 2}},
           .names = {"u", "v"},
           .time = {10, 11, 12, 13},
           .time_units = "days since 2000-01-01",
           .values = {}};
  for (int i = 0; i < 4 * 2 * 3 * 2; ++i) f.values.push_back(static_cast<float>(i));
  const Fields cut = frames_of(f, {1, 3});
  CHECK_NOTHROW(require_consistent(cut));
  CHECK(cut.time == std::vector<double>{11, 12});
  CHECK(cut.time_units == f.time_units);
  for (int t = 0; t < 2; ++t)
    for (int y = 0; y < 2; ++y)
      for (int x = 0; x < 3; ++x)
        for (int v = 0; v < 2; ++v) CHECK(cut.at(t, y, x, v) == f.at(t + 1, y, x, v));
  for (const FrameRange wrong : {FrameRange{-1, 2}, FrameRange{2, 2}, FrameRange{3, 5}})
    CHECK_THROWS_AS(frames_of(f, wrong), ShapeError);
}
