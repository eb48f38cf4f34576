#include "lacuna/schedule/variance_preserving.hpp"

#include <cmath>

#include "catch.hpp"

using lacuna::schedule::VariancePreserving;

TEST_CASE("Variance preserving: alpha and sigma at the ends") {
  const VariancePreserving s;
  CHECK(s.alpha(0.0) == 1.0);
  CHECK(s.sigma(0.0) == 0.0);
  CHECK(s.alpha(1.0) == Approx(std::exp(-0.25 * 19.9 - 0.05)).epsilon(1e-14));
  CHECK(s.sigma(1.0) == Approx(std::sqrt(1 - std::exp(-0.5 * 19.9 - 0.1))).epsilon(1e-14));
}

TEST_CASE("Variance preserving: variance is preserved, and the signal-to-noise ratio falls strictly") {
  const VariancePreserving s;
  double before = s.log_snr(lacuna::schedule::smallest_time / 2);
  for (int i = 0; i <= 1000; ++i) {
    const double t = lacuna::schedule::smallest_time + (1 - lacuna::schedule::smallest_time) * i / 1000.0;
    CHECK(s.alpha(t) * s.alpha(t) + s.sigma(t) * s.sigma(t) == Approx(1.0).epsilon(1e-14));
    CHECK(s.log_snr(t) == Approx(2 * std::log(s.alpha(t) / s.sigma(t))).epsilon(1e-9).margin(1e-9));
    REQUIRE(s.log_snr(t) < before);
    before = s.log_snr(t);
  }
}

TEST_CASE("Variance preserving: sigma keeps its digits at small times") {
  const VariancePreserving s;
  for (const double t : {1e-3, 1e-6, 1e-9, 1e-12}) {
    const double z = 0.5 * t * t * 19.9 + t * 0.1;  // -2 log alpha; 1 - exp(-z) by its series
    CHECK(s.sigma(t) == Approx(std::sqrt(z * (1 - z / 2 * (1 - z / 3 * (1 - z / 4))))).epsilon(1e-12));
  }
}

TEST_CASE("Variance preserving: log alpha is the integral of beta") {
  const VariancePreserving s{.beta_min = 0.3, .beta_max = 7.0};
  double integral = 0;  // of beta / 2 by the midpoint rule, exact for a straight line
  for (int i = 0; i < 100; ++i) integral += 0.5 * (0.3 + (7.0 - 0.3) * (i + 0.5) / 100 * 0.8) * 0.8 / 100;
  CHECK(s.log_alpha(0.8) == Approx(-integral).epsilon(1e-12));
}
