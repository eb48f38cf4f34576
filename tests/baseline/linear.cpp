#include "lacuna/baseline/linear.hpp"

#include "baseline/maker.hpp"
#include "catch.hpp"
#include "support/compare.hpp"

using namespace lacuna;
using Plane = std::vector<float>;
using Mask = std::vector<std::uint8_t>;

namespace {

Plane filled(const data::Grid& grid, const Mask& known, Plane values) {
  for (std::size_t i = 0; i < values.size(); ++i)
    if (known[i] == 0) values[i] = data::not_observed;
  baseline::LinearFill(grid, known.data())(values.data(), values.data());
  return values;
}

}  // namespace

TEST_CASE("Linear: a triangle by hand, and the nearest value outside of it") {
  const data::Grid grid = test::plane(3, 3);
  // Corners at (0,0), (0,2) and (2,0); the middle of a side is the mean of its ends.
  CHECK(filled(grid, {1, 0, 1, 0, 0, 0, 1, 0, 0}, {2, 0, 4, 0, 0, 0, 10, 0, 0}) == Plane{2, 3, 4, 6, 7, 4, 10, 10, 10});
}

TEST_CASE("Linear: a row is interpolated between its known cells, around the seam if there is one") {
  CHECK(filled(test::plane(1, 6), {0, 1, 0, 0, 0, 1}, {0, 1, 0, 0, 0, 5}) == Plane{1, 1, 2, 3, 4, 5});
  CHECK(test::relative_difference(filled(test::plane(1, 6, true), {0, 1, 0, 0, 1, 0}, {0, 1, 0, 0, 4, 0}),
                                  Plane{2, 1, 2, 3, 4, 3}) < 1e-6);
  // On a diagonal only the cells that lie on it.
  CHECK(filled(test::plane(3, 3), {1, 0, 0, 0, 0, 0, 0, 0, 1}, {1, 0, 0, 0, 0, 0, 0, 0, 3})[4] == 2.0f);
}

TEST_CASE("Linear: exact for a plane inside the hull, within the range of the data everywhere") {
  const data::Grid grid = test::plane(14, 17);
  Mask known = test::random_mask(grid.cells(), 0.12, 3);
  for (const int corner : {0, 16, 13 * 17, 14 * 17 - 1}) known[static_cast<std::size_t>(corner)] = 1;  // the hull is the grid
  Plane values;
  for (int i = 0; i < grid.cells(); ++i) values.push_back(static_cast<float>(2 * (i / 17) - 3 * (i % 17)));
  CHECK(test::relative_difference(filled(grid, known, values), values) < 1e-6);
  const Mask few = test::random_mask(grid.cells(), 0.05, 4);
  for (const float x : filled(grid, few, values)) CHECK((x >= -48.001f && x <= 26.001f));
}

TEST_CASE("Linear: triangles cross the seam") {
  const data::Grid grid = test::plane(8, 12, true);
  Mask known = test::random_mask(grid.cells(), 0.2, 6);
  known[4] = known[7 * 12 + 8] = 1;  // first and last row
  Plane values(known.size());
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (i % 12 == 0 || i % 12 == 11) known[i] = 0;  // the seam
    values[i] = static_cast<float>(3 * (i / 12)) - 5;
  }
  CHECK(test::relative_difference(filled(grid, known, values), values) < 1e-6);
  const Plane open = filled(test::plane(8, 12), known, values);
  CHECK(test::relative_difference(open, values) > 0.1);  // outside the hull without the seam
}

TEST_CASE("Linear: nothing known gives zero, all known stays, one known is everywhere") {
  const data::Grid grid = test::plane(3, 4);
  CHECK(filled(grid, Mask(12, 0), Plane(12, 1.0f)) == Plane(12, 0.0f));
  CHECK(filled(grid, Mask(12, 1), Plane(12, 1.5f)) == Plane(12, 1.5f));
  Mask one(12, 0);
  one[5] = 1;
  CHECK(filled(grid, one, Plane(12, 7.0f)) == Plane(12, 7.0f));
}
