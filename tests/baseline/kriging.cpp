#include "lacuna/baseline/kriging.hpp"

#include "baseline/maker.hpp"
#include "catch.hpp"
#include "support/compare.hpp"

using namespace lacuna;
using baseline::Correlation;
using baseline::CorrelationKind;
using baseline::Kriging;
using baseline::KrigingSettings;

namespace {

/// Values (h,w,C) at known cells, NaN elsewhere.
std::vector<float> poisoned(const data::Grid& grid, const data::Patch& patch, const std::vector<std::uint8_t>& known,
                            int channels) {
  std::vector<float> values;
  for (int y = 0; y < patch.height; ++y)
    for (int x = 0; x < patch.width; ++x)
      for (int c = 0; c < channels; ++c)
        values.push_back(known[static_cast<std::size_t>(y * patch.width + x)] != 0
                             ? test::wave(grid, patch.y + y, (patch.x + x) % grid.width(), c)
                             : data::not_observed);
  return values;
}

std::vector<float> predict(const Kriging& kriging, const data::Patch& patch, const std::vector<std::uint8_t>& known,
                           const std::vector<float>& values, int channels, int threads = 1) {
  std::vector<float> out(values.size());
  kriging.predict(patch, known.data(), values.data(), channels, out.data(), threads);
  return out;
}

}  // namespace

TEST_CASE("Kriging: one and two neighbours by hand") {
  const data::Grid grid = test::plane(1, 4);
  const Kriging kriging(grid, {.kind = CorrelationKind::exponential, .length = 2, .nugget = 0.1});
  const float nan = data::not_observed;
  const auto one = predict(kriging, data::whole(grid), {1, 0, 0, 0}, {3, nan, nan, nan}, 1);
  CHECK(one[0] == 3);
  CHECK(one[1] == Approx(3 * std::exp(-0.5) / 1.1));
  CHECK(one[3] == Approx(3 * std::exp(-1.5) / 1.1));
  // Cells 0 and 2 known: K = [1.1 c; c 1.1] with c = e^-1; cell 1 sees both with e^-1/2: weights e^-1/2 / (1.1 + c).
  const auto two = predict(kriging, data::whole(grid), {1, 0, 1, 0}, {3, nan, -1, nan}, 1);
  CHECK(two[1] == Approx(2 * std::exp(-0.5) / (1.1 + std::exp(-1.0))));
  CHECK(two[2] == -1);
}

TEST_CASE("Kriging: the expected error by hand: nothing known, one cell, two cells, and cells that are known") {
  const data::Grid grid = test::plane(1, 4);
  const Kriging kriging(grid, {.kind = CorrelationKind::exponential, .length = 2, .nugget = 0.1});
  Kriging::Workspace workspace;
  std::vector<float> out(4);
  const auto expect = [&](const std::vector<std::uint8_t>& known) {
    kriging.deviation(data::whole(grid), known.data(), out.data(), workspace);
    return out;
  };
  CHECK(expect({0, 0, 0, 0})[2] == Approx(std::sqrt(1.1)));
  const auto one = expect({1, 0, 0, 0});
  CHECK(one[0] == 0);
  CHECK(one[1] == Approx(std::sqrt(1.1 - std::exp(-1.0) / 1.1)));
  CHECK(one[3] == Approx(std::sqrt(1.1 - std::exp(-3.0) / 1.1)));
  CHECK(expect({1, 0, 1, 0})[1] == Approx(std::sqrt(1.1 - 2 * std::exp(-1.0) / (1.1 + std::exp(-1.0)))));
  CHECK(expect({1, 1, 1, 1}) == std::vector<float>(4, 0.0f));
}

