#include "lacuna/ops/canvas.hpp"

#include "catch.hpp"
#include "support/probe.hpp"
#include "support/tolerances.hpp"

using namespace lacuna;

namespace {

const auto to_canvas = [](int height, int width) {
  return [height, width](auto& graph, const auto& x) { return ops::canvas(graph, x[0], height, width); };
};

}  // namespace

TEST_CASE("Canvas: grows with zeros at the bottom and right, and cuts there") {
  cpu::Device device({.threads = 1});
  Parameters<float> parameters;
  const test::Operand<float> x{{.batch = 2, .height = 2, .width = 2}, {1, 2, 3, 4, 5, 6, 7, 8}};
  CHECK(test::train_pass<float>(device, parameters, {x}, to_canvas(3, 3)).result ==
        std::vector<float>{1, 2, 0, 3, 4, 0, 0, 0, 0, 5, 6, 0, 7, 8, 0, 0, 0, 0});
  CHECK(test::train_pass<float>(device, parameters, {x}, to_canvas(1, 2)).result == std::vector<float>{1, 2, 5, 6});
  CHECK(test::train_pass<float>(device, parameters, {x}, to_canvas(3, 1)).result == std::vector<float>{1, 3, 0, 5, 7, 0});
  CHECK(test::train_pass<float>(device, parameters, {x}, to_canvas(2, 2)).result == x.values);
}

TEST_CASE("Canvas: the gradient is that of the kept positions") {
  cpu::Device device({.threads = 1});
  Parameters<double> parameters;
  const std::vector operands{test::random_operand<double>({.batch = 2, .frames = 2, .height = 3, .width = 5, .channels = 3}, 1)};
  for (const auto& [height, width] : {std::pair(4, 8), std::pair(2, 4), std::pair(5, 1)})
    CHECK(test::gradient_error(device, parameters, operands, to_canvas(height, width)) < test::tolerance::gradient);
}

TEST_CASE("Canvas: growing and cutting back loses nothing, NaN included, and writes nothing past the end") {
  cpu::Device device({.threads = 1});
  Parameters<float> parameters;
  auto x = test::random_operand<float>({.height = 3, .width = 5}, 1);
  x.values[14] = test::nan<float>;
  const auto pass = test::train_pass<float>(device, parameters, {x}, [](auto& graph, const auto& operands) {
    return ops::canvas(graph, ops::canvas(graph, operands[0], 4, 8), 3, 5);
  });
  CHECK(test::relative_difference(pass.result, x.values) == 0);
  CHECK(pass.margins_intact);
  CHECK(test::relative_difference(pass.operand_gradients[0], test::normals<float>(15, 999)) == 0);
}

TEST_CASE("Canvas: hands on no gradient where it is given none") {
  cpu::Device device({.threads = 1});
  Parameters<float> parameters;
  Graph<float> graph(device, parameters, Mode::train);
  const auto x = graph.make({.height = 3, .width = 3});
  const std::size_t live = device.arena().live();
  ops::canvas(graph, x, 4, 4);
  graph.backward();
  CHECK(x.node->gradient == nullptr);
  CHECK(device.arena().live() == live);
}
