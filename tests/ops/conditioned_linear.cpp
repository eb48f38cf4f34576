#include "lacuna/ops/conditioned_linear.hpp"

#include "catch.hpp"
#include "support/probe.hpp"
#include "support/tolerances.hpp"

using namespace lacuna;

namespace {

/// Of an image and, over (H, W), its coordinates.
auto without_features(const ops::LinearParameters& layer) {
  return [layer](Graph<float>& graph, const auto& v) {
    return ops::conditioned_linear(graph, layer, v[0], static_cast<const Variable<float>*>(nullptr), 2);
  };
}

}  // namespace

TEST_CASE("Conditioned linear: by hand") {
  cpu::Device device({.threads = 1});
  Parameters<float> p;
  const ops::LinearParameters layer{p.add("weight", {1, 4}), p.add("bias", {1}), 4, 1};
  p.values() = {1, 10, 100, 1000, 5};  // of x, the feature, H and W; bias
  const std::vector<test::Operand<float>> operands{{{.height = 2, .width = 2, .channels = 1}, {1, 2, 3, 4}},
                                                   {{.channels = 1}, {3}}};
  const auto pass = test::train_pass<float>(
      device, p, operands, [&](auto& graph, const auto& v) { return ops::conditioned_linear(graph, layer, v[0], &v[1], 2); });
  CHECK(pass.result == std::vector<float>{36, 537, 88, 589});
  const auto g = test::normals<float>(4, 999);
  CHECK(pass.operand_gradients[0] == g);
  CHECK(pass.operand_gradients[1][0] == Approx(10 * (g[0] + g[1] + g[2] + g[3])));
  CHECK(pass.parameter_gradients[2] == Approx((g[2] + g[3]) / 2));
  CHECK(pass.parameter_gradients[4] == Approx(g[0] + g[1] + g[2] + g[3]));
}

TEST_CASE("Conditioned linear: features and coordinates act as channels after those of the image, in both passes") {
  cpu::Device device({.threads = 1});
  Parameters<double> p;
  ops::LinearParameters layer{p.add("weight", {3, 2 + 4 + 3}), p.add("bias", {3}), 9, 3};
  p.values() = test::normals<double>(p.size(), 11);
  const Shape grid{.batch = 2, .frames = 3, .height = 2, .width = 4, .channels = 2};
  const auto x = test::random_operand<double>(grid, 1), e = test::random_operand<double>({.batch = 2, .channels = 4}, 2);
  test::Operand<double> joined{grid.with_channels(9), {}};
  for (std::size_t i = 0; i < grid.cells(); ++i) {
    for (std::size_t c = 0; c < 2; ++c) joined.values.push_back(x.values[2 * i + c]);
    for (std::size_t c = 0; c < 4; ++c) joined.values.push_back(e.values[i / 24 * 4 + c]);
    for (const double at :
         {static_cast<double>(i / 8 % 3) / 3, static_cast<double>(i / 4 % 2) / 2, static_cast<double>(i % 4) / 4})
      joined.values.push_back(at);
  }
  const auto apply = [&](auto& graph, const auto& v) { return ops::conditioned_linear(graph, layer, v[0], &v[1], 3); };
  const auto given = test::train_pass<double>(device, p, {x, e}, apply);
  const auto expected = test::train_pass<double>(
      device, p, {joined}, [&](auto& graph, const auto& v) { return ops::pointwise_linear(graph, layer, v[0]); });
  CHECK(test::relative_difference(given.result, expected.result) < test::tolerance::double_sum);
  CHECK(test::relative_difference(given.parameter_gradients, expected.parameter_gradients) < test::tolerance::double_sum);
  CHECK(test::gradient_error(device, p, {x, e}, apply) < test::tolerance::gradient);
}

TEST_CASE("Conditioned linear: threads change nothing, without features too, and NaN stays in its position") {
  cpu::Device one({.threads = 1}), three({.threads = 3});
  Parameters<float> p;
  const ops::LinearParameters layer{p.add("weight", {33, 5 + 2}), p.add("bias", {33}), 7, 33};
  p.values() = test::normals<float>(p.size(), 11);
  auto x = test::random_operand<float>({.batch = 2, .height = 33, .width = 31, .channels = 5}, 1);
  const auto apply = without_features(layer);
  const auto pass = test::train_pass<float>(one, p, {x}, apply);
  CHECK(pass.margins_intact);
  CHECK(test::train_pass<float>(three, p, {x}, apply) == pass);
  x.values[8] = test::nan<float>;
  const auto y = test::infer_pass<float>(one, p, {x}, apply);
  for (std::size_t i = 0; i < y.size(); ++i) REQUIRE(std::isnan(y[i]) == (i / 33 == 1));
}

TEST_CASE("Conditioned linear: widths that do not add up are refused") {
  cpu::Device device({.threads = 1});
  Parameters<float> p;
  const ops::LinearParameters layer{p.add("weight", {3, 9}), p.add("bias", {3}), 9, 3};
  CHECK(test::message_of<ShapeError>([&] {
          test::infer_pass<float>(device, p, {test::random_operand<float>({.height = 2, .channels = 5}, 1)},
                                  without_features(layer));
        }) == "conditioned_linear: x has shape (1, 1, 2, 1, 5) and the features 0 channels; expected 7 in all");
}
