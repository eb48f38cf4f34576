#include "lacuna/mask/groups.hpp"

#include "catch.hpp"
#include "mask/maker.hpp"

using namespace lacuna;
using namespace lacuna::mask;

TEST_CASE("Groups: a mask shared by frames and variables is one group") {
  const Owned o = pixel_masks(3, 4, 5, 2, 0.5, 3, 1);
  const Groups g = group_planes(o.view());
  CHECK(g.count == 1);
  CHECK(g.of == std::vector<int>{0, 0, 0, 0, 0, 0});
}

TEST_CASE("Groups: masks per frame and per variable, and a lost plane") {
  Owned o{3, 2, 2, 2};
  o.at(1, 0, 0, 0) = o.at(1, 0, 0, 1) = 0;  // frame 1 has a mask of its own
  o.at(2, 1, 1, 1) = 0;                     // so has variable 1 of frame 2
  for (int y = 0; y < 2; ++y)
    for (int x = 0; x < 2; ++x) o.at(2, y, x, 0) = 0;
  const Groups g = group_planes(o.view());
  CHECK(g.count == 3);
  CHECK(g.of == std::vector<int>{0, 0, 1, 1, -1, 2});
}

TEST_CASE("Groups: cells that are static in one variable do not separate it from the others") {
  Owned o{2, 1, 4, 2};
  o.draw(0, 1, "##.#").draw(1, 1, "#.##");
  o.at(0, 0, 0, 1) = o.at(1, 0, 0, 1) = 0;  // land in variable 1
  CHECK(group_planes(o.view()).of == std::vector<int>{0, 1, 2, 3});
  const auto ever = ever_observed(o.view());
  CHECK(ever == std::vector<std::uint8_t>{1, 0, 1, 1, 1, 1, 1, 1});
  CHECK(group_planes(o.view(), ever).of == std::vector<int>{0, 0, 1, 1});
}

TEST_CASE("Groups: nothing observed, and sizes that do not fit") {
  Owned o{2, 2, 2, 1};
  o.draw(0, 2, "....");
  CHECK(group_planes(o.view()) == Groups{{-1, -1}, 0});
  o.bytes.pop_back();
  CHECK_THROWS_AS(group_planes(o.view()), ShapeError);
  const Owned whole{2, 2, 2, 1};
  CHECK_THROWS_AS(whole.view().frames_of(1, 2), ShapeError);
  CHECK_THROWS_AS(group_planes(whole.view(), std::vector<std::uint8_t>(3)), ShapeError);
}
