#include "lacuna/baseline/covariance.hpp"

#include <Eigen/Cholesky>

#include "baseline/maker.hpp"
#include "catch.hpp"

using namespace lacuna;
using baseline::Correlation;
using baseline::CorrelationKind;
using baseline::Covariance;
using baseline::CovarianceTable;

TEST_CASE("Correlation: closed forms") {
  CHECK(baseline::correlation(CorrelationKind::exponential, 2) == Approx(std::exp(-2.0)));
  CHECK(baseline::correlation(CorrelationKind::matern32, 0) == Approx(1));
  CHECK(baseline::correlation(CorrelationKind::matern32, 1) == Approx((1 + std::sqrt(3.0)) * std::exp(-std::sqrt(3.0))));
}

TEST_CASE("Covariance: isotropic on the sphere by chords, stretched to east and west") {
  const data::Grid grid = test::globe(10);
  const Covariance plain(grid, {.length = 2000});
  const double chord = 2 * baseline::earth_radius * std::sin(baseline::radians(5));
  CHECK(plain(8, 3, 9, 3) == Approx(baseline::correlation(CorrelationKind::matern32, chord / 2000)));
  CHECK(plain(4, 5, 4, 5) == Approx(1));
  CHECK(plain(4, 0, 4, 35) == Approx(plain(4, 0, 4, 1)));
  const Covariance stretched(grid, {.length = 2000, .stretch = 2});
  CHECK(stretched(8, 3, 9, 3) == Approx(plain(8, 3, 9, 3)));
  CHECK(stretched(8, 3, 8, 4) > plain(8, 3, 8, 4) + 0.05);
  CHECK(stretched(2, 7, 6, 11) == Approx(stretched(6, 11, 2, 7)));
}

TEST_CASE("Covariance: positive definite on the whole sphere, whatever the stretch") {
  const data::Grid grid = test::globe(15);
  const int n = grid.cells();
  for (const double stretch : {0.5, 1.0, 2.5}) {
    const Covariance covariance(grid, {.length = 2500, .stretch = stretch});
    Eigen::MatrixXd matrix(n, n);
    for (int i = 0; i < n; ++i)
      for (int j = 0; j < n; ++j)
        matrix(i, j) = covariance(i / grid.width(), i % grid.width(), j / grid.width(), j % grid.width());
    matrix.diagonal().array() += 1e-9;
    CHECK(Eigen::LLT<Eigen::MatrixXd>(matrix).info() == Eigen::Success);
  }
}

TEST_CASE("CovarianceTable: equals the formula, within its reach and beyond") {
  const Correlation c{.length = 1500, .stretch = 1.4};
  data::Grid uneven = test::plane(7, 9);
  uneven.x[4] += 0.3;
  for (const data::Grid& grid : {test::globe(15), test::plane(7, 9), test::plane(6, 8, true), uneven})
    for (const std::size_t budget : {std::size_t{0}, std::size_t{2000}, std::size_t{1} << 20}) {
      Correlation scaled = c;
      if (!grid.geographic) scaled.length = 3;
      const CovarianceTable table(grid, scaled, budget);
      const Covariance exact(grid, scaled);
      std::vector<float> scratch(static_cast<std::size_t>(grid.width()));
      double worst = 0;
      for (int ya = 0; ya < grid.height(); ++ya)
        for (int yb = 0; yb < grid.height(); ++yb)
          for (int xa = 0; xa < grid.width(); ++xa) {
            const float* run = table.run(ya, xa, yb, 0, grid.width(), scratch.data());
            for (int xb = 0; xb < grid.width(); ++xb) {
              const double expected = exact(ya, xa, yb, xb);
              worst = std::max({worst, std::abs(static_cast<double>(table(ya, xa, yb, xb)) - expected),
                                std::abs(static_cast<double>(run[xb]) - expected)});
            }
          }
      CHECK(worst < 1e-6);
    }
}

TEST_CASE("Covariance: nonsense is refused") {
  const data::Grid grid = test::plane(3, 3);
  CHECK_THROWS_AS(Covariance(grid, {.length = 0}), OptionError);
  CHECK_THROWS_AS(Covariance(grid, {.length = 1, .nugget = -1}), OptionError);
  CHECK_THROWS_AS(Covariance(grid, {.length = 1, .stretch = 0}), OptionError);
}
