#include "lacuna/theory/gaussian.hpp"

#include <Eigen/LU>
#include <limits>

#include "catch.hpp"
#include "theory/line.hpp"

using namespace lacuna;
using namespace lacuna::theory;
using test::line;
using test::none_of;

namespace {

constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();

Eigen::VectorXd vector_of(std::span<const double> x) {
  return Eigen::Map<const Eigen::VectorXd>(x.data(), static_cast<Eigen::Index>(x.size()));
}

}  // namespace

TEST_CASE("Gaussian: two correlated numbers by hand") {
  const Gaussian prior(Eigen::Vector2d(1, 2), Eigen::Matrix2d{{4, 2}, {2, 3}});
  const std::vector<std::uint8_t> first{1, 0};
  const auto exact = prior.given(first, std::vector<double>{3, nan_value});
  CHECK(exact.mean()[0] == Approx(3));
  CHECK(exact.mean()[1] == Approx(2 + 2.0 / 4 * 2));
  CHECK(exact.covariance()(1, 1) == Approx(3 - 4.0 / 4));
  CHECK(exact.covariance()(0, 0) == Approx(0).margin(1e-15));
  const auto noisy = prior.given(first, std::vector<double>{3, nan_value}, {0.5, 2});  // variance of 0.5 x + 2 eps: 1 + 4
  CHECK(noisy.mean()[0] == Approx(1 + 0.5 * 4 / 5 * (3 - 0.5)));
  CHECK(noisy.mean()[1] == Approx(2 + 0.5 * 2 / 5 * (3 - 0.5)));
  CHECK(noisy.covariance()(0, 0) == Approx(4 - 4.0 / 5));
}

TEST_CASE("Gaussian: nothing known gives the prior, all known exactly gives the values") {
  const auto prior = line(7, 2.0);
  const std::vector<std::uint8_t> none(7, 0), all(7, 1);
  const std::vector<double> values{1, 2, 3, 4, 5, 6, 7}, nothing(7, nan_value);
  CHECK(prior.given(none, nothing).covariance().isApprox(prior.covariance()));
  CHECK(prior.given(all, values).mean().isApprox(vector_of(values), 1e-9));
  CHECK(prior.given(all, values).total_variance() == Approx(0).margin(1e-9));
}

TEST_CASE("Gaussian: knowing one thing after another is knowing both, and a singular law stays a law") {
  const auto prior = line(8, 3.0);
  const std::vector<std::uint8_t> left{1, 1, 0, 0, 0, 0, 0, 0}, right{0, 0, 0, 0, 0, 1, 0, 1}, both{1, 1, 0, 0, 0, 1, 0, 1};
  const std::vector<double> values{0.3, -0.2, nan_value, nan_value, nan_value, 1.1, nan_value, 0.9};
  for (const Level level : {Level{1, 0}, Level{0.8, 0.6}}) {
    const auto once = prior.given(both, values, level), twice = prior.given(left, values, level).given(right, values, level);
    CHECK(once.mean().isApprox(twice.mean(), 1e-8));
    CHECK(once.covariance().isApprox(twice.covariance(), 1e-8));
  }
  CHECK(prior.given(both, values).given(both, values).mean().isApprox(prior.given(both, values).mean(), 1e-8));
}

TEST_CASE("Gaussian: the mean error of the conditional mean is the conditional variance") {
  const auto prior = line(6, 1.5);
  const std::vector<std::uint8_t> known{1, 0, 0, 1, 0, 0};
  const Level level{0.7, 0.4};
  const Eigen::MatrixXd root = prior.root();
  CHECK((root * root.transpose()).isApprox(prior.covariance(), 1e-10));
  double error = 0;
  constexpr int draws = 20000;
  const Eigen::MatrixXd gain = prior.gain(known, level);
  for (std::uint64_t k = 0; k < draws; ++k) {
    const Eigen::VectorXd x = prior.mean() + root * standard_normal(6, philox_key(1, Purpose::initial), k);
    const Eigen::VectorXd y = level.alpha * x + level.sigma * standard_normal(6, philox_key(1, Purpose::noise), k);
    error += (prior.mean() + gain * (y - level.alpha * prior.mean()) - x).squaredNorm() / draws;
  }
  // The relative deviation of a mean of `draws` sums of squares is below sqrt(2 / draws) = 0.01: three of them.
  CHECK(error == Approx(prior.given(known, std::vector<double>(6, 0.0), level).total_variance()).epsilon(0.03));
}