TEST_CASE("Kriging: the expected error is the error over many fields, in tiles as in one system") {
  const data::Grid grid = test::globe(10);
  const Correlation c{.length = 2000, .nugget = 0.05};
  const auto known = test::random_mask(grid.cells(), 0.3, 11);
  const std::size_t cells = static_cast<std::size_t>(grid.cells());
  const auto expected = [&](const KrigingSettings& s, int threads) {
    Kriging::Workspace workspace;
    std::vector<float> out(cells);
    Kriging(grid, c, s).deviation(data::whole(grid), known.data(), out.data(), workspace, threads);
    return out;
  };
  const auto dense = expected({.max_neighbours = 100000}, 1), tiled = expected({.max_neighbours = 100}, 1);
  CHECK(test::relative_difference(tiled, dense) < 0.05);
  CHECK(expected({.max_neighbours = 100}, 3) == tiled);

  // Fields with that covariance, kriged with it.
  constexpr int fields = 1500;
  const Eigen::MatrixXd drawn = test::gaussian_fields(grid, c, fields, 3);
  std::vector<float> values(cells * fields);
  for (std::size_t i = 0; i < cells; ++i)
    for (int k = 0; k < fields; ++k)
      values[i * fields + static_cast<std::size_t>(k)] =
          known[i] != 0 ? static_cast<float>(drawn(static_cast<int>(i), k)) : data::not_observed;
  const auto filled = predict(Kriging(grid, c, {.max_neighbours = 100000}), data::whole(grid), known, values, fields);
  double worst = 0;
  for (std::size_t i = 0; i < cells; ++i) {
    if (known[i] != 0) continue;
    double squares = 0;
    for (int k = 0; k < fields; ++k)
      squares +=
          std::pow(static_cast<double>(filled[i * fields + static_cast<std::size_t>(k)]) - drawn(static_cast<int>(i), k), 2);
    worst = std::max(worst, std::abs(std::sqrt(squares / fields) / static_cast<double>(dense[i]) - 1.0));
  }
  CHECK(worst < 0.09);  // five standard errors of a deviation over 1500 fields
}

TEST_CASE("Kriging: known cells keep their values, unknown ones are never read, no known cell gives the mean") {
  const data::Grid grid = test::globe(10);
  const Kriging kriging(grid, {.length = 2000, .nugget = 0.3});
  const auto known = test::random_mask(grid.cells(), 0.3, 1);
  const auto values = poisoned(grid, data::whole(grid), known, 2);
  const auto out = predict(kriging, data::whole(grid), known, values, 2);
  CHECK(test::all_finite(out));
  bool kept = true;
  for (std::size_t i = 0; i < out.size(); ++i) kept &= known[i / 2] == 0 || out[i] == values[i];
  CHECK(kept);
  const std::vector<std::uint8_t> none(known.size(), 0);
  const auto mean = predict(kriging, data::whole(grid), none, std::vector<float>(values.size(), data::not_observed), 2);
  CHECK(mean == std::vector<float>(values.size(), 0.0f));
}

TEST_CASE("Kriging: tiles come close to the dense solution") {
  const data::Grid grid = test::globe(6);  // 30 x 60
  for (const CorrelationKind kind : {CorrelationKind::matern32, CorrelationKind::exponential}) {
    const Correlation c{.kind = kind, .length = 1500, .nugget = 0.01, .stretch = 1.3};
    const auto known = test::random_mask(grid.cells(), 0.25, 2);
    const auto values = poisoned(grid, data::whole(grid), known, 3);
    const auto dense = predict(Kriging(grid, c, {.max_neighbours = 100000}), data::whole(grid), known, values, 3);
    const auto tiled = predict(Kriging(grid, c, {.max_neighbours = 150}), data::whole(grid), known, values, 3);
    CHECK(test::relative_difference(tiled, dense) < 0.05);
    CHECK(tiled != dense);
  }
}

TEST_CASE("Kriging: a hole is filled from all its sides, close to the dense solution") {
  const data::Grid grid = test::globe(6);
  std::vector<std::uint8_t> known(static_cast<std::size_t>(grid.cells()), 1);
  for (int y = 10; y < 20; ++y)
    for (int x = 50; x < 70; ++x) known[static_cast<std::size_t>(y * 60 + x % 60)] = 0;
  const Correlation c{.length = 1500, .nugget = 0.01};
  const auto values = poisoned(grid, data::whole(grid), known, 1);
  const auto dense = predict(Kriging(grid, c, {.max_neighbours = 100000}), data::whole(grid), known, values, 1);
  const auto tiled = predict(Kriging(grid, c, {.max_neighbours = 250}), data::whole(grid), known, values, 1);
  CHECK(test::relative_difference(tiled, dense) < 0.05);
}

