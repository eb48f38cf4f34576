#include "lacuna/ops/time_embedding.hpp"

#include <cmath>

#include "catch.hpp"
#include "support/probe.hpp"
#include "support/tolerances.hpp"

using namespace lacuna;

TEST_CASE("Time embedding: sines, then cosines, from frequency 1 down to 1 / 10000") {
  cpu::Device device({.threads = 1});
  Parameters<double> parameters;
  Graph<double> graph(device, parameters, Mode::infer);
  const double times[] = {0.0, 0.5, 1.0};
  const auto y = ops::time_embedding(graph, times, 3, 6);
  CHECK(y.shape == Shape{.batch = 3, .channels = 6});
  for (int b = 0; b < 3; ++b)
    for (int i = 0; i < 3; ++i) {
      const double angle = times[b] * std::pow(10.0, -2 * i);
      CHECK(y.data[6 * b + i] == Approx(std::sin(angle)).epsilon(1e-12));
      CHECK(y.data[6 * b + 3 + i] == Approx(std::cos(angle)).epsilon(1e-12));
    }
}

TEST_CASE("Time embedding: float agrees with double and writes nothing past the end") {
  cpu::Device device({.threads = 1});
  Parameters<float> parameters;
  Parameters<double> exact_parameters;
  test::poison(device.arena());
  Graph<float> graph(device, parameters, Mode::train);
  Graph<double> exact(device, exact_parameters, Mode::infer);
  const float times[] = {0.25f};
  const double exact_times[] = {0.25};
  const auto y = ops::time_embedding(graph, times, 1, 34);
  const auto e = ops::time_embedding(exact, exact_times, 1, 34);
  CHECK(test::relative_difference(std::vector(y.data, y.data + 34), std::vector(e.data, e.data + 34)) <
        test::tolerance::vector_against_plain);
  CHECK(test::margin_intact(y.data, 34));
  graph.backward();  // nothing to hand on: it frees its result
  CHECK(y.node->gradient == nullptr);
}

TEST_CASE("Time embedding: an odd or too small width is refused") {
  cpu::Device device({.threads = 1});
  Parameters<float> parameters;
  Graph<float> graph(device, parameters, Mode::infer);
  const float times[] = {0.5f};
  CHECK(test::message_of<ShapeError>([&] { ops::time_embedding(graph, times, 1, 7); }) ==
        "time_embedding: width 7, expected an even number from 4");
  CHECK_THROWS_AS(ops::time_embedding(graph, times, 1, 2), ShapeError);
}
