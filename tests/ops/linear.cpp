#include "lacuna/ops/linear.hpp"

#include "catch.hpp"
#include "support/probe.hpp"
#include "support/tolerances.hpp"

using namespace lacuna;

namespace {

template <class T>
struct Layer {
  Layer(int inputs, int outputs) {
    layer = {parameters.add("weight", {outputs, inputs}), parameters.add("bias", {outputs}), inputs, outputs};
    parameters.values() = test::normals<T>(parameters.size(), 11);
  }
  auto apply() const {
    return [l = layer](Graph<T>& graph, const auto& x) { return ops::linear(graph, l, x[0]); };
  }
  Parameters<T> parameters;
  ops::LinearParameters layer;
};

}  // namespace

TEST_CASE("Linear: by hand") {
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

TEST_CASE("Linear: gradients of the input, weight and bias are central differences") {
  cpu::Device device({.threads = 1});
  Layer<double> l(7, 5);
  const std::vector operands{test::random_operand<double>({.batch = 3, .height = 2, .channels = 7}, 1)};
  CHECK(test::gradient_error(device, l.parameters, operands, l.apply()) < test::tolerance::gradient);
}

TEST_CASE("Linear: float agrees with double, repeats bit for bit and writes nothing past the end") {
  for (const int inputs : {1, 31, 33, 128})
    for (const int outputs : {1, 33, 256})
      for (const int rows : {1, 16, 31}) {
        cpu::Device device({.threads = 1});
        Layer<float> l(inputs, outputs);
        Layer<double> exact(inputs, outputs);
        const Shape shape{.batch = rows, .channels = inputs};
        const std::vector operands{test::random_operand<float>(shape, 1)};
        const auto pass = test::train_pass(device, l.parameters, operands, l.apply());
        const auto expected =
            test::train_pass<double>(device, exact.parameters, {test::random_operand<double>(shape, 1)}, exact.apply());
        INFO(inputs << " to " << outputs << ", " << rows << " rows");
        CHECK(test::relative_difference(pass.result, expected.result) < test::tolerance::float_sum);
        CHECK(test::relative_difference(pass.operand_gradients[0], expected.operand_gradients[0]) < test::tolerance::float_sum);
        CHECK(test::relative_difference(pass.parameter_gradients, expected.parameter_gradients) < test::tolerance::float_sum);
        CHECK(pass.margins_intact);
        CHECK(pass == test::train_pass(device, l.parameters, operands, l.apply()));
      }
}

TEST_CASE("Linear: the same for any number of threads") {
  Layer<float> l(128, 256);
  const std::vector operands{test::random_operand<float>({.batch = 200, .channels = 128}, 1)};
  cpu::Device one({.threads = 1}), four({.threads = 4});
  CHECK(test::train_pass(one, l.parameters, operands, l.apply()) == test::train_pass(four, l.parameters, operands, l.apply()));
}

TEST_CASE("Linear: NaN stays in its position") {
  cpu::Device device({.threads = 1});
  Layer<float> l(5, 3);
  auto x = test::random_operand<float>({.height = 4, .channels = 5}, 1);
  x.values[7] = test::nan<float>;
  const auto pass = test::train_pass<float>(device, l.parameters, {x}, l.apply());
  for (std::size_t i = 0; i < pass.result.size(); ++i) CHECK(std::isnan(pass.result[i]) == (i / 3 == 1));
  CHECK(test::all_finite(pass.operand_gradients[0]));
}

TEST_CASE("Linear: an input of another width is refused") {
  cpu::Device device({.threads = 1});
  Layer<float> l(5, 3);
  CHECK(test::message_of<ShapeError>([&] {
          test::train_pass<float>(device, l.parameters, {test::random_operand<float>({.batch = 2, .channels = 4}, 1)}, l.apply());
        }) == "linear: x has shape (2, 1, 1, 1, 4), expected 5 channels");
}