TEST_CASE("Equation 11: the squared difference of two conditional means is the difference of the variances") {
  const auto prior = line(9, 2.5);
  const std::vector<std::uint8_t> observed{1, 1, 0, 1, 0, 1, 1, 0, 1};
  for (const std::vector<std::uint8_t>& context : {std::vector<std::uint8_t>{1, 0, 0, 1, 0, 0, 1, 0, 0}, none_of(9), observed})
    for (const Level level : {Level{1, 1e-2}, Level{0.5, 0.8}, Level{0, 1}}) {
      const auto gap = information_gap(prior, context, observed, level);
      CHECK(gap.squared_difference == Approx(gap.variance_difference).epsilon(1e-8).margin(1e-10));
      CHECK(gap.squared_difference >= 0);
    }
  CHECK_THROWS_AS(information_gap(prior, std::vector<std::uint8_t>(9, 1), observed, {}), OptionError);
}

TEST_CASE("Equation 25: diffusion probabilistic fields, written out with Kronecker products") {
  const auto prior = line(5, 2.0);
  const std::vector<std::uint8_t> context{1, 0, 1, 0, 0}, query{1, 1, 0, 1, 0};
  const std::vector<double> z_context{0.5, nan_value, -0.3, nan_value, nan_value}, z_query{0.1, 0.9, nan_value, 0.4, nan_value};
  const Level level{0.9, 0.3};
  Eigen::MatrixXd select = Eigen::MatrixXd::Zero(5, 10), both(10, 10);
  Eigen::VectorXd y(5);
  const int rows[] = {0, 2, 5, 6, 8};
  for (int r = 0; r < 5; ++r) {
    select(r, rows[r]) = 1;
    y[r] = rows[r] < 5 ? z_context[static_cast<std::size_t>(rows[r])] : z_query[static_cast<std::size_t>(rows[r] - 5)];
  }
  both << prior.covariance(), prior.covariance(), prior.covariance(), prior.covariance();
  const Eigen::MatrixXd inner =
      select * (level.alpha * level.alpha * both + level.sigma * level.sigma * Eigen::MatrixXd::Identity(10, 10)) *
      select.transpose();
  Eigen::VectorXd mean_twice(10);
  mean_twice << prior.mean(), prior.mean();
  const Eigen::VectorXd expected = prior.mean() + level.alpha * both.topRows(5) * select.transpose() * inner.inverse() *
                                                      (y - level.alpha * select * mean_twice);
  const auto field = probabilistic_field(prior, context, z_context, query, z_query, level);
  CHECK(field.mean().isApprox(expected, 1e-10));
  // It depends on the query's values too, so it is not what a context alone tells.
  CHECK((field.mean() - prior.given(context, z_context, level).mean()).norm() > 0.1);
}

TEST_CASE("Gaussian: what is no law is refused") {
  CHECK_THROWS_AS(Gaussian(Eigen::VectorXd::Zero(2), Eigen::MatrixXd::Identity(3, 3)), ShapeError);
  CHECK_THROWS_AS(Gaussian(Eigen::VectorXd::Zero(2), (Eigen::Matrix2d{{1, 0.5}, {0, 1}})), OptionError);
  CHECK_THROWS_AS(Gaussian(Eigen::VectorXd::Zero(2), (Eigen::Matrix2d{{1, 2}, {2, 1}})), OptionError);
  CHECK_THROWS_AS(line(4, 1.0).given(std::vector<std::uint8_t>(3, 1), std::vector<double>(4, 0.0)), ShapeError);
}
