#include "lacuna/baseline/interpolation.hpp"

#include "baseline/maker.hpp"
#include "catch.hpp"
#include "support/compare.hpp"

using namespace lacuna;
using Plane = std::vector<float>;
using Mask = std::vector<std::uint8_t>;

TEST_CASE("Plain fills by hand") {
  const data::Grid grid = test::plane(1, 5);
  const Mask known{1, 0, 0, 0, 1};
  CHECK(test::filled<baseline::MeanFill>(grid, known, {1, 0, 0, 0, 5}) == Plane{1, 3, 3, 3, 5});
  CHECK(test::filled<baseline::NearestFill>(grid, known, {1, 0, 0, 0, 5}) == Plane{1, 1, 1, 5, 5});
  CHECK(test::relative_difference(test::filled<baseline::LaplaceFill>(grid, known, {1, 0, 0, 0, 5}), Plane{1, 2, 3, 4, 5}) <
        1e-6);
  const data::Grid ring = test::plane(1, 5, true);
  CHECK(test::filled<baseline::NearestFill>(ring, {0, 1, 0, 1, 0}, {0, 1, 0, 4, 0}) == Plane{1, 1, 1, 4, 4});
  CHECK(test::relative_difference(test::filled<baseline::LaplaceFill>(ring, {0, 1, 0, 1, 0}, {0, 1, 0, 4, 0}),
                                  Plane{2, 1, 2.5f, 4, 3}) < 1e-6);
}

TEST_CASE("Nearest: agrees with a search over all cells") {
  for (const data::Grid& grid : {test::globe(15), test::plane(12, 17), test::plane(9, 14, true)}) {
    const Mask known = test::random_mask(grid.cells(), 0.08, 11);
    Plane values;
    for (int i = 0; i < grid.cells(); ++i) values.push_back(static_cast<float>(i));
    const Plane out = test::filled<baseline::NearestFill>(grid, known, values);
    const baseline::Distance distance(grid);
    const int w = grid.width();
    bool nearest = true;
    for (int q = 0; q < grid.cells(); ++q) {
      double least = 1e300;
      for (int i = 0; i < grid.cells(); ++i)
        if (known[static_cast<std::size_t>(i)] != 0) least = std::min(least, distance(q / w, q % w, i / w, i % w));
      const int chosen = static_cast<int>(out[static_cast<std::size_t>(q)]);
      nearest &= known[static_cast<std::size_t>(chosen)] != 0 &&
                 distance(q / w, q % w, chosen / w, chosen % w) <= least * (1 + 1e-9) + 1e-6;
    }
    CHECK(nearest);
  }
}

TEST_CASE("Laplace: harmonic, and within the range of the data") {
  const data::Grid grid = test::plane(10, 12, true);
  const Mask known = test::random_mask(grid.cells(), 0.2, 12);
  Plane values;
  for (int i = 0; i < grid.cells(); ++i) values.push_back(test::wave(grid, i / 12, i % 12, 0));
  const Plane out = test::filled<baseline::LaplaceFill>(grid, known, values);
  double worst = 0;
  for (int y = 1; y < 9; ++y)
    for (int x = 0; x < 12; ++x)
      if (known[static_cast<std::size_t>(y * 12 + x)] == 0) {
        const auto at = [&](int j, int i) { return static_cast<double>(out[static_cast<std::size_t>(j * 12 + (i + 12) % 12)]); };
        worst = std::max(worst, std::abs(at(y, x) - (at(y - 1, x) + at(y + 1, x) + at(y, x - 1) + at(y, x + 1)) / 4));
      }
  CHECK(worst < 1e-6);
}

TEST_CASE("Plain fills: nothing known gives zero, all known stays") {
  const data::Grid grid = test::plane(3, 4);
  const auto check = [&]<class Fill>() {
    CHECK(test::filled<Fill>(grid, Mask(12, 0), Plane(12, 1.0f)) == Plane(12, 0.0f));
    CHECK(test::filled<Fill>(grid, Mask(12, 1), Plane(12, 1.0f)) == Plane(12, 1.0f));
  };
  check.operator()<baseline::MeanFill>();
  check.operator()<baseline::NearestFill>();
  check.operator()<baseline::LaplaceFill>();
}

TEST_CASE("Plain fills: made once, they fill any number of planes") {
  const data::Grid grid = test::plane(4, 5);
  const Mask known = test::random_mask(20, 0.4, 13);
  const auto check = [&]<class Fill>() {
    const Fill fill(grid, known.data());
    for (const float scale : {1.0f, -3.0f}) {
      Plane values;
      for (int i = 0; i < 20; ++i) values.push_back(scale * test::wave(grid, i / 5, i % 5, 0));
      Plane again(20);
      fill(values.data(), again.data());
      CHECK(again == test::filled<Fill>(grid, known, values));
    }
  };
  check.operator()<baseline::MeanFill>();
  check.operator()<baseline::NearestFill>();
  check.operator()<baseline::LaplaceFill>();
}
