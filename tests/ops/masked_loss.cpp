#include "lacuna/ops/masked_loss.hpp"

#include <cmath>

#include "catch.hpp"
#include "support/probe.hpp"
#include "support/tolerances.hpp"

using namespace lacuna;

namespace {

template <class T>
struct Outcome {
  double loss = 0;
  std::vector<T> gradient;
  bool margin_intact = true;
  bool operator==(const Outcome&) const = default;
};

template <class T>
Outcome<T> run(int threads, const std::vector<T>& estimate, const std::vector<float>& target,
               const std::vector<std::uint8_t>& query) {
  cpu::Device device({.threads = threads});
  Parameters<T> parameters;
  test::poison(device.arena());
  Graph<T> graph(device, parameters, Mode::train);
  const auto x = test::place<T>(graph, {{{.height = static_cast<int>(estimate.size())}, estimate}})[0];
  Outcome<T> o;
  o.loss = ops::masked_loss(graph, x, target.data(), query.data());
  o.gradient.assign(x.node->gradient, x.node->gradient + estimate.size());
  o.margin_intact = test::margin_intact(x.node->gradient, estimate.size());
  return o;
}

}  // namespace

TEST_CASE("Masked loss: by hand") {
  const auto o = run<float>(1, {1, 2, 3, 4}, {0, 5, 3, 2}, {1, 0, 1, 1});
  CHECK(o.loss == Approx((1.0 + 0.0 + 4.0) / 3));
  CHECK(o.gradient[0] == Approx(2.0 / 3));
  CHECK(o.gradient[1] == 0);
  CHECK(o.gradient[2] == 0);
  CHECK(o.gradient[3] == Approx(4.0 / 3));
}

TEST_CASE("Masked loss: NaN in the estimate and the target is selected away where it is not queried") {
  for (const std::size_t size : {1u, 15u, 16u, 31u, 33u, 257u, 5000u}) {
    const auto query = test::coins(size, 0.4f, 1);
    auto estimate = test::normals<float>(size, 1), target = test::normals<float>(size, 2);
    const auto clean = run<float>(1, estimate, target, query);
    for (std::size_t i = 0; i < size; ++i)
      if (query[i] == 0) (i % 3 == 0 ? estimate[i] : target[i]) = i % 2 == 0 ? test::nan<float> : INFINITY;
    CHECK(run<float>(1, estimate, target, query) == clean);
    CHECK(test::all_finite(clean.gradient));
  }
}

TEST_CASE("Masked loss: NaN that is queried shows") {
  auto estimate = test::normals<float>(40, 1);
  estimate[3] = test::nan<float>;
  const auto o = run<float>(1, estimate, test::normals<float>(40, 2), std::vector<std::uint8_t>(40, 1));
  CHECK(std::isnan(o.loss));
  for (std::size_t i = 0; i < 40; ++i) CHECK(std::isnan(o.gradient[i]) == (i == 3));
}

TEST_CASE("Masked loss: the vector kernel agrees with the plain one, whatever the threads, and ends where it should") {
  for (const std::size_t size : {1u, 31u, 33u, 257u, 4099u}) {
    const auto query = test::coins(size, 0.5f, 3);
    const auto estimate = test::normals<float>(size, 1), target = test::normals<float>(size, 2);
    const auto o = run<float>(1, estimate, target, query);
    const auto exact = run<double>(1, {estimate.begin(), estimate.end()}, target, query);
    CHECK(o.loss == Approx(exact.loss).epsilon(test::tolerance::vector_against_plain));
    CHECK(test::relative_difference(o.gradient, exact.gradient) < test::tolerance::vector_against_plain);
    CHECK(o.margin_intact);
    for (const int threads : {1, 2, 5}) CHECK(run<float>(threads, estimate, target, query) == o);
  }
}

TEST_CASE("Masked loss: the gradient is a central difference") {
  const auto target = test::normals<float>(33, 2);
  const auto query = test::coins(33, 0.5f, 3);
  auto estimate = test::normals<double>(33, 1);
  const auto given = run<double>(1, estimate, target, query).gradient;
  std::vector<double> expected(33);
  for (std::size_t i = 0; i < 33; ++i)
    expected[i] = test::central_difference(estimate[i], [&] { return run<double>(1, estimate, target, query).loss; });
  CHECK(test::relative_difference(given, expected) < test::tolerance::gradient);
}

TEST_CASE("Masked loss: an empty query is no loss and no gradient") {
  const auto o =
      run<float>(1, std::vector<float>(20, test::nan<float>), test::normals<float>(20, 2), std::vector<std::uint8_t>(20, 0));
  CHECK(o.loss == 0);
  CHECK(o.gradient == std::vector<float>(20, 0.0f));
}

TEST_CASE("Masked loss: a second loss of the same estimate adds its gradient") {
  cpu::Device device({.threads = 1});
  Parameters<float> parameters;
  test::poison(device.arena());
  Graph<float> graph(device, parameters, Mode::train);
  const auto x = test::place<float>(graph, {{{.height = 2}, {1, 2}}})[0];
  const float target[] = {0, 0};
  const std::uint8_t first[] = {1, 0}, second[] = {1, 1};
  ops::masked_loss(graph, x, target, first);
  ops::masked_loss(graph, x, target, second);
  CHECK((x.node->gradient[0] == 3.0f && x.node->gradient[1] == 2.0f));
}

TEST_CASE("Masked loss: queried elements are counted whatever byte says so") {
  const std::uint8_t query[] = {0, 1, 255, 0, 2};
  CHECK(ops::count_queried(query, 5) == 3);
  CHECK(ops::count_queried(query, 0) == 0);
}
