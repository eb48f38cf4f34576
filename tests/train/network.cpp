#include "lacuna/train/network.hpp"

#include "catch.hpp"
#include "support/probe.hpp"

using namespace lacuna;

namespace {

struct Answers {
  int channels;
  Variable<float> operator()(Graph<float>& g, const Variable<float>& input, const float*) const {
    return g.make(input.shape.with_channels(channels));
  }
};
static_assert(train::Network<Answers, cpu::Device>);
static_assert(!train::Network<int, cpu::Device>);

}  // namespace

TEST_CASE("a network's answer must have the batch's shape") {
  cpu::Device device({.threads = 1});
  Parameters<float> parameters;
  Graph<float> graph(device, parameters, Mode::infer);
  const train::BatchShape shape{{.frames = 3, .variables = 2}, 4, 5, 6};
  const auto input = graph.make(shape.input());
  CHECK(train::apply(Answers{6}, graph, input, nullptr, shape).shape == shape.answers());
  CHECK(test::message_of<ShapeError>([&] { train::apply(Answers{1}, graph, input, nullptr, shape); }) ==
        "network: its answer to an input of (4, 1, 5, 6, 12) is of (4, 1, 5, 6, 1), expected (4, 1, 5, 6, 6)");
}

TEST_CASE("a network is made for the channels of a layout") {
  const train::NetworkShape shape{{.frames = 3, .variables = 2, .background = true}, 9, 8};
  CHECK(shape.inputs() == 18);
  CHECK(shape.outputs() == 6);
}
