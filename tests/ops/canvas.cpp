#include "lacuna/ops/canvas.hpp"

#include "catch.hpp"
#include "support/probe.hpp"
#include "support/tolerances.hpp"

using namespace lacuna;
using ops::Border;

namespace {

const auto to_canvas = [](const ops::Window& window, const ops::Borders& borders = {}) {
  return [window, borders](auto& graph, const auto& x) { return ops::canvas(graph, x[0], window, borders); };
};

std::vector<float> shown(const test::Operand<float>& x, const ops::Window& window, const ops::Borders& borders = {}) {
  cpu::Device device({.threads = 2});
  Parameters<float> parameters;
  const auto pass = test::train_pass<float>(device, parameters, {x}, to_canvas(window, borders));
  CHECK(pass.margins_intact);
  return pass.result;
}

}  // namespace

TEST_CASE("Canvas: grows with zeros at the bottom and right, and cuts there") {
  const test::Operand<float> x{{.batch = 2, .height = 2, .width = 2}, {1, 2, 3, 4, 5, 6, 7, 8}};
  CHECK(shown(x, {0, 0, 3, 3}) == std::vector<float>{1, 2, 0, 3, 4, 0, 0, 0, 0, 5, 6, 0, 7, 8, 0, 0, 0, 0});
  CHECK(shown(x, {0, 0, 1, 2}) == std::vector<float>{1, 2, 5, 6});
  CHECK(shown(x, {0, 0, 3, 1}) == std::vector<float>{1, 3, 0, 5, 7, 0});
  CHECK(shown(x, {1, 1, 1, 1}) == std::vector<float>{4, 8});
  CHECK(shown(x, {0, 0, 2, 2}) == x.values);
}

TEST_CASE("Canvas: borders by hand, an axis each, wider than the image too") {
  const test::Operand<float> x{{.height = 2, .width = 2}, {1, 2, 3, 4}};
  const ops::Window around{-1, -1, 4, 4};
  CHECK(shown(x, around) == std::vector<float>{0, 0, 0, 0, 0, 1, 2, 0, 0, 3, 4, 0, 0, 0, 0, 0});
  CHECK(shown(x, around, {Border::zero, Border::periodic}) == std::vector<float>{0, 0, 0, 0, 2, 1, 2, 1, 4, 3, 4, 3, 0, 0, 0, 0});
  CHECK(shown(x, around, {Border::periodic, Border::zero}) == std::vector<float>{0, 3, 4, 0, 0, 1, 2, 0, 0, 3, 4, 0, 0, 1, 2, 0});
  CHECK(shown(x, around, {Border::replicated, Border::periodic}) ==
        std::vector<float>{2, 1, 2, 1, 2, 1, 2, 1, 4, 3, 4, 3, 4, 3, 4, 3});
  const test::Operand<float> row{{.width = 3}, {1, 2, 3}};
  CHECK(shown(row, {0, -4, 1, 11}, {Border::zero, Border::periodic}) == std::vector<float>{3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1});
  CHECK(shown(row, {0, -2, 1, 8}, {Border::zero, Border::replicated}) == std::vector<float>{1, 1, 1, 2, 3, 3, 3, 3});
  CHECK(shown(row, {0, 4, 1, 2}, {Border::zero, Border::periodic}) == std::vector<float>{2, 3});
  CHECK(shown(row, {0, 4, 1, 2}) == std::vector<float>{0, 0});
}

TEST_CASE("Canvas: the gradient of a cell is the sum of what was shown of it") {
  cpu::Device device({.threads = 2});
  Parameters<double> parameters;
  const std::vector operands{test::random_operand<double>({.batch = 2, .frames = 2, .height = 3, .width = 5, .channels = 3}, 1)};
  for (const auto rows : {Border::zero, Border::periodic, Border::replicated})
    for (const auto columns : {Border::zero, Border::periodic, Border::replicated})
      for (const auto& window : {ops::Window{0, 0, 4, 8}, ops::Window{0, 0, 2, 4}, ops::Window{0, 0, 5, 1},
                                 ops::Window{-1, -2, 6, 9}, ops::Window{-4, 2, 9, 10}, ops::Window{1, 6, 2, 3}})
        CHECK(test::gradient_error(device, parameters, operands, to_canvas(window, {rows, columns})) < test::tolerance::gradient);
}

TEST_CASE("Canvas: growing and cutting back loses nothing, NaN included, and writes nothing past the end") {
  cpu::Device device({.threads = 1});
  Parameters<float> parameters;
  auto x = test::random_operand<float>({.height = 3, .width = 5}, 1);
  x.values[14] = test::nan<float>;
  const auto pass = test::train_pass<float>(device, parameters, {x}, [](auto& graph, const auto& operands) {
    return ops::canvas(graph, ops::canvas(graph, operands[0], {-1, -2, 6, 9}), {1, 2, 3, 5});
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
  ops::canvas(graph, x, {0, 0, 4, 4});
  graph.backward();
  CHECK(x.node->gradient == nullptr);
  CHECK(device.arena().live() == live);
}
