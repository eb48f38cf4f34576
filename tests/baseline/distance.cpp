#include "lacuna/baseline/distance.hpp"

#include "baseline/maker.hpp"
#include "catch.hpp"

using namespace lacuna;
using baseline::Distance;

TEST_CASE("Distance: great circles, the short way round") {
  const data::Grid grid{.y = {-90, 0, 60, 90}, .x = {0, 90, 180, 270}, .geographic = true, .periodic_x = true};
  const Distance d(grid);
  const double quarter = baseline::earth_radius * 1.5707963267948966;
  CHECK(d(1, 0, 1, 1) == Approx(quarter));
  CHECK(d(1, 0, 1, 3) == Approx(quarter));
  CHECK(d(1, 0, 1, 2) == Approx(2 * quarter));
  CHECK(d(0, 0, 3, 2) == Approx(2 * quarter));
  CHECK(d(3, 0, 3, 2) == Approx(0).margin(1e-6));
  CHECK(d(1, 1, 2, 1) == Approx(quarter * 2 / 3));
  CHECK(d.spacing() == Approx(quarter * 2 / 3));
  CHECK(d.column_difference(0, 3) == Approx(-90));
}

TEST_CASE("Distance: Euclidean on a plane, across the seam if periodic") {
  CHECK(Distance(test::plane(4, 8))(0, 0, 3, 4) == Approx(5));
  CHECK(Distance(test::plane(4, 8))(0, 0, 0, 7) == Approx(7));
  CHECK(Distance(test::plane(4, 8, true))(0, 0, 0, 7) == Approx(1));
  CHECK(Distance(test::plane(4, 8)).spacing() == Approx(1));
}

TEST_CASE("Distance: equal spacing is told from unequal") {
  data::Grid grid = test::plane(5, 5);
  CHECK(baseline::regular_columns(grid));
  CHECK(baseline::regular_rows(grid));
  grid.x[2] += 0.1;
  CHECK_FALSE(baseline::regular_columns(grid));
  CHECK(baseline::regular_rows(grid));
}
