#include "lacuna/baseline/temporal.hpp"

#include "baseline/maker.hpp"
#include "catch.hpp"
#include "support/compare.hpp"

using namespace lacuna;
using Plane = std::vector<float>;
using Mask = std::vector<std::uint8_t>;

namespace {

constexpr float gap = data::not_observed;

data::Fields frames(const data::Grid& grid, const std::vector<Plane>& planes) {
  data::Fields f;
  f.grid = grid;
  f.names = {"a"};
  for (const Plane& p : planes) {
    f.time.push_back(static_cast<double>(f.time.size()));
    f.values.insert(f.values.end(), p.begin(), p.end());
  }
  return f;
}

Plane temporal(const data::Fields& f, int run = 3, int threads = 1) {
  return baseline::fill_in_runs(f, run, threads, baseline::temporal_consistency);
}

Plane window(const data::Grid& grid, const Mask& known, Plane values) {
  for (std::size_t i = 0; i < values.size(); ++i)
    if (known[i] == 0) values[i] = gap;
  baseline::WindowFill(grid, known.data())(values.data(), values.data());
  return values;
}

}  // namespace

TEST_CASE("Temporal: the previous frame's value, else the next one's, else the window of the frame's own observations") {
  const auto f = frames(test::plane(1, 4), {{1, gap, gap, 2}, {gap, gap, 5, 4}, {7, 8, gap, 6}});
  // Frame 0: cell 1 has no neighbour in time, so the mean of 1 and 2 (each beside a gap); cell 2 takes the next frame's 5.
  // Frame 1: cell 0 the previous 1, not the next 7; cell 1 the next 8. Frame 2: cell 2 the previous 5.
  CHECK(test::relative_difference(temporal(f), Plane{1, 1.5f, 5, 2, 1, 8, 5, 4, 7, 8, 5, 6}) < 1e-6);
}

TEST_CASE("Temporal: frames beyond the run are looked at, and runs and threads do not matter") {
  data::Fields f = test::drifting(test::plane(9, 10), 8, 2, 0.4);
  for (std::size_t i = 0; i < f.values.size(); i += 7) f.values[i] = gap;
  const Plane once = temporal(f, 8);
  CHECK(temporal(f, 3, 2) == once);
  CHECK(temporal(f, 1) == once);
  CHECK(test::all_finite(once));
}

TEST_CASE("Window: weights fall with a value's own distance from the nearest gap") {
  const data::Grid grid = test::plane(1, 5);
  // Cells 0 to 3 lie 4, 3, 2 and 1 from the gap in cell 4.
  const double w4 = std::exp(-0.8), w3 = std::exp(-0.6), w2 = std::exp(-0.4), w1 = std::exp(-0.2);
  const auto mean = static_cast<float>((w4 * 1 + w3 * 2 + w2 * 3 + w1 * 10) / (w4 + w3 + w2 + w1));
  CHECK(test::relative_difference(window(grid, {1, 1, 1, 1, 0}, {1, 2, 3, 10, 0}), Plane{1, 2, 3, 10, mean}) < 1e-6);
}

TEST_CASE("Window: agrees with its definition, across the seam if there is one") {
  for (const bool periodic : {false, true})
    for (const double density : {0.1, 0.5, 0.97}) {
      const data::Grid grid = test::plane(13, 16, periodic);
      const Mask known = test::random_mask(grid.cells(), density, 8);
      Plane values, expected;
      for (int i = 0; i < grid.cells(); ++i) values.push_back(test::wave(grid, i / 16, i % 16, 0));
      const auto apart = [&](int a, int b) {
        const int dx = std::abs(a % 16 - b % 16), dy = std::abs(a / 16 - b / 16);
        return std::pair{dy, periodic ? std::min(dx, 16 - dx) : dx};
      };
      std::vector<double> weight;
      for (int i = 0; i < grid.cells(); ++i) {
        double least = 1e300;
        for (int j = 0; j < grid.cells(); ++j)
          if (known[static_cast<std::size_t>(j)] == 0) least = std::min(least, std::hypot(apart(i, j).first, apart(i, j).second));
        weight.push_back(known[static_cast<std::size_t>(i)] != 0 ? std::exp(-least / 5) : 0);
      }
      for (int i = 0; i < grid.cells(); ++i) {
        double sum = 0, total = 0;
        for (int j = 0; j < grid.cells(); ++j)
          if (apart(i, j).first <= 5 && apart(i, j).second <= 5) {
            sum += weight[static_cast<std::size_t>(j)] * static_cast<double>(values[static_cast<std::size_t>(j)]);
            total += weight[static_cast<std::size_t>(j)];
          }
        const bool own = known[static_cast<std::size_t>(i)] != 0;
        expected.push_back(own ? values[static_cast<std::size_t>(i)] : static_cast<float>(total > 0 ? sum / total : 0));
      }
      CHECK(test::relative_difference(window(grid, known, values), expected) < 1e-5);
    }
}

TEST_CASE("Window: zero where no observation is near, or none at all") {
  const data::Grid grid = test::plane(1, 9);
  CHECK(window(grid, {1, 0, 0, 0, 0, 0, 0, 0, 0}, {3, 0, 0, 0, 0, 0, 0, 0, 0}) == Plane{3, 3, 3, 3, 3, 3, 0, 0, 0});
  CHECK(window(grid, Mask(9, 0), Plane(9, 1.0f)) == Plane(9, 0.0f));
  CHECK(window(grid, Mask(9, 1), Plane(9, 1.0f)) == Plane(9, 1.0f));
}
