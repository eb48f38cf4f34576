#include "lacuna/model/network.hpp"

#include "catch.hpp"
#include "support/compare.hpp"
#include "support/fill.hpp"
#include "support/probe.hpp"
#include "support/tolerances.hpp"

using namespace lacuna;

namespace {

const train::InputLayout layout{.frames = 3, .variables = 2, .background = true, .climate = false, .place = 3, .season = 2};

std::vector<float> estimate(NetworkKind kind, int height, int width, Precision precision = Precision::float32) {
  Parameters<float> parameters;
  const model::NetworkFactory<cpu::Device> factory{{.kind = kind, .hidden = 4, .precision = precision}};
  const auto network = factory({layout, height, width}, parameters, 1);
  cpu::Device device({.threads = 1});
  Graph<float> graph(device, parameters, Mode::infer);
  const auto input = graph.make({2, 1, height, width, layout.channels()});
  const auto values = test::normals<float>(input.shape.size(), 1);
  std::copy(values.begin(), values.end(), input.data);
  const float times[] = {0.2f, 0.8f};
  const auto y = network(graph, input, times);
  CHECK(y.shape == Shape{2, 1, height, width, layout.fields()});
  return {y.data, y.data + y.shape.size()};
}

}  // namespace

TEST_CASE("each network takes the trainer's input and estimates every frame and variable, in bfloat16 nearly the same") {
  for (const NetworkKind kind : {NetworkKind::unet, NetworkKind::space_time_unet, NetworkKind::fno})
    for (const auto& [height, width] : {std::pair(9, 13), std::pair(1, 6)}) {
      INFO(name(kind) << " on " << height << " x " << width);
      const auto wide = estimate(kind, height, width), narrow = estimate(kind, height, width, Precision::bfloat16);
      CHECK(test::all_finite(wide));
      CHECK(narrow != wide);
      CHECK(test::relative_distance(narrow, wide) < test::tolerance::bfloat16_network);
    }
  CHECK(test::all_finite(estimate(NetworkKind::unet, 5, 1)));
}

TEST_CASE("a grid too narrow for a Fourier neural operator is refused by name") {
  CHECK(test::message_of<OptionError>([] { estimate(NetworkKind::fno, 8, 1); }) ==
        "network.kind fno: the grid has 1 columns, a Fourier neural operator needs 2 or more");
}
