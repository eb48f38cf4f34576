#include "lacuna/train/optimizer.hpp"

#include <cmath>

#include "catch.hpp"
#include "support/probe.hpp"
#include "support/tolerances.hpp"

using namespace lacuna;
using train::Optimizer;
using train::OptimizerSettings;

namespace {

template <class T>
Parameters<T> parameters_of(std::size_t size) {
  Parameters<T> p;
  p.add("w", {static_cast<int>(size)});
  p.values() = test::normals<T>(size, 1);
  return p;
}

/// Several steps with random gradients of changing size.
template <class T>
void run_steps(Parameters<T>& p, Optimizer<T>& optimizer, int steps, int threads) {
  for (int i = 0; i < steps; ++i) {
    p.gradients() = test::normals<T>(p.size(), static_cast<std::uint64_t>(100 + i));
    for (T& g : p.gradients()) g *= T(0.02) * T(i + 1);
    optimizer.step(p, 0.01, threads);
  }
}

}  // namespace

TEST_CASE("Optimizer: the first step by hand") {
  auto p = parameters_of<double>(2);
  p.values() = {1, -1};
  p.gradients() = {0.3, 0.4};
  Optimizer<double> optimizer(p, {});
  CHECK(optimizer.step(p, 0.1, 1) == Approx(0.5));
  // The corrected moments are g and g^2: a step of the learning rate against the gradient's sign.
  CHECK(p.values()[0] == Approx(1 - 0.1 * 0.3 / (0.3 + 1e-8)).epsilon(1e-14));
  CHECK(p.values()[1] == Approx(-1 - 0.1 * 0.4 / (0.4 + 1e-8)).epsilon(1e-14));
  const auto& state = optimizer.state();
  CHECK(state.step == 1);
  CHECK(state.first_moment[0] == Approx(0.05 * 0.3));
  CHECK(state.second_moment[1] == Approx(0.001 * 0.16));
  CHECK(state.average[0] == Approx(1 + (1 - 2.0 / 11) * (p.values()[0] - 1)).epsilon(1e-14));
}

TEST_CASE("Optimizer: clips by the global norm, and only above it") {
  auto p = parameters_of<double>(2);
  p.gradients() = {30, 40};
  Optimizer<double> optimizer(p, {.clip = 1.0});
  CHECK(optimizer.step(p, 0.1, 1) == Approx(50));
  CHECK(optimizer.state().first_moment[0] == Approx(0.05 * 0.6));
  CHECK(optimizer.state().first_moment[1] == Approx(0.05 * 0.8));
}

TEST_CASE("Optimizer: many steps equal Algorithm 1 of Adam, written out") {
  constexpr std::size_t size = 33;
  auto p = parameters_of<double>(size);
  const OptimizerSettings settings{.beta1 = 0.9, .beta2 = 0.99, .epsilon = 1e-6, .clip = 0.5, .ema_decay = 0.4};
  Optimizer<double> optimizer(p, settings);
  std::vector<double> x = p.values(), m(size), v(size), average = x;
  for (int t = 1; t <= 20; ++t) {
    p.gradients() = test::normals<double>(size, static_cast<std::uint64_t>(t));
    double norm = 0;
    for (const double g : p.gradients()) norm += g * g;
    norm = std::sqrt(norm);
    for (std::size_t i = 0; i < size; ++i) {
      const double g = p.gradients()[i] * std::min(1.0, 0.5 / norm);
      m[i] = 0.9 * m[i] + 0.1 * g;
      v[i] = 0.99 * v[i] + 0.01 * g * g;
      x[i] -= 0.01 * (m[i] / (1 - std::pow(0.9, t))) / (std::sqrt(v[i] / (1 - std::pow(0.99, t))) + 1e-6);
      const double decay = std::min(0.4, (1.0 + t) / (10.0 + t));
      average[i] = decay * average[i] + (1 - decay) * x[i];
    }
    CHECK(optimizer.step(p, 0.01, 1) == Approx(norm));
  }
  CHECK(test::relative_difference(p.values(), x) < test::tolerance::double_sum);
  CHECK(test::relative_difference(optimizer.state().average, average) < test::tolerance::double_sum);
}

