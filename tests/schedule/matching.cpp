#include "lacuna/schedule/matching.hpp"

#include <Eigen/Dense>
#include <cmath>
#include <limits>

#include "catch.hpp"
#include "lacuna/schedule/cosine.hpp"
#include "lacuna/schedule/rectified_flow.hpp"
#include "lacuna/schedule/variance_exploding.hpp"
#include "lacuna/schedule/variance_preserving.hpp"

using namespace lacuna;
using namespace lacuna::schedule;

namespace {

constexpr double rounding = std::numeric_limits<double>::epsilon();
constexpr double x0 = 0.7, eps = -1.3;

/// Calls check(alpha, sigma) for all schedules at times that crowd at both ends; the ends themselves included.
template <class Check>
void at_all_levels(const Check& check) {
  const auto along = [&](const auto& s) {
    for (const double t : {0.0, 1e-12, 1e-6, smallest_time, 0.1, 0.5, 0.9, 0.999, 1 - 1e-6, 1 - 1e-12, 1.0}) {
      INFO("t " << t << ", alpha " << s.alpha(t) << ", sigma " << s.sigma(t));
      check(s.alpha(t), s.sigma(t));
    }
  };
  along(VariancePreserving{});
  along(Cosine{});
  along(RectifiedFlow{});
  along(VarianceExploding{});
}

/// What B is to answer, from A's right answer alone.
template <class A, class B>
double converted(const A& a, const B& b, double alpha, double sigma) {
  const double noisy = alpha * x0 + sigma * eps, answer = a.target(alpha, sigma, x0, eps);
  return b.target(alpha, sigma, a.clean(alpha, sigma, noisy, answer), a.noise(alpha, sigma, noisy, answer));
}

}  // namespace

TEST_CASE("matchings: by hand at alpha 0.6, sigma 0.8") {
  CHECK(DataMatching{}.target(0.6, 0.8, x0, eps) == x0);
  CHECK(NoiseMatching{}.target(0.6, 0.8, x0, eps) == eps);
  CHECK(VelocityMatching{}.target(0.6, 0.8, x0, eps) == Approx(0.6 * -1.3 - 0.8 * 0.7));
  CHECK(VelocityMatching{}.target(3.0, 4.0, x0, eps) == Approx(0.6 * -1.3 - 0.8 * 0.7));  // the direction alone counts
  const double noisy = 0.6 * 0.7 + 0.8 * -1.3;
  CHECK(DataMatching{}.noise(0.6, 0.8, noisy, 0.5) == Approx((noisy - 0.3) / 0.8));
  CHECK(NoiseMatching{}.clean(0.6, 0.8, noisy, 0.5) == Approx((noisy - 0.4) / 0.6));
  CHECK(VelocityMatching{}.clean(0.6, 0.8, noisy, 0.5) == Approx(0.6 * noisy - 0.4));
}

TEST_CASE("matchings: velocity gives x0 and noise to rounding at both ends of every schedule") {
  const VelocityMatching v;
  at_all_levels([&](double alpha, double sigma) {
    const double noisy = alpha * x0 + sigma * eps, answer = v.target(alpha, sigma, x0, eps);
    // A noisy value of size r holds x0 to r rounding, divided by r again.
    CHECK(std::abs(v.clean(alpha, sigma, noisy, answer) - x0) < 16 * rounding);
    CHECK(std::abs(v.noise(alpha, sigma, noisy, answer) - eps) < 16 * rounding);
  });
}

TEST_CASE("matchings: data and noise lose what the level loses, and are refused where nothing is left") {
  int refused = 0;
  at_all_levels([&](double alpha, double sigma) {
    const double noisy = alpha * x0 + sigma * eps;
    CHECK(DataMatching{}.clean(alpha, sigma, noisy, x0) == x0);
    CHECK(NoiseMatching{}.noise(alpha, sigma, noisy, eps) == eps);
    if (alpha > 0) {
      CHECK(std::abs(NoiseMatching{}.clean(alpha, sigma, noisy, eps) - x0) < 8 * rounding * (1 + sigma / alpha));
    } else {
      CHECK_THROWS_AS(NoiseMatching{}.clean(alpha, sigma, noisy, eps), OptionError);
      ++refused;
    }
    if (sigma > 0) {
      CHECK(std::abs(DataMatching{}.noise(alpha, sigma, noisy, x0) - eps) < 8 * rounding * (1 + alpha / sigma));
    } else {
      CHECK_THROWS_AS(DataMatching{}.noise(alpha, sigma, noisy, x0), OptionError);
      ++refused;
    }
  });
  CHECK(refused == 2 + 3);  // alpha = 0: Cosine and RectifiedFlow at t = 1; sigma = 0: those and VariancePreserving at t = 0
}

TEST_CASE("matchings: every conversion and its way back, for every schedule") {
  const DataMatching data;
  const NoiseMatching noise;
  const VelocityMatching velocity;
  at_all_levels([&](double alpha, double sigma) {
    if (alpha == 0 || sigma == 0) return;
    const double loss = 64 * rounding * (1 + sigma / alpha + alpha / sigma);
    const auto v = velocity.target(alpha, sigma, x0, eps);
    CHECK(std::abs(converted(data, noise, alpha, sigma) - eps) < loss);
    CHECK(std::abs(converted(data, velocity, alpha, sigma) - v) < loss);
    CHECK(std::abs(converted(noise, data, alpha, sigma) - x0) < loss);
    CHECK(std::abs(converted(noise, velocity, alpha, sigma) - v) < loss);
    CHECK(std::abs(converted(velocity, data, alpha, sigma) - x0) < loss);
    CHECK(std::abs(converted(velocity, noise, alpha, sigma) - eps) < loss);
  });
}

TEST_CASE("matchings: the noise that E[x0 | x_t] implies is -sigma times the score") {
  // x0 ~ N(mu, S) with correlation 0.8: score = -(alpha^2 S + sigma^2)^-1 (x_t - alpha mu).
  const Eigen::Vector2d mu(0.5, -1.0), state(0.9, 0.4);
  Eigen::Matrix2d covariance;
  covariance << 1.0, 0.8, 0.8, 1.0;
  const VariancePreserving s;
  for (const double t : {smallest_time, 0.2, 0.7, 1.0}) {
    const double alpha = s.alpha(t), sigma = s.sigma(t);
    const Eigen::Matrix2d noisy = alpha * alpha * covariance + sigma * sigma * Eigen::Matrix2d::Identity();
    const Eigen::Vector2d surprise = noisy.inverse() * (state - alpha * mu), estimate = mu + alpha * covariance * surprise;
    for (int i = 0; i < 2; ++i)
      CHECK(DataMatching{}.noise(alpha, sigma, state[i], estimate[i]) == Approx(sigma * surprise[i]).epsilon(1e-9));
  }
}
