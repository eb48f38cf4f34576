#include "lacuna/sampler/time_path.hpp"

#include <limits>

#include "catch.hpp"
#include "lacuna/schedule/rectified_flow.hpp"
#include "lacuna/schedule/variance_exploding.hpp"
#include "lacuna/schedule/variance_preserving.hpp"

using namespace lacuna;
using namespace lacuna::sampler;
using schedule::RectifiedFlow;
using schedule::VariancePreserving;

namespace {

struct Rising {  // its log-SNR rises again after t = 1/2
  double alpha(double) const { return 1; }
  double sigma(double t) const { return std::exp(-0.5 * log_snr(t)); }
  double log_snr(double t) const { return (t - 0.5) * (t - 0.5); }
  double time_of_log_snr(double l) const { return 0.5 - std::sqrt(l); }
};

}  // namespace

TEST_CASE("a grid runs from its begin to its end in equal steps of time or log-SNR") {
  const VariancePreserving s;
  CHECK(time_grid(RectifiedFlow{}, {.steps = 4, .end = 0}) == std::vector<double>{1, 0.75, 0.5, 0.25, 0});
  const auto grid = time_grid(s, {.steps = 5, .spacing = Spacing::log_snr});
  REQUIRE(grid.size() == 6);
  CHECK(grid.front() == 1);
  CHECK(grid.back() == schedule::smallest_time);
  const double step = (s.log_snr(grid.back()) - s.log_snr(1)) / 5;
  for (std::size_t i = 0; i < 5; ++i) CHECK(s.log_snr(grid[i + 1]) - s.log_snr(grid[i]) == Approx(step));
}

TEST_CASE("resampling goes back over every stretch, a restart over one") {
  const std::vector<double> grid{1, 0.8, 0.6, 0.4, 0.2, 0};
  CHECK(with_resampling(grid, 2, 1) == grid);
  CHECK(with_resampling(grid, 2, 2) == std::vector<double>{1, 0.8, 0.6, 1, 0.8, 0.6, 0.4, 0.2, 0.6, 0.4, 0.2, 0, 0.2, 0});
  CHECK(with_restarts(grid, 0.21, 0.59, 0) == grid);
  CHECK(with_restarts(grid, 0.21, 0.59, 2) == std::vector<double>{1, 0.8, 0.6, 0.4, 0.2, 0.6, 0.4, 0.2, 0.6, 0.4, 0.2, 0});
}

TEST_CASE("levels along a path are the schedule's") {
  const auto levels = levels_along(RectifiedFlow{}, {1, 0.25, 0.5, 0});
  REQUIRE(levels.size() == 4);
  CHECK(levels[0].alpha == 0);
  CHECK(levels[1].sigma == 0.25);
  CHECK(levels[2].log_snr == Approx(0).margin(1e-15));
  CHECK(levels[3].log_snr == std::numeric_limits<double>::infinity());
}

TEST_CASE("grids and paths that make no sense are refused") {
  const VariancePreserving s;
  CHECK_THROWS_AS(time_grid(s, {.steps = 0}), OptionError);
  CHECK_THROWS_AS(time_grid(s, {.begin = 1.5}), OptionError);
  CHECK_THROWS_AS(time_grid(s, {.end = -0.1}), OptionError);
  CHECK_THROWS_AS(time_grid(s, {.begin = 0.2, .end = 0.3}), OptionError);
  CHECK_THROWS_AS(time_grid(s, {.end = std::numeric_limits<double>::quiet_NaN()}), OptionError);
  CHECK_THROWS_WITH(time_grid(RectifiedFlow{}, {.spacing = Spacing::log_snr}), Catch::Matchers::Contains("infinite at 1"));
  CHECK_THROWS_AS(with_resampling({1, 0}, 0, 2), OptionError);
  CHECK_THROWS_AS(with_resampling({1, 0}, 1, 0), OptionError);
  CHECK_THROWS_AS(with_restarts({1, 0.5, 0}, 0.5, 0.5, 2), OptionError);
  CHECK_THROWS_AS(with_restarts({1, 0.5, 0}, 0.0, 0.5, -1), OptionError);
  CHECK_THROWS_AS(levels_along(s, {1}), OptionError);
  CHECK_THROWS_AS(levels_along(s, {1, 0.5, 0.5}), OptionError);
  CHECK_THROWS_AS(levels_along(s, {0.5, 1, 0.5}), OptionError);
  CHECK_THROWS_AS(levels_along(s, {1.1, 0.5}), OptionError);
  CHECK_THROWS_WITH(levels_along(Rising{}, {1, 0.5}), Catch::Matchers::Contains("not monotone"));
  CHECK_THROWS_AS(levels_along(schedule::VarianceExploding{.sigma_min = -1}, {1, 0}), OptionError);
}
