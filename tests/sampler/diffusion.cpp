#include "lacuna/sampler/diffusion.hpp"

#include <limits>

#include "catch.hpp"
#include "lacuna/schedule/cosine.hpp"
#include "lacuna/schedule/rectified_flow.hpp"
#include "lacuna/schedule/variance_exploding.hpp"
#include "lacuna/schedule/variance_preserving.hpp"
#include "sampler/exact.hpp"
#include "theory/line.hpp"

using namespace lacuna;
using namespace lacuna::sampler;
using schedule::Cosine;
using schedule::RectifiedFlow;
using schedule::VarianceExploding;
using schedule::VariancePreserving;
using test::KnownData;
using test::line;

namespace {

constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();
constexpr int n = 6;
const std::vector<std::uint8_t> some{0, 1, 0, 0, 1, 0};
const std::vector<double> values{nan_value, 0.8, nan_value, nan_value, -0.5, nan_value};

/// The posterior of the line given two exact values.
theory::Gaussian posterior() { return line(n, 2.0).given(some, values); }

/// Distance of a solver's end from the exact flow's, nothing known, from one and the same start.
template <class Schedule, class S>
double error_of(const Schedule& schedule, const S& solver, int steps) {
  const auto law = line(n, 2.0);
  const std::vector<double> grid = time_grid(schedule, {.steps = steps, .begin = 0.9, .end = 0.05, .spacing = Spacing::log_snr});
  const KnownData<double> nothing(1, std::vector<double>(n, nan_value), test::none_of(n));
  theory::Oracle oracle(law, schedule);
  std::vector<double> state(n);
  Diffusion(schedule, solver, grid)(oracle, nothing.view(), {.seed = 3}, std::span<double>(state));
  Eigen::VectorXd start(n);
  draw_normals<double>({.seed = 3}, 0, {start.data(), n});
  const theory::Level from = theory::level_at(schedule, 0.9), to = theory::level_at(schedule, 0.05);
  return (Eigen::Map<Eigen::VectorXd>(state.data(), n) - theory::flow(law, from, to, from.sigma * start)).norm();
}

/// Samples of the posterior by the exact denoiser.
template <class T, class Schedule, class S>
test::Moments sample(const Schedule& schedule, const S& solver, const std::vector<double>& path, std::size_t members) {
  const KnownData<T> known(members, std::vector<T>(values.begin(), values.end()), some);
  theory::Oracle oracle(posterior(), schedule);
  std::vector<T> state(members * n);
  Diffusion(schedule, solver, path)(oracle, known.view(), {.seed = 5, .count = members}, std::span<T>(state));
  return test::moments(state, n);
}

/// The largest deviation of sample moments from a law, in standard errors of a Gaussian sample's mean and covariance.
double surprise(const test::Moments& m, const theory::Gaussian& law, double members) {
  double worst = 0;
  for (Eigen::Index i = 0; i < n; ++i) {
    const double var = law.covariance()(i, i);
    if (var < 1e-6) {  // observed: exact
      CHECK(std::abs(m.mean[i] - law.mean()[i]) < 1e-6);
      continue;
    }
    worst = std::max(worst, std::abs(m.mean[i] - law.mean()[i]) / std::sqrt(var / members));
    for (Eigen::Index j = 0; j < n; ++j) {
      const double other = law.covariance()(j, j), both = law.covariance()(i, j);
      if (other < 1e-6) continue;
      worst = std::max(worst, std::abs(m.covariance(i, j) - both) / std::sqrt((var * other + both * both) / members));
    }
  }
  return worst;
}

struct Unit {  // the estimate is the state
  void operator()(const Evaluation&, std::span<const double> state, std::span<double> estimate) {
    std::copy(state.begin(), state.end(), estimate.begin());
  }
};

}  // namespace

TEST_CASE("deterministic solvers converge to the exact flow at their orders, on every schedule") {
  const auto check = [](const auto& schedule) {
    const auto slope = [&](const auto& solver) {
      return std::log2(error_of(schedule, solver, 40) / error_of(schedule, solver, 160)) / 2;
    };
    CHECK(slope(FirstOrder{}) == Approx(1).margin(0.1));
    CHECK(slope(Heun{}) == Approx(2).margin(0.15));
    CHECK(slope(DpmSolver2M{}) == Approx(2).margin(0.25));  // its first step is of first order
    CHECK(error_of(schedule, Heun{}, 40) < 0.2 * error_of(schedule, FirstOrder{}, 40));
    CHECK(error_of(schedule, DpmSolver2M{}, 40) < 0.2 * error_of(schedule, FirstOrder{}, 40));
  };
  check(VariancePreserving{});
  check(Cosine{});
  check(VarianceExploding{});
  check(RectifiedFlow{});
}

TEST_CASE("a wide noise cut changes nothing, and a narrow one does") {
  const double exact = error_of(VariancePreserving{}, FirstOrder{}, 40);
  CHECK(error_of(VariancePreserving{}, FirstOrder{.clip_noise = 50}, 40) == Approx(exact).epsilon(1e-9));
  CHECK(std::abs(error_of(VariancePreserving{}, FirstOrder{.clip_noise = 0.1}, 40) - exact) > 0.01);
  CHECK(error_of(VariancePreserving{}, Ancestral{.eta = 0}, 40) == Approx(exact).epsilon(1e-9));
}

