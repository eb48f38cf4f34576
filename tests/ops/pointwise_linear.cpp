#include "lacuna/ops/pointwise_linear.hpp"

#include "catch.hpp"
#include "support/probe.hpp"
#include "support/tolerances.hpp"

using namespace lacuna;

namespace {

template <class T>
struct Layer {
  Layer(int inputs, int outputs, bool biased = true) {
    layer = {parameters.add("weight", {outputs, inputs}), {}, inputs, outputs};
    if (biased) layer.bias = parameters.add("bias", {outputs});
    parameters.values() = test::normals<T>(parameters.size(), 11);
  }
  auto apply() const {
    return [l = layer](Graph<T>& graph, const auto& x) { return ops::pointwise_linear(graph, l, x[0]); };
  }
  /// x[1] + W x[0], by way of a copy that owns its buffer.
  auto add() const {
    return [l = layer](Graph<T>& graph, const auto& x) {
      const auto sum = ops::pointwise_linear(graph, l, x[1]);
      ops::pointwise_linear_add(graph, l, x[0], sum);
      return sum;
    };
  }
  Parameters<T> parameters;
  ops::LinearParameters layer;
};

}  // namespace

TEST_CASE("Pointwise linear: by hand") {
  cpu::Device device({.threads = 1});
  Layer<float> l(2, 3);
  l.parameters.values() = {1, 2, 3, 4, 5, 6, 10, 20, 30};
  const auto pass = test::train_pass<float>(device, l.parameters, {{{.height = 2, .channels = 2}, {1, 0, -1, 2}}}, l.apply());
  CHECK(pass.result == std::vector<float>{11, 23, 35, 13, 25, 37});
  const auto g = test::normals<float>(6, 999);
  CHECK(pass.parameter_gradients[0] == Approx(g[0] - g[3]));  // weight (0, 0): x = 1 and -1
  CHECK(pass.parameter_gradients[1] == Approx(2 * g[3]));     // weight (0, 1): x = 0 and 2
  CHECK(pass.parameter_gradients[8] == Approx(g[2] + g[5]));  // bias 2
  CHECK(pass.operand_gradients[0][0] == Approx(g[0] + 3 * g[1] + 5 * g[2]));
}

TEST_CASE("Pointwise linear: float agrees with double, whose product is another, and repeats bit for bit on any threads") {
  cpu::Device one({.threads = 1}), three({.threads = 3});
  const auto check = [&](int inputs, int outputs, Shape shape) {
    Layer<float> l(inputs, outputs);
    Layer<double> exact(inputs, outputs);
    shape.channels = inputs;
    const std::vector operands{test::random_operand<float>(shape, 1)};
    const auto pass = test::train_pass(one, l.parameters, operands, l.apply());
    const auto expected =
        test::train_pass<double>(one, exact.parameters, {test::random_operand<double>(shape, 1)}, exact.apply());
    INFO(shape << " to " << outputs);
    CHECK(test::relative_difference(pass.result, expected.result) < test::tolerance::float_sum);
    CHECK(test::relative_difference(pass.operand_gradients[0], expected.operand_gradients[0]) < test::tolerance::float_sum);
    CHECK(test::relative_difference(pass.parameter_gradients, expected.parameter_gradients) < test::tolerance::float_sum);
    CHECK((shape.cells() <= ops::few_rows || pass.margins_intact));  // of few rows gradients lie where scratch memory was
    CHECK(test::train_pass(one, l.parameters, operands, l.apply()) == pass);
    CHECK(test::train_pass(three, l.parameters, operands, l.apply()) == pass);
  };
  for (const auto& [inputs, outputs, height] : {std::tuple(1, 33, 1), std::tuple(31, 16, 7), std::tuple(64, 32, 33)})
    check(inputs, outputs, {.batch = 2, .height = height, .width = 31});
  for (const int inputs : {1, 33, 128})  // as the features of the diffusion time have them
    for (const int outputs : {1, 33, 256})
      for (const int rows : {1, 16, 31}) check(inputs, outputs, {.batch = rows});
}

TEST_CASE("Pointwise linear: a row is the same among few rows and among many, added too") {
  cpu::Device device({.threads = 1});
  Layer<float> l(300, 33);  // deeper than one stretch of a product
  const Shape many{.batch = 70, .channels = 300}, few{.batch = 30, .channels = 300};
  const auto x = test::random_operand<float>(many, 1);
  const test::Operand<float> first{few, {x.values.begin(), x.values.begin() + 30 * 300}};
  const auto check = [&](const auto& apply) {
    const auto all = test::infer_pass<float>(device, l.parameters, {x, x}, apply);
    CHECK(test::infer_pass<float>(device, l.parameters, {first, first}, apply) ==
          std::vector<float>(all.begin(), all.begin() + 30 * 33));
  };
  check(l.apply());
  check(l.add());
}

TEST_CASE("Pointwise linear: gradients are central differences, with and without a bias, added or not") {
  cpu::Device device({.threads = 1});
  for (const bool biased : {true, false}) {
    Layer<double> l(5, 4, biased);
    const std::vector operands{test::random_operand<double>({.batch = 2, .height = 3, .width = 2, .channels = 5}, 1),
                               test::random_operand<double>({.batch = 2, .height = 3, .width = 2, .channels = 5}, 2)};
    CHECK(test::gradient_error(device, l.parameters, operands, l.apply(), {1}) < test::tolerance::gradient);
    CHECK(test::gradient_error(device, l.parameters, operands, l.add()) < test::tolerance::gradient);
  }
}

TEST_CASE("Pointwise linear: NaN stays in its position; other shapes are refused") {
  cpu::Device device({.threads = 1});
  Layer<float> l(5, 3);
  auto x = test::random_operand<float>({.height = 4, .channels = 5}, 1);
  x.values[7] = test::nan<float>;
  const auto y = test::infer_pass<float>(device, l.parameters, {x}, l.apply());
  for (std::size_t i = 0; i < y.size(); ++i) CHECK(std::isnan(y[i]) == (i / 3 == 1));
  x.shape = {.height = 5, .channels = 4};
  CHECK(test::message_of<ShapeError>([&] { test::infer_pass<float>(device, l.parameters, {x}, l.apply()); }) ==
        "pointwise_linear: x has shape (1, 1, 5, 1, 4), expected 5 channels");
}
