#include "lacuna/sampler/solvers.hpp"

#include <limits>

#include "catch.hpp"
#include "lacuna/schedule/cosine.hpp"
#include "lacuna/schedule/rectified_flow.hpp"
#include "lacuna/schedule/variance_preserving.hpp"

using namespace lacuna;
using namespace lacuna::sampler;

namespace {

/// One value, nothing known, an estimate that is a function of time and state.
template <class S, class Estimate>
double one_step(const S& solver, const Interval& i, double x, const Estimate& estimate, double noise = 0, double before = 0,
                double width_before = 0) {
  std::vector<double> state{x};
  const std::vector<double> nothing{std::numeric_limits<double>::quiet_NaN()};
  const std::vector<std::uint8_t> none{0};
  Stage<double> stage{state, {nothing, none}, {0.0}, {before}, {}, width_before};
  const auto denoise = [&](double t, std::span<const double> from, std::span<double> to) { to[0] = estimate(t, from[0]); };
  CHECK(solver.step(i, stage, denoise, [noise](std::span<double> to) { to[0] = noise; }));
  return state[0];
}

template <class Schedule>
Interval interval(const Schedule& s, double from, double to) {
  return {level_at(s, from), level_at(s, to)};
}

}  // namespace

TEST_CASE("the first-order step is exact for a constant estimate, and finite from pure noise and to no noise") {
  const auto constant = [](double, double) { return 3.0; };
  const auto check = [&](const auto& schedule, double s, double t) {
    const Interval i = interval(schedule, s, t);
    const double noise = 0.7, x = i.from.alpha * 3 + i.from.sigma * noise, expected = i.to.alpha * 3 + i.to.sigma * noise;
    CHECK(one_step(FirstOrder{}, i, x, constant) == Approx(expected).epsilon(1e-12));
    CHECK(one_step(FirstOrder{.clip_noise = 5}, i, x, constant) == Approx(expected).epsilon(1e-12));
    CHECK(one_step(Heun{}, i, x, constant) == Approx(expected).epsilon(1e-12));
    CHECK(one_step(DpmSolver2M{}, i, x, constant, 0, 3.0, 0.5) == Approx(expected).epsilon(1e-12));
    CHECK(one_step(Ancestral{.eta = 0}, i, x, constant, 9.0) == Approx(expected).epsilon(1e-12));
    CHECK(one_step(Published{}, i, x, constant) == Approx(i.to.alpha * 3));
  };
  check(schedule::VariancePreserving{}, 0.6, 0.4);
  check(schedule::VariancePreserving{}, 0.1, 0.0);  // to sigma = 0
  check(schedule::RectifiedFlow{}, 1.0, 0.8);       // from alpha = 0
  check(schedule::Cosine{}, 1.0, 0.0);              // both
}

TEST_CASE("the noise cut acts on noise beyond it") {
  const Interval i = interval(schedule::RectifiedFlow{}, 0.5, 0.25);
  const auto zero = [](double, double) { return 0.0; };
  CHECK(one_step(FirstOrder{.clip_noise = 5}, i, 4.0, zero) == Approx(0.25 * 5));  // noise 4 / 0.5 = 8
  CHECK(one_step(FirstOrder{}, i, 4.0, zero) == Approx(0.25 * 8));
}

TEST_CASE("second-order steps are exact for an estimate that is a straight line in log-SNR") {
  const schedule::VariancePreserving vp;
  const Interval i = interval(vp, 0.6, 0.4);
  const auto line = [&](double t, double) { return 0.2 + 0.3 * 0.5 * vp.log_snr(t); };
  // x_t = (sigma_t / sigma_s) x_s + sigma_t times the integral of e^l (0.2 + 0.3 l) over l = log(alpha / sigma), by Simpson's
  // rule.
  const double a = 0.5 * i.from.log_snr, h = i.width();
  double integral = 0;
  for (int k = 0; k <= 1000; ++k) {
    const double l = a + h * k / 1000;
    integral += (k == 0 || k == 1000 ? 1 : k % 2 == 1 ? 4 : 2) * std::exp(l) * (0.2 + 0.3 * l) * h / 3000;
  }
  CHECK(one_step(Heun{}, i, 1.1, line) == Approx(i.state_weight() * 1.1 + i.to.sigma * integral).epsilon(1e-10));
  // 2M extrapolates the same line, and weighs its middle instead of integrating it: exact to third order in h.
  const double before = 0.2 + 0.3 * (a - 0.5);
  const double error = one_step(DpmSolver2M{}, i, 1.1, line, 0, before, 0.5) - (i.state_weight() * 1.1 + i.to.sigma * integral);
  CHECK(std::abs(error) < 0.3 * h * h * h / 12 * 1.5);
  CHECK(std::abs(error) < 0.2 * std::abs(one_step(FirstOrder{}, i, 1.1, line) - one_step(Heun{}, i, 1.1, line)));
}

TEST_CASE("the ancestral step has the mean and variance of q(x_t | x_s, x0)") {
  const schedule::VariancePreserving vp;
  const Interval i = interval(vp, 0.6, 0.4);
  const auto constant = [](double, double) { return 3.0; };
  const double ratio = i.from.alpha / i.to.alpha, added = i.from.sigma * i.from.sigma - ratio * ratio * i.to.sigma * i.to.sigma;
  const double mean = ratio * i.to.sigma * i.to.sigma / (i.from.sigma * i.from.sigma) * 1.1 +
                      i.to.alpha * added / (i.from.sigma * i.from.sigma) * 3.0;
  const double deviation = std::sqrt(added) * i.to.sigma / i.from.sigma;
  CHECK(one_step(Ancestral{}, i, 1.1, constant, 0.0) == Approx(mean));
  CHECK(one_step(Ancestral{}, i, 1.1, constant, 1.0) == Approx(mean + deviation));
  CHECK(one_step(Ancestral{}, interval(schedule::RectifiedFlow{}, 1.0, 0.5), 8.0, constant, 1.0) == Approx(0.5 * 3 + 0.5));
}
