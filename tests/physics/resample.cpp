#include "lacuna/physics/resample.hpp"

#include <numbers>

#include "catch.hpp"
#include "support/fill.hpp"

using namespace lacuna;
using namespace lacuna::physics;

TEST_CASE("Half of the cells are means of four, a quarter means of the four in the middle") {
  std::vector<double> plane(16);
  for (std::size_t i = 0; i < 16; ++i) plane[i] = static_cast<double>(i * i);
  const auto half = resample_bilinear(plane, 4, 2);
  REQUIRE(half.size() == 4);
  CHECK(half[0] == (0 + 1 + 16 + 25) / 4.0);
  CHECK(half[3] == (100 + 121 + 196 + 225) / 4.0);
  const auto one = resample_bilinear(plane, 4, 1);
  REQUIRE(one.size() == 1);
  CHECK(one[0] == (25 + 36 + 81 + 100) / 4.0);
}

TEST_CASE("As many cells are the identity, and a constant stays one") {
  const auto plane = test::normals<double>(49, 1);
  CHECK(resample_bilinear(plane, 7, 7) == plane);
  for (const double x : resample_bilinear(std::vector<double>(49, 2.5), 7, 3)) CHECK(x == 2.5);
}

TEST_CASE("A smooth wave is met to second order at the cells' centres") {
  const auto error = [](int n) {
    std::vector<double> plane;
    const auto wave = [&](double y, double x) { return std::sin(2 * std::numbers::pi * (y + 2 * x) / n); };
    for (int y = 0; y < n; ++y)
      for (int x = 0; x < n; ++x) plane.push_back(wave(y, x));
    const int kept = n / 4 * 3;
    const auto out = resample_bilinear(plane, n, kept);
    double worst = 0;
    for (int y = 0, i = 0; y < kept; ++y)
      for (int x = 0; x < kept; ++x, ++i)
        worst =
            std::max(worst, std::abs(out[static_cast<std::size_t>(i)] - wave(cell_centre(y, kept, n), cell_centre(x, kept, n))));
    return worst;
  };
  CHECK(error(32) / error(64) == Approx(4).margin(0.2));
}

TEST_CASE("Shapes are checked") {
  CHECK_THROWS_AS(resample_bilinear(std::vector<double>(15), 4, 2), ShapeError);
  CHECK_THROWS_AS(resample_bilinear(std::vector<double>(16), 4, 5), ShapeError);
}