TEST_CASE("samples have the posterior's mean and covariance") {
  // 4 unobserved elements have 14 moments; all of ten such sets stay within 4 standard errors with probability 0.99. The
  // solvers' own errors at these steps, and the noise left at the path's end (variance 1e-4), are small beside one.
  constexpr std::size_t members = 4000;
  const auto law = posterior();
  const auto check = [&](const auto& schedule, const auto& solver, const std::vector<double>& path) {
    CHECK(surprise(sample<double>(schedule, solver, path, members), law, members) < 4);
  };
  const VariancePreserving vp;
  const auto fine = time_grid(vp, {.steps = 60, .spacing = Spacing::log_snr});
  check(vp, FirstOrder{}, time_grid(vp, {.steps = 400}));
  check(vp, Heun{}, fine);
  check(vp, DpmSolver2M{}, fine);
  check(vp, Ancestral{}, time_grid(vp, {.steps = 400}));
  check(vp, Ancestral{.eta = 0.5}, time_grid(vp, {.steps = 400}));
  check(vp, DpmSolver2M{}, with_resampling(fine, 10, 3));
  check(vp, Heun{}, with_restarts(fine, 0.1, 0.4, 4));
  check(Cosine{}, Ancestral{}, time_grid(Cosine{}, {.steps = 400}));
  check(RectifiedFlow{}, Heun{}, time_grid(RectifiedFlow{}, {.steps = 100}));
  check(VarianceExploding{}, Heun{}, time_grid(VarianceExploding{}, {.steps = 60, .end = 0}));
}

TEST_CASE("single precision gives the same samples as double") {
  const VariancePreserving vp;
  const auto path = time_grid(vp, {.steps = 60});
  const auto single = sample<float>(vp, DpmSolver2M{}, path, 50), twice = sample<double>(vp, DpmSolver2M{}, path, 50);
  CHECK((single.covariance - twice.covariance).cwiseAbs().maxCoeff() < 1e-3);
}

TEST_CASE("the published update loses the spread, the right step keeps it") {
  const VariancePreserving vp;
  const auto path = time_grid(vp, {.steps = 200});
  const double variance = posterior().total_variance();
  CHECK(sample<double>(vp, FirstOrder{}, path, 1000).covariance.trace() == Approx(variance).epsilon(0.1));
  CHECK(sample<double>(vp, Published{}, path, 1000).covariance.trace() < 1e-3 * variance);
}

TEST_CASE("members are the same alone and together, and seeds differ") {
  const VariancePreserving vp;
  const auto law = line(5, 2.0);
  const auto run = [&](std::uint64_t first, std::size_t count, std::uint64_t seed) {
    const KnownData<float> nothing(count, std::vector<float>(5, 0.0f), test::none_of(5));
    theory::Oracle oracle(law, vp);
    std::vector<float> state(5 * count);
    Diffusion(vp, Ancestral{}, with_resampling(time_grid(vp, {.steps = 6}), 2, 2))(
        oracle, nothing.view(), {.seed = seed, .first = first, .count = count}, std::span<float>(state));
    return state;
  };
  const auto together = run(0, 3, 1), alone = run(2, 1, 1);
  CHECK(std::vector<float>(together.begin() + 10, together.end()) == alone);
  CHECK(run(2, 1, 2) != alone);
}

TEST_CASE("the start may follow the observations, as the published code does") {
  const VariancePreserving vp;
  const KnownData<double> known(1, values, some);
  Unit unit;
  std::vector<double> state(n);
  // One step, estimate = state: an unobserved element starts at 0 and stays there.
  Diffusion(vp, FirstOrder{}, {1.0, 0.5}, Start::observed)(unit, known.view(), {}, std::span<double>(state));
  CHECK(state == std::vector<double>{0, 0.8, 0, 0, -0.5, 0});
}

TEST_CASE("sampling that turns non-finite says at which step") {
  const VariancePreserving vp;
  const KnownData<double> known(1, values, some);
  std::vector<double> state(n);
  struct Breaks {
    void operator()(const Evaluation& at, std::span<const double>, std::span<double> estimate) {
      std::fill(estimate.begin(), estimate.end(), at.number == 3 ? nan_value : 0.0);
    }
  } breaks;
  const Diffusion sampler(vp, FirstOrder{}, time_grid(vp, {.steps = 10, .end = 0}));
  CHECK_THROWS_WITH(sampler(breaks, known.view(), {}, std::span<double>(state)),
                    Catch::Matchers::Contains("not finite after step 4 of 10 (t 0.7 to 0.6)"));
}

TEST_CASE("states, masks and settings that do not fit are refused") {
  const VariancePreserving vp;
  const KnownData<double> known(1, values, some);
  std::vector<double> state(n + 1);
  Unit unit;
  const Diffusion sampler(vp, FirstOrder{}, {1.0, 0.5});
  CHECK_THROWS_AS(sampler(unit, known.view(), {}, std::span<double>(state)), ShapeError);
  state.resize(n);
  CHECK_THROWS_AS(sampler(unit, known.view(), {.count = 4}, std::span<double>(state)), ShapeError);
  CHECK_THROWS_AS(Diffusion(vp, Ancestral{.eta = 1.5}, {1.0, 0.5}), OptionError);
  CHECK_THROWS_AS(Diffusion(vp, FirstOrder{.clip_noise = -1}, {1.0, 0.5}), OptionError);
}

TEST_CASE("concepts tell samplers, solvers and denoisers from what is none") {
  static_assert(Sampler<Diffusion<VariancePreserving, Heun>> && Sampler<Diffusion<Cosine, Ancestral>, double>);
  static_assert(!Sampler<VariancePreserving> && !Solver<Unit> && Denoiser<Unit, double> && !Denoiser<Unit, float>);
}
