#include "lacuna/ops/gelu.hpp"

#include <cmath>

#include "catch.hpp"
#include "support/probe.hpp"
#include "support/tolerances.hpp"

using namespace lacuna;

namespace {

const auto apply = [](auto& graph, const auto& x) { return ops::gelu(graph, x[0]); };

}  // namespace

TEST_CASE("GELU: lanes agree with the plain function everywhere, far out too") {
  cpu::Device device({.threads = 1});
  Parameters<float> parameters;
  test::Operand<float> x{{.height = 64, .width = 31, .channels = 9}, {}};
  for (std::size_t i = 0; i < x.shape.size(); ++i) x.values.push_back(-12.0f + 24.0f * static_cast<float>(i) / 17856.0f);
  x.values[0] = -1000;
  x.values[1] = 1000;
  const auto pass = test::train_pass<float>(device, parameters, {x}, apply);
  const auto g = test::normals<float>(x.values.size(), 999);
  for (std::size_t i = 0; i < x.values.size(); ++i) {
    const double v = static_cast<double>(x.values[i]);
    REQUIRE(std::abs(static_cast<double>(pass.result[i]) - ops::Gelu::value(v)) < 1e-6 * std::max(1.0, std::abs(v)));
    REQUIRE(std::abs(static_cast<double>(pass.operand_gradients[0][i]) - ops::Gelu::derivative(v) * static_cast<double>(g[i])) <
            1e-6 * std::max(1.0, std::abs(static_cast<double>(g[i]))));
  }
  CHECK(pass.margins_intact);
  cpu::Device three({.threads = 3});
  CHECK(test::train_pass<float>(three, parameters, {x}, apply) == pass);
}

TEST_CASE("GELU: gradients are central differences") {
  cpu::Device device({.threads = 1});
  Parameters<double> parameters;
  CHECK(test::gradient_error(device, parameters, {test::random_operand<double>({.batch = 2, .channels = 33}, 1)}, apply) <
        test::tolerance::gradient);
}

TEST_CASE("GELU: NaN stays in its element") {
  cpu::Device device({.threads = 1});
  Parameters<float> parameters;
  auto x = test::random_operand<float>({.channels = 35}, 1);
  x.values[5] = x.values[34] = test::nan<float>;
  const auto pass = test::train_pass<float>(device, parameters, {x}, apply);
  for (std::size_t i = 0; i < 35; ++i) {
    CHECK(std::isnan(pass.result[i]) == (i == 5 || i == 34));
    CHECK(std::isnan(pass.operand_gradients[0][i]) == (i == 5 || i == 34));
  }
}
