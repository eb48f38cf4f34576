#include "lacuna/schedule/noise_schedule.hpp"

#include <cmath>
#include <limits>

#include "catch.hpp"
#include "lacuna/schedule/cosine.hpp"
#include "lacuna/schedule/rectified_flow.hpp"
#include "lacuna/schedule/variance_exploding.hpp"
#include "lacuna/schedule/variance_preserving.hpp"

using namespace lacuna::schedule;

namespace {

template <NoiseSchedule S>
void check_schedule(const S& s) {
  double before = std::numeric_limits<double>::infinity();
  for (int i = 1; i < 400; ++i) {
    const double t = i / 400.0;
    INFO("t " << t);
    REQUIRE(s.log_snr(t) < before);
    before = s.log_snr(t);
    CHECK(s.log_snr(t) == Approx(2 * std::log(s.alpha(t) / s.sigma(t))).epsilon(1e-9).margin(1e-9));
    CHECK(s.time_of_log_snr(s.log_snr(t)) == Approx(t).epsilon(1e-12));
  }
  for (const double l : {-8.0, -3.0, 0.0, 3.0, 8.0})
    CHECK(s.log_snr(s.time_of_log_snr(l)) == Approx(l).epsilon(1e-9).margin(1e-9));
}

template <class S>
void check_variance_preserved(const S& s) {
  for (int i = 0; i <= 100; ++i) {
    const double a = s.alpha(i / 100.0), b = s.sigma(i / 100.0);
    CHECK(a * a + b * b == Approx(1).epsilon(1e-14));
  }
}

struct NoInverse {
  double alpha(double) const { return 1; }
  double sigma(double) const { return 1; }
  double log_snr(double) const { return 1; }
};

}  // namespace

TEST_CASE("schedules: log-SNR is that of the levels, falls, and its inverse returns") {
  check_schedule(VariancePreserving{});
  check_schedule(VariancePreserving{.beta_min = 5, .beta_max = 5});
  check_schedule(Cosine{});
  check_schedule(Cosine{.offset = 0});
  check_schedule(VarianceExploding{});
  check_schedule(VarianceExploding{.sigma_min = 0.01, .sigma_max = 50, .rho = 2});
  check_schedule(RectifiedFlow{});
}

TEST_CASE("schedules: closed forms") {
  const Cosine cosine{.offset = 0};
  CHECK(cosine.alpha(1.0 / 3) == Approx(std::cos(std::acos(-1.0) / 6)));
  CHECK(cosine.sigma(1.0 / 3) == Approx(0.5));
  CHECK(Cosine{}.alpha(0) == Approx(1));
  CHECK(Cosine{}.sigma(0) == 0);
  CHECK(Cosine{}.alpha(1) == 0);
  CHECK(Cosine{}.sigma(1) == Approx(1));
  CHECK(VarianceExploding{}.sigma(0) == Approx(0.002));
  CHECK(VarianceExploding{}.sigma(1) == Approx(80));
  // Step 9 of 18 of EDM's discretisation, written out.
  CHECK(VarianceExploding{}.sigma(1 - 9 / 17.0) ==
        Approx(std::pow(std::pow(80, 1 / 7.0) + 9 / 17.0 * (std::pow(0.002, 1 / 7.0) - std::pow(80, 1 / 7.0)), 7)));
  CHECK(RectifiedFlow{}.log_snr(0.5) == 0);
}

TEST_CASE("schedules: variance is preserved where it should be") {
  check_variance_preserved(VariancePreserving{});
  check_variance_preserved(Cosine{});
}

TEST_CASE("schedules: digits are kept near both ends") {
  for (const double t : {1e-3, 1e-6, 1e-9, 1e-12}) {
    const double z = 0.5 * t * t * 19.9 + t * 0.1;
    CHECK(VariancePreserving{}.time_of_log_snr(-std::log(z)) == Approx(t).epsilon(2e-3));  // log-SNR = -log z + O(z)
    CHECK(VariancePreserving{}.time_of_log_snr(VariancePreserving{}.log_snr(t)) == Approx(t).epsilon(1e-12));
    CHECK(Cosine{}.time_of_log_snr(Cosine{}.log_snr(t)) == Approx(t).epsilon(1e-12));
    CHECK(RectifiedFlow{}.time_of_log_snr(RectifiedFlow{}.log_snr(t)) == Approx(t).epsilon(1e-12));
    const double c = std::acos(-1.0) / 2;
    CHECK(Cosine{.offset = 0}.sigma(t) == Approx(c * t).epsilon(1e-5));
    CHECK(Cosine{.offset = 0}.alpha(1 - t) == Approx(std::sin(c * (1 - (1 - t)))).epsilon(1e-14));
    CHECK(RectifiedFlow{}.log_snr(1 - t) == Approx(2 * (std::log(1 - (1 - t)) - std::log1p(-t))).epsilon(1e-12));
  }
}

TEST_CASE("schedules: the concept tells a schedule from what lacks an inverse") {
  static_assert(HasAlpha<NoInverse> && HasSigma<NoInverse> && !HasLogSnr<NoInverse> && !NoiseSchedule<NoInverse>);
}
