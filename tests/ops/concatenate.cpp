#include "lacuna/ops/concatenate.hpp"

#include "catch.hpp"
#include "support/bfloat16.hpp"
#include "support/probe.hpp"
#include "support/tolerances.hpp"

using namespace lacuna;

namespace {

const auto join = [](auto& graph, const auto& x) { return ops::concatenate(graph, x[0], x[1]); };

}  // namespace

TEST_CASE("Concatenate: the second operand's channels follow the first's at each position") {
  cpu::Device device({.threads = 1});
  Parameters<float> parameters;
  const test::Operand<float> a{{.height = 2, .channels = 2}, {1, 2, 3, 4}}, b{{.height = 2, .channels = 1}, {5, 6}};
  const auto pass = test::train_pass<float>(device, parameters, {a, b}, join);
  CHECK(pass.shape == Shape{.height = 2, .channels = 3});
  CHECK(pass.result == std::vector<float>{1, 2, 5, 3, 4, 6});
  const auto g = test::normals<float>(6, 999);
  CHECK(pass.operand_gradients[0] == std::vector<float>{g[0], g[1], g[3], g[4]});
  CHECK(pass.operand_gradients[1] == std::vector<float>{g[2], g[5]});
}

TEST_CASE("Concatenate: gradients are central differences, also of an operand joined to itself") {
  cpu::Device device({.threads = 1});
  Parameters<double> parameters;
  const Shape shape{.batch = 2, .frames = 2, .height = 3, .width = 2, .channels = 3};
  const std::vector operands{test::random_operand<double>(shape, 1), test::random_operand<double>(shape.with_channels(5), 2)};
  CHECK(test::gradient_error(device, parameters, operands, join) < test::tolerance::gradient);
  CHECK(test::gradient_error(device, parameters, {operands[0]}, [](auto& graph, const auto& x) {
          return ops::concatenate(graph, x[0], x[0]);
        }) < test::tolerance::gradient);
}

TEST_CASE("Concatenate: the same for any number of threads; NaN is copied; nothing is written past the end") {
  Parameters<float> parameters;
  for (const int cells : {1, 31, 33}) {
    std::vector operands{test::random_operand<float>({.height = cells, .channels = 3}, 1),
                         test::random_operand<float>({.height = cells, .channels = 2}, 2)};
    operands[0].values[0] = 7;
    cpu::Device one({.threads = 1}), four({.threads = 4});
    const auto pass = test::train_pass(one, parameters, operands, join);
    CHECK(pass == test::train_pass(four, parameters, operands, join));
    CHECK(pass.margins_intact);
    operands[1].values[1] = test::nan<float>;
    const auto poisoned = test::train_pass(one, parameters, operands, join);
    for (std::size_t i = 0; i < poisoned.result.size(); ++i) CHECK(std::isnan(poisoned.result[i]) == (i == 4));
  }
}

TEST_CASE("Concatenate: bfloat16 is copied as it is") {
  cpu::Device device({.threads = 1});
  Parameters<float> parameters;
  const std::vector operands{test::narrow_operand({.height = 5, .channels = 3}, 1),
                             test::narrow_operand({.height = 5, .channels = 4}, 2)};
  CHECK(test::infer_pass(device, parameters, operands, test::in_bfloat16(join)) ==
        test::infer_pass(device, parameters, operands, join));
}

TEST_CASE("Concatenate: operands on different grids are refused") {
  cpu::Device device({.threads = 1});
  Parameters<float> parameters;
  const std::vector operands{test::random_operand<float>({.height = 3, .channels = 3}, 1),
                             test::random_operand<float>({.height = 2, .channels = 2}, 2)};
  CHECK(test::message_of<ShapeError>([&] { test::train_pass(device, parameters, operands, join); }) ==
        "concatenate: b has shape (1, 1, 2, 1, 2), expected (1, 1, 3, 1, 2)");
}
