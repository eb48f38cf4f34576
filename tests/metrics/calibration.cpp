#include "lacuna/metrics/calibration.hpp"

#include <cmath>
#include <limits>

#include "catch.hpp"
#include "theory/line.hpp"

using namespace lacuna;
using namespace lacuna::metrics;

namespace {

double normal(std::uint64_t sample) { return static_cast<double>(normals(philox(philox_key(4, Purpose::noise), sample, 0))[0]); }

/// The score's definition: the integral of (F - step)^2.
double crps_by_integration(double error, double spread) {
  constexpr double step = 1e-3;
  double sum = 0;
  for (double x = -20; x < 20; x += step) {
    const double below = 0.5 * std::erfc(-(x - error) / (spread * std::sqrt(2.0)));
    sum += step * std::pow(below - (x + 0.5 * step > 0 ? 1.0 : 0.0), 2);
  }
  return sum;
}

}  // namespace

TEST_CASE("the score of a normal law is the integral that defines it") {
  for (const double error : {0.0, 0.7, -3.0})
    for (const double spread : {0.5, 2.0})
      CHECK(crps_normal(error, spread) == Approx(crps_by_integration(error, spread)).epsilon(2e-3));
  CHECK(crps_normal(0, 1) == Approx((std::sqrt(2.0) - 1) / std::sqrt(std::acos(-1.0))));
  CHECK(crps_normal(-1.5, 0) == 1.5);
  CHECK(crps_normal(1.5, 1e-9) == Approx(1.5));
}

TEST_CASE("the score of an ensemble by hand") {
  const std::vector<float> apart{0, 2}, same{1, 1}, three{4, 1, 2};
  CHECK(crps_ensemble(std::span(apart), 1.0) == Approx(1.0 - 1.0));
  CHECK(crps_ensemble(std::span(same), 3.0) == Approx(2.0));
  CHECK(crps_ensemble(std::span(three), 1.0) == Approx((3.0 + 0.0 + 1.0) / 3 - (3.0 + 2.0 + 1.0) / 6));
  CHECK_THROWS_AS(crps_ensemble(std::span(apart).first(1), 0.0), ShapeError);
}

TEST_CASE("few members score in the mean as the law that they come from") {
  double sum = 0;
  constexpr int trials = 20000;
  for (std::uint64_t i = 0; i < trials; ++i) {
    const std::vector<double> members{normal(3 * i), normal(3 * i + 1), normal(3 * i + 2)};
    sum += crps_ensemble(std::span(members), 0.8);
  }
  CHECK(sum / trials == Approx(crps_normal(0.8, 1.0)).epsilon(0.02));  // standard error 0.5 %
}

TEST_CASE("spreads that are right cover what they say; those that are half as large are told by their scale") {
  SpreadScores right, half;
  for (std::uint64_t i = 0; i < 20000; ++i) {
    const double spread = i % 2 == 0 ? 0.3 : 2.0;
    right.add(spread * normal(i), spread);
    half.add(spread * normal(i), 0.5 * spread);
  }
  CHECK(right.count() == 20000);
  CHECK(right.coverage(0) == Approx(0.5).margin(0.012));  // three standard errors
  CHECK(right.coverage(1) == Approx(0.9).margin(0.007));
  CHECK(right.scale() == Approx(1.0).epsilon(0.02));
  CHECK(half.scale() == Approx(2.0 * right.scale()));
  CHECK(half.coverage(1) == Approx(std::erf(0.5 * 1.6448536 / std::sqrt(2.0))).margin(0.012));
  CHECK(right.crps() < half.crps());
  CHECK_THROWS_AS(right.add(1.0, -1.0), OptionError);
}

TEST_CASE("without any spread an estimate is covered only where it is exact, and nothing scored is 0") {
  SpreadScores s;
  CHECK(s.coverage(0) == 0.0);
  CHECK(s.scale() == 0.0);
  s.add(0.0, 0.0);
  CHECK(s.coverage(0) == 1.0);
  s.add(0.1, 0.0);
  CHECK(s.coverage(1) == 0.5);
}

TEST_CASE("ranks count members below, and a tie is shared among its ranks") {
  EnsembleScores s(3);
  const std::vector<float> members{3, 1, 2}, flat{1, 1, 1};
  s.add(std::span(members), 0.5);
  s.add(std::span(members), 2.5);
  s.add(std::span(flat), 1.0);
  CHECK(s.ranks() == std::vector<double>{1.25, 0.25, 1.25, 0.25});
  CHECK(s.count() == 3);
  CHECK_THROWS_AS(s.add(std::span(members).first(2), 0.0), ShapeError);
  CHECK_THROWS_AS(EnsembleScores(1), OptionError);
}