TEST_CASE("Optimizer: the vector update agrees with double, at every size and for any number of threads") {
  for (const std::size_t size : {1u, 31u, 33u, 257u, 5003u}) {
    auto p = parameters_of<float>(size), other = p;
    auto exact = parameters_of<double>(size);
    Optimizer<float> optimizer(p, {}), other_optimizer(other, {});
    Optimizer<double> exact_optimizer(exact, {});
    run_steps(p, optimizer, 8, 1);
    run_steps(other, other_optimizer, 8, 3);
    run_steps(exact, exact_optimizer, 8, 1);
    CHECK(test::relative_difference(p.values(), exact.values()) < test::tolerance::float_sum);
    CHECK(test::relative_difference(optimizer.state().average, exact_optimizer.state().average) < test::tolerance::float_sum);
    CHECK(test::relative_difference(optimizer.state().second_moment, exact_optimizer.state().second_moment) <
          test::tolerance::float_sum);
    CHECK(p.values() == other.values());
    CHECK(optimizer.state().average == other_optimizer.state().average);
  }
}

TEST_CASE("Optimizer: a run of elements is updated to its ends and no further") {
  const train::AdamStep<float> step{0.5f, 0.9f, 0.99f, 0.1f, 2.0f, 1e-8f, 0.9f};
  constexpr std::size_t size = 70, begin = 5, end = 60;
  std::vector<test::Guarded<float>> vector_side, plain_side;
  for (std::uint64_t k = 0; k < 5; ++k) {
    auto x = test::normals<float>(size, k);
    if (k == 3)
      for (float& v : x) v = std::abs(v);
    vector_side.emplace_back(x);
    plain_side.emplace_back(x);
  }
  auto& a = vector_side;
  auto& b = plain_side;
  const auto before = a[0].content();
  train::adam_run(step, a[0].data(), a[1].data(), a[2].data(), a[3].data(), a[4].data(), begin, end);
  train::adam_plain(step, b[0].data(), b[1].data(), b[2].data(), b[3].data(), b[4].data(), begin, end);
  for (std::size_t k = 0; k < 5; ++k) {
    CHECK(a[k].intact());
    CHECK(test::relative_difference(a[k].content(), b[k].content()) < test::tolerance::vector_against_plain);
  }
  const auto after = a[0].content();
  for (std::size_t i = 0; i < size; ++i) CHECK((after[i] == before[i]) == (i < begin || i >= end));
}

TEST_CASE("Optimizer: a gradient that is not finite is reported and changes nothing") {
  for (const float bad : {test::nan<float>, std::numeric_limits<float>::infinity()}) {
    auto p = parameters_of<float>(40);
    Optimizer<float> optimizer(p, {});
    run_steps(p, optimizer, 2, 1);
    const auto values = p.values(), average = optimizer.state().average;
    p.gradients()[17] = bad;
    CHECK_FALSE(std::isfinite(optimizer.step(p, 0.01, 1)));
    CHECK(p.values() == values);
    CHECK(optimizer.state().average == average);
    CHECK(optimizer.state().step == 2);
  }
}

TEST_CASE("Optimizer: a copied state goes on bit for bit") {
  auto p = parameters_of<float>(100);
  Optimizer<float> optimizer(p, {});
  run_steps(p, optimizer, 3, 1);
  auto resumed_p = p;
  Optimizer<float> resumed(resumed_p, {});
  resumed.state() = optimizer.state();
  run_steps(p, optimizer, 3, 1);
  run_steps(resumed_p, resumed, 3, 1);
  CHECK(p.values() == resumed_p.values());
  CHECK(optimizer.state().average == resumed.state().average);
}

TEST_CASE("Learning rate: warms up, peaks and ends at its final fraction without a jump") {
  const train::LearningRate rate{.peak = 2e-3, .warm_up = 0.1, .final_fraction = 0.05};
  CHECK(rate(0.0) > 0);
  CHECK(rate(0.0) < 0.05 * rate.peak);
  CHECK(rate(0.1) == Approx(rate.peak));
  CHECK(rate(1.0) == Approx(0.05 * rate.peak));
  CHECK(rate(1.5) == rate(1.0));
  CHECK(rate(0.55) == Approx(rate.peak * (0.05 + 0.95 * 0.5)));
  for (int i = 0; i < 1000; ++i) CHECK(std::abs(rate((i + 1) / 1000.0) - rate(i / 1000.0)) < 0.02 * rate.peak);
}
