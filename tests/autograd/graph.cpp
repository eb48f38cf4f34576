#include "lacuna/autograd/graph.hpp"

#include "catch.hpp"
#include "lacuna/ops/activation.hpp"
#include "lacuna/ops/concatenate.hpp"
#include "lacuna/ops/pointwise_linear.hpp"
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
          return ops::pointwise_linear(g, layer, ops::activation<ops::Silu>(g, ops::pointwise_linear(g, layer, x[0])));
        }) < test::tolerance::gradient);
}

TEST_CASE("Graph: parameter gradients accumulate over passes until they are zeroed") {
  Device device({.threads = 1});
  Parameters<double> parameters;
  const ops::LinearParameters layer{parameters.add("w", {2, 3}, 0.5), parameters.add("b", {2}), 3, 2};
  const auto pass = [&] {
    device.reset();
    Graph<double> graph(device, parameters, Mode::train);
    const auto y = ops::pointwise_linear(graph, layer, ones(graph, {.channels = 3}));
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

namespace {

/// Two linear layers (of shared weights) around an activation, twice: each pair with its activations kept, or computed again.
struct Blocks {
  explicit Blocks(Parameters<double>& p) : layer{p.add("w", {6, 6}), p.add("b", {6}), 6, 6} {
    p.fill_uniform(layer.weight, 0.8, 1);
    p.fill_uniform(layer.bias, 0.8, 1);
  }
  Variable<double> block(Graph<double>& g, const Variable<double>& x, const Variable<double>& other) const {
    const auto a = ops::pointwise_linear(g, layer, ops::activation<ops::Silu>(g, ops::pointwise_linear(g, layer, x)));
    return ops::concatenate(g, ops::concatenate(g, a, other), x);  // x and other are read twice, inside and outside
  }
  Variable<double> operator()(Graph<double>& g, const Variable<double>& x, int depth) const {
    const auto once = [this, &g, x] { return block(g, x, x); };
    const auto y = depth == 0   ? once()
                   : depth == 1 ? g.recompute(once)
                                : g.recompute([&g, once] { return ops::activation<ops::Gelu>(g, g.recompute(once)); });
    return ops::concatenate(g, depth == 2 ? y : ops::activation<ops::Gelu>(g, y), x);
  }
  ops::LinearParameters layer;
};

}  // namespace

TEST_CASE("Graph: a block that is computed again gives the same result and gradients bit for bit, nested too") {
  cpu::Device device({.threads = 1});
  Parameters<double> parameters;
  const Blocks blocks(parameters);
  const std::vector operands{test::random_operand<double>({.height = 7, .channels = 6}, 1)};
  const auto pass = [&](int depth) {
    return test::train_pass(device, parameters, operands, [&](auto& g, const auto& x) { return blocks(g, x[0], depth); });
  };
  const auto kept = pass(0);
  CHECK(pass(1) == kept);
  CHECK(pass(2) == kept);
  CHECK(test::gradient_error(device, parameters, operands, [&](auto& g, const auto& x) { return blocks(g, x[0], 2); }) <
        test::tolerance::gradient);
  CHECK(test::infer_pass(device, parameters, operands, [&](auto& g, const auto& x) { return blocks(g, x[0], 1); }) ==
        kept.result);
}

TEST_CASE("Graph: of a block that is computed again only the result is kept, a dry pass plans it, and backward frees it") {
  cpu::Device device({.threads = 1});
  Parameters<double> parameters;
  const auto pass = [&](bool again, bool dry) {
    device.reset();
    Graph<double> graph(device, parameters, Mode::train, dry);
    const auto x = ones(graph, {.height = 5, .channels = 8});
    const std::size_t one = device.arena().live();
    const auto block = [&graph, x] {
      auto y = x;
      for (int i = 0; i < 4; ++i) {
        const auto next = ops::activation<ops::Silu>(graph, y);
        if (i > 0) graph.release(y);
        y = next;
      }
      return y;
    };
    const auto y = again ? graph.recompute(block) : block();
    CHECK(device.arena().live() == (again ? 2 : 5) * one);
    graph.contribute(y, filled(graph, y.shape.size(), 1.0));
    graph.backward();
    CHECK(device.arena().live() == 2 * one);  // x and its gradient
    return device.arena().high_water();
  };
  for (const bool again : {false, true}) {
    device.release();
    const auto planned = pass(again, true);
    device.release();
    CHECK(pass(again, false) == planned);
  }
}
