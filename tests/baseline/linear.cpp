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

TEST_CASE("Linear: cells that are left out of the mesh, known ones among known ones, do not change it") {
  // Blocks of unknown cells, one at the edge and one in the corner, in a field that is all known otherwise.
  const data::Grid grid = test::plane(20, 20);
  Mask known(400, 1);
  Plane values;
  for (int i = 0; i < 400; ++i) {
    const int y = i / 20, x = i % 20;
    if ((y >= 5 && y < 9 && x >= 6 && x < 12) || (y >= 12 && y < 15 && x < 3) || (y >= 17 && x >= 16))
      known[static_cast<std::size_t>(i)] = 0;
    values.push_back(test::wave(grid, y, x, 0));
  }
  const Plane out = filled(grid, known, values);
  // The same from a triangulation of every known cell: inside the first block a triangle of three of them holds each cell.
  std::vector<baseline::LatticePoint> points;
  for (int i = 0; i < 400; ++i)
    if (known[static_cast<std::size_t>(i)] != 0) points.push_back({i / 20, i % 20});
  const baseline::Delaunay mesh(points);
  int checked = 0;
  for (const auto& t : mesh.triangles()) {
    const auto corner = [&](std::size_t k) { return points[static_cast<std::size_t>(t[k])]; };
    const auto total = static_cast<double>(baseline::twice_area(corner(0), corner(1), corner(2)));
    for (int i = 0; i < 400; ++i) {
      if (known[static_cast<std::size_t>(i)] != 0) continue;
      double weights[3], sum = 0;
      for (std::size_t k = 0; k < 3; ++k) {
        weights[k] =
            static_cast<double>(baseline::twice_area(corner((k + 1) % 3), corner((k + 2) % 3), {i / 20, i % 20})) / total;
        sum += weights[k] * static_cast<double>(values[static_cast<std::size_t>(corner(k).y * 20 + corner(k).x)]);
      }
      if (std::min({weights[0], weights[1], weights[2]}) < 0) continue;
      ++checked;
      // Of four points on a circle either diagonal may be taken.
      CHECK(out[static_cast<std::size_t>(i)] == Approx(sum).margin(0.2));
    }
  }
  CHECK(checked >= 24);
}

TEST_CASE("Linear: nothing known gives zero, all known stays, one known is everywhere") {
  const data::Grid grid = test::plane(3, 4);
  CHECK(filled(grid, Mask(12, 0), Plane(12, 1.0f)) == Plane(12, 0.0f));
  CHECK(filled(grid, Mask(12, 1), Plane(12, 1.5f)) == Plane(12, 1.5f));
  Mask one(12, 0);
  one[5] = 1;
  CHECK(filled(grid, one, Plane(12, 7.0f)) == Plane(12, 7.0f));
}
