#include "lacuna/ops/normalised_convolution.hpp"

#include <cmath>
#include <numbers>

#include "catch.hpp"
#include "support/probe.hpp"
#include "support/tolerances.hpp"

using namespace lacuna;

namespace {

const auto apply = [](auto& graph, const auto& x) { return ops::normalised_convolution(graph, x[0], 1, {0, 8, 8}); };

/// Masks and masked values of a field on 32 x 32, a share of the cells observed.
template <class Field>
test::Operand<double> masked(const Field& field, float observed) {
  test::Operand<double> x{{.height = 32, .width = 32, .channels = 2}, {}};
  const auto mask = test::coins(32 * 32, observed, 1);
  for (std::size_t i = 0; i < mask.size(); ++i) {
    x.values.push_back(mask[i]);
    x.values.push_back(mask[i] != 0 ? field(i / 32, i % 32) : 0.0);
  }
  return x;
}

}  // namespace

TEST_CASE("Normalised convolution: a constant is itself under any mask, the input comes first") {
  cpu::Device device({.threads = 1});
  Parameters<double> none;
  const auto x = masked([](auto, auto) { return 3.0; }, 0.4f);
  const auto y = test::infer_pass<double>(device, none, {x}, apply);
  for (std::size_t i = 0; i < 1024; ++i) {
    CHECK((y[3 * i] == x.values[2 * i] && y[3 * i + 1] == x.values[2 * i + 1]));
    CHECK(y[3 * i + 2] == Approx(3.0));
  }
}

TEST_CASE("Normalised convolution: far from every observation, and without any, it says 0") {
  cpu::Device device({.threads = 1});
  Parameters<double> none;
  auto x = masked([](auto, auto) { return 3.0; }, 0.0f);
  for (const double v : test::infer_pass<double>(device, none, {x}, apply)) CHECK(v == 0.0);
  x.values[0] = 1;
  x.values[1] = 3;
  CHECK(test::infer_pass<double>(device, none, {x}, apply)[3 * (16 * 32 + 16) + 2] == 0.0);
}

TEST_CASE(
    "Normalised convolution: what it buys, a smooth field's gaps come closer than by the low-pass scaled by the observed share") {
  cpu::Device device({.threads = 1});
  Parameters<double> none;
  const auto field = [](std::size_t y, std::size_t x) {
    return 1.0 + std::sin(2 * std::numbers::pi * static_cast<double>(x) / 32) *
                     std::cos(2 * std::numbers::pi * static_cast<double>(y) / 32);
  };
  for (const float observed : {0.2f, 0.5f, 0.8f}) {
    const auto x = masked(field, observed);
    const auto y = test::infer_pass<double>(device, none, {x}, apply);
    auto everywhere = x;  // a mask of ones divides by one: the low-pass of the zero-filled field
    double seen = 0;
    for (std::size_t i = 0; i < 1024; ++i) {
      seen += x.values[2 * i];
      everywhere.values[2 * i] = 1;
    }
    const auto plain = test::infer_pass<double>(device, none, {everywhere}, apply);
    double normalised = 0, scaled = 0;
    for (std::size_t i = 0; i < 1024; ++i) {
      if (x.values[2 * i] != 0.0) continue;
      normalised += std::pow(y[3 * i + 2] - field(i / 32, i % 32), 2);
      scaled += std::pow(plain[3 * i + 2] * 1024 / seen - field(i / 32, i % 32), 2);
    }
    INFO("observed " << observed << ": root mean square error times " << std::sqrt(scaled / normalised));
    CHECK(std::sqrt(scaled / normalised) > 1.5);
  }
}

TEST_CASE("Normalised convolution: float agrees with double on any threads; too few channels are refused") {
  cpu::Device one({.threads = 1}), three({.threads = 3});
  Parameters<double> none;
  Parameters<float> none_float;
  const auto exact = masked([](auto y, auto x) { return static_cast<double>(x * y % 7); }, 0.6f);
  const std::vector<test::Operand<float>> operands{{exact.shape, {exact.values.begin(), exact.values.end()}}};
  const auto given = test::infer_pass<float>(one, none_float, operands, apply);
  CHECK(test::relative_difference(given, test::infer_pass<double>(one, none, {exact}, apply)) < test::tolerance::float_sum);
  CHECK(test::infer_pass<float>(three, none_float, operands, apply) == given);
  CHECK(test::message_of<ShapeError>([&] {
          test::infer_pass<double>(one, none, {test::random_operand<double>({.height = 8, .width = 8}, 1)}, apply);
        }) == "normalised_convolution: input has shape (1, 1, 8, 8, 1), expected masks and values of 1 fields");
}
