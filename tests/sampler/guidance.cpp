#include "lacuna/sampler/guidance.hpp"

#include <limits>
#include <numeric>

#include "catch.hpp"
#include "lacuna/schedule/variance_preserving.hpp"
#include "sampler/exact.hpp"
#include "theory/line.hpp"

using namespace lacuna;
using namespace lacuna::sampler;
using schedule::VariancePreserving;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity(), nan_value = std::numeric_limits<double>::quiet_NaN();
constexpr int n = 5;
constexpr std::size_t members = 3000;

theory::Gaussian independent() { return {Eigen::VectorXd::Zero(n), Eigen::MatrixXd::Identity(n, n)}; }

/// Guided samples of independent standard normal numbers, nothing known exactly.
template <class P>
test::Moments guided(P& penalty) {
  const VariancePreserving vp;
  const test::KnownData<double> nothing(members, std::vector<double>(n, nan_value), test::none_of(n));
  theory::Oracle oracle(independent(), vp);
  Guided denoiser(oracle, penalty, vp);
  std::vector<double> state(n * members);
  Diffusion(vp, Heun{}, time_grid(vp, {.steps = 60, .spacing = Spacing::log_snr}))(
      denoiser, nothing.view(), {.seed = 4, .count = members}, std::span<double>(state));
  return test::moments(state, n);
}

/// Gradient of weight / 2 (sum of a member - total)^2: a conserved quantity.
struct Total {
  double weight, total;
  void operator()(std::span<const double> x, std::span<double> out) const {
    for (std::size_t m = 0; m < x.size(); m += n) {
      const double excess = std::accumulate(x.begin() + static_cast<long>(m), x.begin() + static_cast<long>(m) + n, 0.0) - total;
      std::fill_n(out.begin() + static_cast<long>(m), n, weight * excess);
    }
  }
};

}  // namespace

TEST_CASE("noisy observations of independent numbers: guided samples have the exact posterior") {
  const std::vector<double> y{1.0, nan_value, -0.5, 2.0, nan_value}, error{0.5, infinity, 1.0, 0.1, infinity};
  std::vector<double> all_y, all_error;
  for (std::size_t m = 0; m < members; ++m) {
    all_y.insert(all_y.end(), y.begin(), y.end());
    all_error.insert(all_error.end(), error.begin(), error.end());
  }
  ObservationMisfit<double> misfit(all_y, all_error);
  const auto m = guided(misfit);
  for (int i = 0; i < n; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const double precision = 1 + 1 / (error[at] * error[at]);  // 1 + 0 where nothing is known
    const double mean = precision == 1 ? 0.0 : y[at] / (error[at] * error[at]) / precision;
    const double deviation = 1 / std::sqrt(precision);
    INFO("element " << i);
    // Four standard errors of 3000 samples; the noise left at the end of the path has a deviation of 0.01.
    CHECK(std::abs(m.mean[i] - mean) < 4 * deviation / std::sqrt(3000.0));
    CHECK(std::sqrt(m.covariance(i, i)) == Approx(deviation).epsilon(4 / std::sqrt(6000.0)));
  }
}

TEST_CASE("a user's residual: a conserved total is approached as its penalty says") {
  // Curvature 5 weight = 0.1: the explicit step is within that of the exact posterior, mean 5 w 2 / (1 + 5 w) of the total.
  Residual<Total, double> residual(Total{0.02, 2.0});
  const auto m = guided(residual);
  CHECK(m.mean.sum() == Approx(2 * 0.1 / 1.1).margin(4 * std::sqrt(5.0 / 3000) + 0.02));
  Residual<Total, double> strong(Total{0.1, 2.0});
  const auto s = guided(strong);
  CHECK(s.mean.sum() > 2 * m.mean.sum());
  CHECK(s.covariance.sum() < m.covariance.sum());  // variance of the total
}

TEST_CASE("a residual's step is cut where it would be unstable, and settings below 0 are refused") {
  std::vector<double> estimate(n, 1.0);  // the total is 5, its gradient at weight 1: 5 in every element; curvature 5
  Residual<Total, double> cut(Total{1.0, 0.0}, 1e6, 0.2);
  cut(1.0, estimate);
  for (const double x : estimate) CHECK(x == Approx(0.0).margin(1e-14));
  estimate.assign(n, 1.0);
  Residual<Total, double> weak(Total{1.0, 0.0}, 0.01, 0.2);
  weak(0.5, estimate);
  for (const double x : estimate) CHECK(x == Approx(1 - 0.01 * 0.5 * 5));
  using Penalty = Residual<Total, double>;
  CHECK_THROWS_AS(Penalty(Total{1.0, 0.0}, -1.0), OptionError);
  CHECK_THROWS_AS(Penalty(Total{1.0, 0.0}, nan_value), OptionError);
  CHECK_THROWS_AS(Penalty(Total{1.0, 0.0}, 1.0, -1.0), OptionError);
}

TEST_CASE("guidance moves an estimate as its variance allows, and wrappers compose") {
  const VariancePreserving vp;
  theory::Oracle oracle(independent(), vp);
  ObservationMisfit<double> misfit({1, nan_value, 3, nan_value, nan_value}, {0, infinity, 1, infinity, infinity});
  Residual<Total, double> residual(Total{0.0, 0.0});
  Guided once(oracle, misfit, vp);
  Guided twice(once, residual, vp);
  const std::vector<double> state(n, 0.0);
  std::vector<double> estimate(n);
  twice({0.5, 0}, std::span<const double>(state), std::span<double>(estimate));
  const double v = once.variance(0.5);
  CHECK(v == Approx(std::pow(vp.sigma(0.5), 2)));
  CHECK(estimate[0] == 1);
  CHECK(estimate[1] == 0);
  CHECK(estimate[2] == Approx(3 * v / (v + 1)));
  CHECK(Guided(oracle, misfit, vp, 2.0).variance(1.0) == Approx(4).epsilon(1e-3));
}

TEST_CASE("guidance that turns non-finite says at which step; errors that are none are refused") {
  const VariancePreserving vp;
  theory::Oracle oracle(independent(), vp);
  const test::KnownData<double> nothing(1, std::vector<double>(n, nan_value), test::none_of(n));
  auto blows_up = [calls = 0](std::span<const double> x, std::span<double> out) mutable {
    std::fill(out.begin(), out.end(), ++calls == 3 ? nan_value : x[0]);
  };
  Residual<decltype(blows_up), double> residual(blows_up);
  Guided denoiser(oracle, residual, vp);
  std::vector<double> state(n);
  CHECK_THROWS_WITH(
      Diffusion(vp, FirstOrder{}, time_grid(vp, {.steps = 10}))(denoiser, nothing.view(), {}, std::span<double>(state)),
      Catch::Matchers::Contains("step 3 of 10"));
  CHECK_THROWS_AS(ObservationMisfit<double>({1}, {-1}), OptionError);
  CHECK_THROWS_AS(ObservationMisfit<double>({1}, {nan_value}), OptionError);
  CHECK_THROWS_AS(ObservationMisfit<double>({1}, {1, 2}), ShapeError);
  CHECK_THROWS_AS(Guided(oracle, residual, vp, 0.0), OptionError);
}
