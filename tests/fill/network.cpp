#include "lacuna/fill/network.hpp"

#include "catch.hpp"
#include "support/compare.hpp"
#include "support/fill.hpp"
#include "support/probe.hpp"
#include "support/tolerances.hpp"

using namespace lacuna;

namespace {

const train::InputLayout layout{.frames = 3, .variables = 2, .background = true, .climate = false, .place = 3, .season = 2};

std::vector<float> estimate(const char* name, int height, int width, bool bfloat16 = false) {
  Parameters<float> parameters;
  const fill::Network network({.name = name, .hidden = 4, .bfloat16 = bfloat16}, layout, height, width, parameters, 1);
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
  for (const char* name : {"unet", "space-time-unet", "fno"})
    for (const auto& [height, width] : {std::pair(9, 13), std::pair(1, 6)}) {
      INFO(name << " on " << height << " x " << width);
      const auto wide = estimate(name, height, width), narrow = estimate(name, height, width, true);
      CHECK(test::all_finite(wide));
      CHECK(narrow != wide);
      CHECK(test::relative_distance(narrow, wide) < test::tolerance::bfloat16_network);
    }
  CHECK(test::all_finite(estimate("unet", 5, 1)));
}

TEST_CASE("an unknown network and a grid too narrow for a Fourier neural operator are refused by name") {
  CHECK(test::message_of<OptionError>([] { estimate("transformer", 8, 8); }) ==
        "--network transformer: expected unet, space-time-unet or fno");
  CHECK(test::message_of<OptionError>([] { estimate("fno", 8, 1); }) ==
        "--network fno: the grid has 1 columns, a Fourier neural operator needs 2 or more");
}
