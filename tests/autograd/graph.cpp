#include "lacuna/autograd/graph.hpp"

#include "catch.hpp"
#include "lacuna/ops/activation.hpp"
#include "lacuna/ops/concatenate.hpp"
#include "lacuna/ops/linear.hpp"
#include "support/probe.hpp"
#include "support/tolerances.hpp"

using namespace lacuna;

namespace {

using Device = cpu::Device;

Variable<double> ones(Graph<double>& graph, const Shape& shape) {
  const auto x = graph.make(shape);
  std::fill_n(x.data, shape.size(), 1.0);
  return x;
}

double* filled(Graph<double>& graph, std::size_t size, double value) {
  double* buffer = graph.take(size);
  std::fill_n(buffer, size, value);
  return buffer;
}

}  // namespace

TEST_CASE("Graph: a variable adopts its first gradient and adds later ones into it") {
  Device device({.threads = 1});
  Parameters<double> parameters;
  Graph<double> graph(device, parameters, Mode::train);
  const auto x = ones(graph, {.height = 3, .width = 3});
  double* first = filled(graph, 9, 2.0);
  graph.contribute(x, first);
  CHECK(x.node->gradient == first);
  const std::size_t live = device.arena().live();
  double* second = filled(graph, 9, 0.5);
  graph.contribute(x, second);
  CHECK(x.node->gradient == first);
  CHECK((first[0] == 2.5 && first[8] == 2.5));
  CHECK(device.arena().live() == live);  // the second buffer is given back
  CHECK(graph.take(9) == second);
}

TEST_CASE("Graph: closures run last to first, each once") {
  Device device({.threads = 1});
  Parameters<double> parameters;
  Graph<double> graph(device, parameters, Mode::train);
  std::vector<int> order;
  for (int i = 0; i < 3; ++i) graph.record([&order, i] { order.push_back(i); });
  graph.backward();
  CHECK(order == std::vector<int>{2, 1, 0});
  graph.backward();
  CHECK(order.size() == 3);
}

TEST_CASE("Graph: a fork adds the gradients of its branches") {
  Device device({.threads = 1});
  Parameters<double> parameters;
  const std::vector operands{test::random_operand<double>({.height = 2, .channels = 3}, 1)};
  CHECK(test::gradient_error(device, parameters, operands, [](Graph<double>& g, const auto& x) {
          const auto a = ops::activation<ops::Silu>(g, x[0]);
          return ops::concatenate(g, ops::concatenate(g, a, x[0]), a);
        }) < test::tolerance::gradient);
}

TEST_CASE("Graph: a layer used twice accumulates both gradients") {
  Device device({.threads = 1});
  Parameters<double> parameters;
  const ops::LinearParameters layer{parameters.add("w", {3, 3}), parameters.add("b", {3}), 3, 3};
  parameters.fill_uniform(layer.weight, 1.0, 1);
  const std::vector operands{test::random_operand<double>({.height = 4, .channels = 3}, 1)};
  CHECK(test::gradient_error(device, parameters, operands, [&](Graph<double>& g, const auto& x) {
          return ops::linear(g, layer, ops::activation<ops::Silu>(g, ops::linear(g, layer, x[0])));
        }) < test::tolerance::gradient);
}

TEST_CASE("Graph: parameter gradients accumulate over passes until they are zeroed") {
  Device device({.threads = 1});
  Parameters<double> parameters;
  const ops::LinearParameters layer{parameters.add("w", {2, 3}, 0.5), parameters.add("b", {2}), 3, 2};
  const auto pass = [&] {
    device.reset();
    Graph<double> graph(device, parameters, Mode::train);
    const auto y = ops::linear(graph, layer, ones(graph, {.channels = 3}));
    graph.contribute(y, filled(graph, 2, 1.0));
    graph.backward();
  };
  pass();
  CHECK(parameters.gradients() == std::vector<double>(8, 1.0));
  pass();
  CHECK(parameters.gradients() == std::vector<double>(8, 2.0));
}

TEST_CASE("Graph: after backward only the inputs, their gradients and nothing of the results is live") {
  Device device({.threads = 1});
  Parameters<double> parameters;
  Graph<double> graph(device, parameters, Mode::train);
  const auto x = ones(graph, {.height = 5, .channels = 8});
  const std::size_t inputs = device.arena().live();
  const auto y = ops::activation<ops::Gelu>(graph, ops::activation<ops::Silu>(graph, x));
  graph.contribute(y, filled(graph, y.shape.size(), 1.0));
  graph.backward();
  CHECK(device.arena().live() == 2 * inputs);
}

TEST_CASE("Graph: inference records nothing and frees what is released") {
  Device device({.threads = 1});
  Parameters<double> parameters;
  Graph<double> graph(device, parameters, Mode::infer);
  CHECK_FALSE(graph.recording());
  const auto x = ones(graph, {.height = 5, .channels = 8});
  const std::size_t one = device.arena().live();
  const auto y = ops::activation<ops::Silu>(graph, x);
  const auto z = ops::activation<ops::Gelu>(graph, y);
  graph.release(y);
  CHECK(x.node == nullptr);
  CHECK(z.node == nullptr);
  CHECK(device.arena().live() == 2 * one);
  CHECK(device.tape().live() == 0);
}

TEST_CASE("Graph: release in training keeps what backward needs") {
  Device device({.threads = 1});
  Parameters<double> parameters;
  Graph<double> graph(device, parameters, Mode::train);
  const auto x = ones(graph, {.channels = 8});
  const std::size_t live = device.arena().live();
  graph.release(x);
  CHECK(device.arena().live() == live);
}

TEST_CASE("Graph: a dry pass takes what a real one takes and touches nothing") {
  Device device({.threads = 1});
  Parameters<double> parameters;
  const auto pass = [&](bool dry) {
    device.reset();
    Graph<double> graph(device, parameters, Mode::train, dry);
    const auto x = graph.make({.height = 7, .channels = 3});
    const auto y = ops::activation<ops::Silu>(graph, ops::concatenate(graph, x, ops::activation<ops::Gelu>(graph, x)));
    graph.contribute(y, graph.take(y.shape.size()));
    graph.backward();
    return std::pair(device.arena().high_water(), device.tape().high_water());
  };
  const auto planned = pass(true);
  CHECK(pass(false) == planned);
}
