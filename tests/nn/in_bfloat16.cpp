#include "lacuna/nn/in_bfloat16.hpp"

#include <type_traits>

#include "catch.hpp"
#include "lacuna/nn/fno.hpp"
#include "lacuna/nn/space_time_unet.hpp"
#include "lacuna/nn/unet.hpp"
#include "support/compare.hpp"
#include "support/convolution_paths.hpp"
#include "support/probe.hpp"
#include "support/tolerances.hpp"

using namespace lacuna;

namespace {

const Shape shape{.batch = 2, .height = 14, .width = 16, .channels = 3};

/// A network of the settings, the same parameters in either precision, and one pass through it.
template <class Network>
test::Pass<float> pass_of(cpu::Device& device, bool recompute = false, ops::Borders borders = {}, int frames = 1) {
  Parameters<float> parameters;
  const Network network({.inputs = 3, .outputs = 2, .hidden = 32, .borders = borders, .recompute = recompute}, parameters, 1);
  const std::vector<float> times{0.9f, 0.03f};
  Shape input = shape;
  input.frames = frames;
  return test::train_pass<float>(device, parameters, {test::random_operand<float>(input, 1)},
                                 [&](Graph<float>& g, const auto& x) { return network(g, x[0], times.data()); });
}

/// What a training pass takes of the arena.
template <class Network>
std::size_t step_memory(cpu::Convolutions path, bool dry, int frames = 1) {
  cpu::Device device({.threads = 1, .convolutions = path});
  Parameters<float> parameters;
  const Network network({.inputs = 3, .outputs = 2, .hidden = 32}, parameters, 1);
  Graph<float> graph(device, parameters, Mode::train, dry);
  const auto input = graph.make({.batch = 4, .frames = frames, .height = 32, .width = 32, .channels = 3});
  const std::vector<float> times(4, 0.5f);
  if (!dry) std::fill_n(input.data, input.shape.size(), 0.5f);
  const auto y = network(graph, input, times.data());
  float* gradient = graph.take(y.shape.size());
  if (!dry) std::fill_n(gradient, y.shape.size(), 1.0f);
  graph.contribute(y, gradient);
  graph.backward();
  return device.arena().high_water();
}

}  // namespace

TEST_CASE("A UNet in bfloat16: output and gradients are near those in float, on both paths and with any border") {
  for (const auto path : test::convolution_paths())
    for (const auto border : {ops::Border::zero, ops::Border::periodic}) {
      cpu::Device device({.threads = 2, .convolutions = path});
      const auto narrow = pass_of<nn::InBfloat16<nn::UNet>>(device, false, {border, border}),
                 wide = pass_of<nn::UNet>(device, false, {border, border});
      CHECK(narrow.shape == wide.shape);
      CHECK(test::relative_distance(narrow.result, wide.result) < test::tolerance::bfloat16_network);
      CHECK(test::relative_distance(narrow.parameter_gradients, wide.parameter_gradients) < test::tolerance::bfloat16_network);
      CHECK(narrow.result != wide.result);
    }
}

TEST_CASE(
    "A UNet in bfloat16: the same bit for bit again, for recomputed blocks and on the Eigen path for any number of threads") {
  for (const auto path : test::convolution_paths()) {
    cpu::Device device({.threads = 2, .convolutions = path}), one({.threads = 1, .convolutions = path});
    const auto pass = pass_of<nn::InBfloat16<nn::UNet>>(device);
    CHECK(pass == pass_of<nn::InBfloat16<nn::UNet>>(device));
    CHECK(pass == pass_of<nn::InBfloat16<nn::UNet>>(device, true));
    if (path == cpu::Convolutions::eigen) CHECK(pass == pass_of<nn::InBfloat16<nn::UNet>>(one));
  }
}

TEST_CASE("A UNet in bfloat16: a dry pass takes the memory of a real one, which with oneDNN is less than in float") {
  for (const auto path : test::convolution_paths()) {
    const auto planned = step_memory<nn::InBfloat16<nn::UNet>>(path, true);
    CHECK(planned == step_memory<nn::InBfloat16<nn::UNet>>(path, false));
    if (path == cpu::Convolutions::eigen || !simd::has_bfloat16()) continue;  // float copies of the largest layer come on top
    CHECK(static_cast<double>(planned) < 0.8 * static_cast<double>(step_memory<nn::UNet>(path, true)));
  }
}

TEST_CASE("A space-time UNet in bfloat16: output and gradients near those in float, repeated bit for bit, planned as run") {
  for (const auto path : test::convolution_paths()) {
    cpu::Device device({.threads = 2, .convolutions = path});
    constexpr int frames = 3;
    const auto narrow = pass_of<nn::InBfloat16<nn::SpaceTimeUNet>>(device, false, {}, frames),
               wide = pass_of<nn::SpaceTimeUNet>(device, false, {}, frames);
    CHECK(test::relative_distance(narrow.result, wide.result) < test::tolerance::bfloat16_network);
    CHECK(test::relative_distance(narrow.parameter_gradients, wide.parameter_gradients) < test::tolerance::bfloat16_network);
    CHECK(narrow == pass_of<nn::InBfloat16<nn::SpaceTimeUNet>>(device, true, {}, frames));
    CHECK(step_memory<nn::InBfloat16<nn::SpaceTimeUNet>>(path, true, frames) ==
          step_memory<nn::InBfloat16<nn::SpaceTimeUNet>>(path, false, frames));
  }
}

TEST_CASE("A Fourier neural operator in bfloat16: near float, repeated bit for bit, in less memory") {
  for (const bool frames : {false, true}) {
    const Shape of_input{.batch = 4, .frames = frames ? 4 : 1, .height = 32, .width = 32, .channels = 3};
    const std::vector<float> times{0.9f, 0.03f, 0.5f, 0.2f};
    std::size_t planned[2] = {};
    const auto pass = [&](auto network_of, int threads, bool recompute) {
      using Network = typename decltype(network_of)::type;
      cpu::Device device({.threads = threads});
      Parameters<float> parameters;
      nn::Fno::Settings s{.inputs = 3, .outputs = 2, .modes = {8, 8}, .recompute = recompute};
      if (frames) s.modes.insert(s.modes.begin(), 4);
      const Network network(s, parameters, 1);
      const auto run = [&](Graph<float>& g, const auto& x) { return network(g, x[0], times.data()); };
      constexpr bool narrow = !std::is_same_v<Network, nn::Fno>;
      {
        cpu::Device planning({.threads = threads, .arena_bytes = 0});
        Graph<float> graph(planning, parameters, Mode::train, true);
        const auto y = network(graph, graph.make(of_input), times.data());
        graph.contribute(y, graph.take(y.shape.size()));
        graph.backward();
        planned[narrow] = planning.arena().high_water();
      }
      return test::train_pass<float>(device, parameters, {test::random_operand<float>(of_input, 1)}, run);
    };
    const auto wide = pass(std::type_identity<nn::Fno>{}, 2, false);
    const auto narrow = pass(std::type_identity<nn::InBfloat16<nn::Fno>>{}, 2, false);
    CHECK(test::relative_distance(narrow.result, wide.result) < test::tolerance::bfloat16_network);
    CHECK(test::relative_distance(narrow.parameter_gradients, wide.parameter_gradients) < test::tolerance::bfloat16_network);
    CHECK(narrow.result != wide.result);
    CHECK(planned[1] < planned[0]);
    CHECK(narrow == pass(std::type_identity<nn::InBfloat16<nn::Fno>>{}, 1, false));
    CHECK(narrow == pass(std::type_identity<nn::InBfloat16<nn::Fno>>{}, 2, true));
  }
}
