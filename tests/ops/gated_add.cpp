#include "lacuna/ops/gated_add.hpp"

#include "catch.hpp"
#include "lacuna/ops/activation.hpp"
#include "support/probe.hpp"
#include "support/tolerances.hpp"

using namespace lacuna;

namespace {

/// GELU of x[1] + gate x[0]: the sum needs a buffer of its own.
template <class T>
auto apply(Parameter gate) {
  return [gate](Graph<T>& graph, const auto& x) {
    const auto sum = ops::activation<ops::Gelu>(graph, x[1]);
    ops::gated_add(graph, gate, x[0], sum);
    return sum;
  };
}

}  // namespace

TEST_CASE("Gated add: by hand") {
  cpu::Device device({.threads = 1});
  Parameters<float> p;
  const auto gate = p.add("gate", {2});
  p.values() = {2, -1};
  const Shape shape{.width = 2, .channels = 2};
  const auto pass = test::train_pass<float>(device, p, {{shape, {1, 2, 3, 4}}, {shape, {0, 0, 0, 0}}}, apply<float>(gate));
  CHECK(pass.result == std::vector<float>{2, -2, 6, -4});
  const auto g = test::normals<float>(4, 999);
  CHECK(pass.operand_gradients[0][3] == -g[3]);
  CHECK(pass.parameter_gradients[0] == Approx(g[0] + 3 * g[2]));
}

TEST_CASE("Gated add: gradients are central differences, and threads change nothing") {
  cpu::Device device({.threads = 1});
  Parameters<double> p;
  const auto gate = p.add("gate", {5});
  p.values() = test::normals<double>(5, 11);
  const Shape shape{.batch = 2, .height = 3, .width = 4, .channels = 5};
  CHECK(test::gradient_error(device, p, {test::random_operand<double>(shape, 1), test::random_operand<double>(shape, 2)},
                             apply<double>(gate)) < test::tolerance::gradient);
  const Shape large{.batch = 2, .height = 33, .width = 31, .channels = 5};
  const std::vector operands{test::random_operand<double>(large, 1), test::random_operand<double>(large, 2)};
  cpu::Device three({.threads = 3});
  CHECK(test::train_pass(device, p, operands, apply<double>(gate)) == test::train_pass(three, p, operands, apply<double>(gate)));
}

TEST_CASE("Gated add: other shapes are refused") {
  cpu::Device device({.threads = 1});
  Parameters<float> p;
  const auto gate = p.add("gate", {3});
  CHECK(test::message_of<ShapeError>([&] {
          const auto x = test::random_operand<float>({.channels = 2}, 1);
          test::infer_pass<float>(device, p, {x, x}, apply<float>(gate));
        }) == "gated_add: x has shape (1, 1, 1, 1, 2), expected 3 channels");
}
