#include "lacuna/sampler/posterior.hpp"

#include <cmath>

#include "catch.hpp"
#include "lacuna/schedule/variance_preserving.hpp"
#include "sampler/exact.hpp"
#include "theory/line.hpp"

using namespace lacuna;
using namespace lacuna::sampler;

namespace {

struct Tenfold {
  void operator()(const Evaluation&, std::span<const double> state, std::span<double> estimate) {
    for (std::size_t i = 0; i < state.size(); ++i) estimate[i] = 10 * state[i];
  }
};

}  // namespace

TEST_CASE("equation 28: the weight moves from the observations' mean to the diffusion expectation") {
  Tenfold tenfold;
  const std::vector<double> mean{1, 2}, state{0.5, 0.25};
  std::vector<double> out(2);
  const auto at = [&](double t, double (*weight)(double)) {
    Posterior<Tenfold, double> posterior(tenfold, mean, weight);
    posterior({t, 0}, state, out);
    return out;
  };
  CHECK(at(1, linear_weight) == mean);
  CHECK(at(0, linear_weight) == std::vector<double>{5, 2.5});
  CHECK(at(0.25, linear_weight)[0] == Approx(0.75 * 5 + 0.25 * 1));
  CHECK(at(0.5, quadratic_weight)[1] == Approx(0.75 * 2.5 + 0.25 * 2));
  CHECK(at(1, no_weight) == std::vector<double>{5, 2.5});
}

TEST_CASE("weights outside 0 .. 1 and a mean of another size are refused") {
  Tenfold tenfold;
  const std::vector<double> mean{1, 2}, state{0.5, 0.25};
  std::vector<double> out(2);
  Posterior<Tenfold, double> heavy(tenfold, mean, [](double t) { return 1.5 - t; });
  heavy({0.7, 0}, state, out);
  CHECK_THROWS_WITH(heavy({0.2, 0}, state, out), Catch::Matchers::Contains("weight 1.3 at t = 0.2"));
  Posterior<Tenfold, double> undefined(tenfold, mean, [](double) { return std::nan(""); });
  CHECK_THROWS_AS(undefined({0.2, 0}, state, out), OptionError);
  Posterior<Tenfold, double> shorter(tenfold, std::span(mean).first(1));
  CHECK_THROWS_AS(shorter({0.2, 0}, state, out), ShapeError);
}

TEST_CASE("with the mean of the observations, samples are nearer to the posterior's mean than without") {
  const schedule::VariancePreserving vp;
  const auto prior = test::line(8, 4.0);
  const std::vector<std::uint8_t> mask{1, 0, 0, 0, 0, 0, 0, 1};
  const std::vector<double> values{1.5, 0, 0, 0, 0, 0, 0, 1.2};
  const auto law = prior.given(mask, values);
  constexpr std::size_t members = 600;
  const auto error = [&](double (*weight)(double)) {
    const test::KnownData<double> known(members, values, mask);
    theory::Oracle oracle(prior, vp);
    std::vector<double> mean, state(8 * members);
    for (std::size_t m = 0; m < members; ++m) mean.insert(mean.end(), law.mean().begin(), law.mean().end());
    Posterior<decltype(oracle), double> denoiser(oracle, mean, weight);
    Diffusion(vp, FirstOrder{}, time_grid(vp, {.steps = 100}))(denoiser, known.view(), {.seed = 2, .count = members},
                                                               std::span<double>(state));
    return (test::moments(state, 8).mean - law.mean()).norm();
  };
  CHECK(error(linear_weight) < 0.5 * error(no_weight));
  CHECK(error(quadratic_weight) < 0.75 * error(no_weight));
}