TEST_CASE("Kriging: turning the globe turns the answer, and the date line is no edge") {
  const data::Grid grid = test::globe(10);
  const Kriging kriging(grid, {.length = 2000, .nugget = 0.01, .stretch = 1.5});
  const int w = grid.width(), shift = 11;
  const auto known = test::random_mask(grid.cells(), 0.3, 4);
  const auto values = poisoned(grid, data::whole(grid), known, 1);
  auto turned_known = known;
  auto turned = values;
  for (int y = 0; y < grid.height(); ++y)
    for (int x = 0; x < w; ++x) {
      turned_known[static_cast<std::size_t>(y * w + (x + shift) % w)] = known[static_cast<std::size_t>(y * w + x)];
      turned[static_cast<std::size_t>(y * w + (x + shift) % w)] = values[static_cast<std::size_t>(y * w + x)];
    }
  const auto a = predict(kriging, data::whole(grid), known, values, 1),
             b = predict(kriging, data::whole(grid), turned_known, turned, 1);
  std::vector<float> back(a.size());
  for (int y = 0; y < grid.height(); ++y)
    for (int x = 0; x < w; ++x) back[static_cast<std::size_t>(y * w + x)] = b[static_cast<std::size_t>(y * w + (x + shift) % w)];
  CHECK(test::relative_difference(back, a) < 1e-3);

  const data::Patch across{3, 30, 8, 14}, inside{3, 10, 8, 14};
  const auto mask = test::random_mask(across.cells(), 0.4, 5);
  const auto crossing = poisoned(grid, inside, mask, 1);
  CHECK(test::relative_difference(predict(kriging, across, mask, crossing, 1), predict(kriging, inside, mask, crossing, 1)) <
        1e-4);
}

TEST_CASE("Kriging: the same bits again, with any number of threads and a used workspace") {
  const data::Grid grid = test::globe(6);
  const Kriging kriging(grid, {.length = 1500, .nugget = 0.01}, {.max_neighbours = 120});
  const auto known = test::random_mask(grid.cells(), 0.3, 6);
  const auto values = poisoned(grid, data::whole(grid), known, 2);
  const auto once = predict(kriging, data::whole(grid), known, values, 2, 1);
  CHECK(predict(kriging, data::whole(grid), known, values, 2, 3) == once);
  Kriging::Workspace workspace;
  std::vector<float> out(values.size()), small(5 * 5);
  const auto few = test::random_mask(25, 0.5, 7);
  kriging.predict(data::whole(grid), known.data(), values.data(), 2, out.data(), workspace);
  kriging.predict({2, 3, 5, 5}, few.data(), values.data(), 1, small.data(), workspace);
  kriging.predict(data::whole(grid), known.data(), values.data(), 2, out.data(), workspace);
  CHECK(out == once);
}

TEST_CASE("Kriging: cells at one place, as at a pole, do not break the factorisation") {
  data::Grid grid = test::globe(10);
  grid.y.front() = -90;
  const Kriging kriging(grid, {.length = 20000, .nugget = 0});
  const std::vector<std::uint8_t> known = test::random_mask(grid.cells(), 0.7, 8);
  CHECK(test::all_finite(predict(kriging, data::whole(grid), known, poisoned(grid, data::whole(grid), known, 1), 1)));
}

TEST_CASE("Kriging: columns with unequal spacing") {
  data::Grid grid = test::plane(6, 7);
  const Correlation c{.length = 2, .nugget = 0.01};
  const auto known = test::random_mask(grid.cells(), 0.4, 9);
  const auto values = poisoned(grid, data::whole(grid), known, 1);
  const auto even = predict(Kriging(grid, c), data::whole(grid), known, values, 1);
  for (double& x : grid.x) x += 1e-2 * std::sin(x);
  CHECK(test::relative_difference(predict(Kriging(grid, c), data::whole(grid), known, values, 1), even) < 0.1);
}

TEST_CASE("Kriging: a patch outside the grid is refused") {
  const data::Grid grid = test::plane(6, 7);
  const Kriging kriging(grid, {.length = 2});
  std::vector<float> out(20);
  const std::vector<std::uint8_t> known(20, 1);
  CHECK_THROWS_AS(kriging.predict({3, 0, 4, 5}, known.data(), out.data(), 1, out.data()), ShapeError);
  CHECK_THROWS_AS(kriging.predict({0, 4, 4, 5}, known.data(), out.data(), 1, out.data()), ShapeError);
}