TEST_CASE("coverage by ranks is exact for even ranks, and all or nothing for truths in the middle or outside") {
  EnsembleScores even(3), middle(3), outside(3);
  const std::vector<float> members{1, 2, 3};
  for (const double truth : {0.5, 1.5, 2.5, 3.5}) even.add(std::span(members), truth);
  middle.add(std::span(members), 1.5);
  outside.add(std::span(members), 9.0);
  for (const double share : {0.1, 0.5, 0.9}) CHECK(even.coverage(share) == Approx(share));
  CHECK(middle.coverage(0.5) == Approx(1.0));
  CHECK(outside.coverage(0.5) == Approx(0.0));
  CHECK(outside.coverage(0.9) == Approx(0.8));
}

TEST_CASE("exact posterior samples of a Gaussian: even ranks, nominal coverage, and the score of the closed form") {
  constexpr std::size_t members = 7, n = 8, trials = 3000;
  const auto prior = test::line(n, 2.0);
  const std::vector<std::uint8_t> observed{1, 0, 0, 1, 0, 0, 0, 1};
  const Eigen::MatrixXd root = prior.root();
  Eigen::MatrixXd posterior_root;
  double closed = 0, sampled = 0, covered = 0, narrow = 0;
  std::vector<double> ranks(members + 1, 0.0);
  for (std::uint64_t trial = 0; trial < trials; ++trial) {
    const Eigen::VectorXd x = prior.mean() + root * theory::standard_normal(n, philox_key(1, Purpose::initial), trial);
    const std::vector<double> truth(x.begin(), x.end());
    const auto law = prior.given(observed, truth);
    if (trial == 0) posterior_root = law.root();  // the same for all values
    std::vector<double> samples;
    for (std::uint64_t k = 0; k < members; ++k) {
      const Eigen::VectorXd s =
          law.mean() + posterior_root * theory::standard_normal(n, philox_key(2, Purpose::sampling), trial * members + k);
      samples.insert(samples.end(), s.begin(), s.end());
    }
    const auto scores = score_samples<double>(samples, truth, observed);
    REQUIRE(scores.count() == 5);
    for (std::size_t r = 0; r <= members; ++r) ranks[r] += scores.ranks()[r];
    sampled += scores.crps() / trials;
    covered += scores.coverage(0.9) / trials;
    // Samples that stand too close to their mean, as those of an overconfident model would.
    for (std::size_t i = 0; i < samples.size(); ++i) {
      const double centre = law.mean()[static_cast<Eigen::Index>(i % n)];
      samples[i] = centre + 0.5 * (samples[i] - centre);
    }
    narrow += score_samples<double>(samples, truth, observed).coverage(0.9) / trials;
    for (std::size_t i = 0; i < n; ++i)
      if (observed[i] == 0) {
        const auto at = static_cast<Eigen::Index>(i);
        closed += crps_normal(truth[i] - law.mean()[at], std::sqrt(law.covariance()(at, at))) / (5.0 * trials);
      }
  }
  double chi_square = 0;
  const double expected = 5.0 * trials / (members + 1);
  for (const double r : ranks) chi_square += (r - expected) * (r - expected) / expected;
  CHECK(chi_square < 40);  // 7 degrees of freedom, neighbours correlated: independent ones stay below 24 in 999 of 1000 cases
  CHECK(covered == Approx(0.9).margin(0.01));
  CHECK(narrow == Approx(0.7923).margin(0.01));  // 1 - 0.8 * integral of phi(x) Phi(2 x)^7
  CHECK(sampled == Approx(closed).epsilon(0.02));
}

TEST_CASE("a member or a truth that is not finite is an error, and leaves the scores as they are") {
  const double nan = std::nan(""), infinite = std::numeric_limits<double>::infinity();
  CHECK_THROWS_AS(crps_ensemble<double>(std::vector{0.0, nan, 1.0}, 0.5), DataError);
  CHECK_THROWS_AS(crps_ensemble<double>(std::vector{0.0, 1.0}, infinite), DataError);
  EnsembleScores scores(2);
  CHECK_THROWS_AS(scores.add<double>(std::vector{nan, 1.0}, 0.5), DataError);
  CHECK(scores.count() == 0);
  CHECK(scores.ranks() == std::vector<double>(3, 0.0));
}

TEST_CASE("what is observed or not known is not scored") {
  const std::vector<float> samples{0, 0, 0, 1, 1, 1}, truth{0.5f, std::nanf(""), 0.5f};
  const std::vector<std::uint8_t> observed{0, 0, 1};
  CHECK(score_samples<float>(samples, truth, observed).count() == 1);
  CHECK_THROWS_AS(score_samples<float>(samples, truth, std::span(observed).first(2)), ShapeError);
  CHECK_THROWS_AS(score_samples<float>(std::span(samples).first(3), truth, observed), OptionError);
}
