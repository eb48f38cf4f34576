#include "lacuna/baseline/delaunay.hpp"

#include <algorithm>
#include <set>
#include <tuple>

#include "baseline/maker.hpp"
#include "catch.hpp"

using namespace lacuna;
using baseline::Delaunay;
using baseline::LatticePoint;
using Points = std::vector<LatticePoint>;

namespace {

Points scattered(int height, int width, double density, std::uint64_t seed) {
  const auto mask = test::random_mask(height * width, density, seed);
  Points points;
  for (int i = 0; i < height * width; ++i)
    if (mask[static_cast<std::size_t>(i)] != 0) points.push_back({i / width, i % width});
  return points;
}

/// Twice the area of the convex hull (gift wrapping over all points).
std::int64_t hull_area(const Points& points) {
  std::int64_t sum = 0;
  std::size_t at = 0;
  do {
    std::size_t to = at == 0 ? 1 : 0;
    for (std::size_t i = 0; i < points.size(); ++i) {
      if (i == at) continue;
      const auto turn = baseline::twice_area(points[at], points[to], points[i]);
      const auto far = [&](std::size_t j) { return std::hypot(points[j].x - points[at].x, points[j].y - points[at].y); };
      if (turn < 0 || (turn == 0 && far(i) > far(to))) to = i;
    }
    sum += baseline::twice_area(points[0], points[at], points[to]);
    at = to;
  } while (at != 0);
  return sum;
}

}  // namespace

TEST_CASE("Delaunay: one triangle, and a quadrilateral cut along its shorter diagonal") {
  CHECK(Delaunay(Points{{0, 0}, {0, 4}, {3, 0}}).triangles().size() == 1);
  // A kite: the diagonal from (1, 0) to (1, 2) is the one whose circles are empty.
  const auto kite = Delaunay(Points{{0, 1}, {1, 0}, {1, 2}, {9, 1}}).triangles();
  REQUIRE(kite.size() == 2);
  for (const auto& t : kite) CHECK(std::count_if(t.begin(), t.end(), [](int i) { return i == 1 || i == 2; }) == 2);
}

TEST_CASE("Delaunay: area and circle by hand") {
  CHECK(baseline::twice_area({0, 0}, {0, 4}, {3, 0}) == 12);
  CHECK(baseline::twice_area({0, 0}, {3, 0}, {0, 4}) == -12);
  CHECK(baseline::in_circle({0, 0}, {0, 2}, {2, 0}, {1, 1}));
  CHECK_FALSE(baseline::in_circle({0, 0}, {0, 2}, {2, 0}, {2, 2}));  // on the circle
  CHECK_FALSE(baseline::in_circle({0, 0}, {0, 2}, {2, 0}, {3, 3}));
  constexpr int far = 1 << 20;  // beyond what doubles could tell
  CHECK(baseline::in_circle({0, 0}, {0, far}, {far, 0}, {far, far - 1}));
  CHECK_FALSE(baseline::in_circle({0, 0}, {0, far}, {far, 0}, {far, far}));
}

TEST_CASE("Delaunay: triangles cover the hull once, hold every point, and their circles are empty") {
  for (const auto& [height, width, density] :
       {std::tuple{9, 11, 0.3}, {12, 12, 1.0}, {30, 4, 0.5}, {2, 40, 0.2}, {25, 25, 0.08}}) {
    const Points points = scattered(height, width, density, 5);
    const auto triangles = Delaunay(points).triangles();
    std::int64_t area = 0;
    std::set<int> used;
    bool empty = true, positive = true;
    for (const auto& [a, b, c] : triangles) {
      const auto at = [&](int i) { return points[static_cast<std::size_t>(i)]; };
      const auto mine = baseline::twice_area(at(a), at(b), at(c));
      positive &= mine > 0;
      area += mine;
      used.insert({a, b, c});
      for (const auto& p : points) empty &= !baseline::in_circle(at(a), at(b), at(c), p);
    }
    CHECK(positive);
    CHECK(empty);
    CHECK(used.size() == points.size());
    CHECK(area == hull_area(points));
  }
}

TEST_CASE("Delaunay: points on one line have no triangle; points out of order are refused") {
  CHECK(Delaunay(Points{}).triangles().empty());
  CHECK(Delaunay(Points{{0, 0}}).triangles().empty());
  CHECK(Delaunay(Points{{0, 0}, {1, 2}, {2, 4}, {4, 8}}).triangles().empty());
  CHECK(Delaunay(Points{{0, 0}, {1, 2}, {2, 4}, {4, 7}}).triangles().size() == 2);
  CHECK_THROWS_WITH(Delaunay(Points{{1, 0}, {0, 5}}), Catch::Matchers::Contains("order of rows"));
  CHECK_THROWS_AS(Delaunay(Points{{1, 0}, {1, 0}}), OptionError);
}
