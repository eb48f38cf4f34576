#include "lacuna/ops/activation.hpp"

#include <cmath>

#include "catch.hpp"
#include "support/probe.hpp"
#include "support/tolerances.hpp"

using namespace lacuna;

namespace {

template <class F>
const auto apply = [](auto& graph, const auto& x) { return ops::activation<F>(graph, x[0]); };

}  // namespace

TEST_CASE("Activation: SiLU and GELU by hand") {
  CHECK(ops::Silu::value(0.0) == 0.0);
  CHECK(ops::Silu::derivative(0.0) == 0.5);
  CHECK(ops::Silu::value(1.0) == Approx(0.7310585786300049));
  CHECK(ops::Silu::value(-1.0) == Approx(-0.2689414213699951));
  CHECK(ops::Gelu::value(0.0) == 0.0);
  CHECK(ops::Gelu::derivative(0.0) == 0.5);
  CHECK(ops::Gelu::value(1.0) == Approx(0.8413447460685429));
  CHECK(ops::Gelu::value(-1.0) == Approx(-0.15865525393145707));
}

TEST_CASE("Activation: far out they are the identity or zero, not NaN") {
  for (const float x : {50.0f, 1000.0f}) {
    CHECK((ops::Silu::value(x) == x && ops::Gelu::value(x) == x));
    CHECK((ops::Silu::derivative(x) == 1.0f && ops::Gelu::derivative(x) == 1.0f));
    CHECK(std::abs(ops::Silu::value(-x)) < 1e-20f);
    CHECK(std::abs(ops::Gelu::value(-x)) < 1e-20f);
    CHECK((std::abs(ops::Silu::derivative(-x)) < 1e-19f && std::abs(ops::Gelu::derivative(-x)) < 1e-19f));
  }
}

TEST_CASE("Activation: gradients are central differences") {
  cpu::Device device({.threads = 1});
  Parameters<double> parameters;
  const std::vector operands{test::random_operand<double>({.batch = 2, .channels = 33}, 1)};
  CHECK(test::gradient_error(device, parameters, operands, apply<ops::Silu>) < test::tolerance::gradient);
  CHECK(test::gradient_error(device, parameters, operands, apply<ops::Gelu>) < test::tolerance::gradient);
}

TEST_CASE("Activation: GELU's lanes agree with the plain function everywhere, far out too") {
  cpu::Device device({.threads = 1});
  Parameters<float> parameters;
  test::Operand<float> x{{.height = 64, .width = 31, .channels = 9}, {}};
  for (std::size_t i = 0; i < x.shape.size(); ++i) x.values.push_back(-12.0f + 24.0f * static_cast<float>(i) / 17856.0f);
  x.values[0] = -1000;
  x.values[1] = 1000;
  const auto pass = test::train_pass<float>(device, parameters, {x}, apply<ops::Gelu>);
  const auto g = test::normals<float>(x.values.size(), 999);
  for (std::size_t i = 0; i < x.values.size(); ++i) {
    const double v = static_cast<double>(x.values[i]);
    REQUIRE(std::abs(static_cast<double>(pass.result[i]) - ops::Gelu::value(v)) < 1e-6 * std::max(1.0, std::abs(v)));
    REQUIRE(std::abs(static_cast<double>(pass.operand_gradients[0][i]) - ops::Gelu::derivative(v) * static_cast<double>(g[i])) <
            1e-6 * std::max(1.0, std::abs(static_cast<double>(g[i]))));
  }
  CHECK(pass.margins_intact);
  cpu::Device three({.threads = 3});
  CHECK(test::train_pass<float>(three, parameters, {x}, apply<ops::Gelu>) == pass);
}

TEST_CASE("Activation: NaN stays in its element, and nothing is written past the end") {
  cpu::Device device({.threads = 1});
  Parameters<float> parameters;
  auto x = test::random_operand<float>({.channels = 35}, 1);
  x.values[5] = x.values[34] = test::nan<float>;
  const auto check = [&](const auto& function) {
    const auto pass = test::train_pass<float>(device, parameters, {x}, function);
    CHECK(pass.margins_intact);
    for (std::size_t i = 0; i < 35; ++i) {
      CHECK(std::isnan(pass.result[i]) == (i == 5 || i == 34));
      CHECK(std::isnan(pass.operand_gradients[0][i]) == (i == 5 || i == 34));
    }
  };
  check(apply<ops::Silu>);
  check(apply<ops::Gelu>);
}
