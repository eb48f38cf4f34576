// What the profile says of whole networks: every op by its name.

#include "lacuna/autograd/profile.hpp"

#include <chrono>
#include <map>
#include <string>
#include <utility>

#include "catch.hpp"
#include "lacuna/nn/fno.hpp"
#include "lacuna/nn/space_time_unet.hpp"
#include "lacuna/nn/unet.hpp"
#include "lacuna/ops/frame_axis.hpp"
#include "lacuna/ops/masked_loss.hpp"
#include "support/fill.hpp"

using namespace lacuna;

namespace {

/// Calls by name in one step of the network on frames as channels, unpacked where it wants them as an axis.
template <class Network>
std::map<std::string, std::size_t> calls(const typename Network::Settings& settings, Shape shape) {
  cpu::Device device({.threads = 2});
  Parameters<float> parameters;
  const Network network(settings, parameters, 1);
  shape.channels = shape.frames * settings.inputs;
  const int frames = std::exchange(shape.frames, 1);
  const auto values = test::normals<float>(shape.size(), 1),
             target = test::normals<float>(shape.with_channels(frames * settings.outputs).size(), 2);
  const auto query = test::coins(target.size(), 0.5f, 3);
  const float times[] = {0.2f, 0.8f};
  Profile profile;
  const auto start = std::chrono::steady_clock::now();
  {
    const auto whole = Profile::step(&profile);
    Graph<float> graph(device, parameters, Mode::train, false, &profile);
    const auto input = graph.make(shape);
    std::copy(values.begin(), values.end(), input.data);
    auto x = input;
    if (frames > 1) x = ops::unpack_frames(graph, x, {.frames = frames, .variables = settings.inputs});
    x = network(graph, x, times);
    if (frames > 1) x = ops::pack_frames(graph, x);
    ops::masked_loss(graph, x, target.data(), query.data());
    graph.backward();
  }
  CHECK(profile.seconds() <= std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  CHECK(profile.rows()[0].backward == 0);  // where closures of ops without a name would go
  std::map<std::string, std::size_t> found;
  for (const auto& row : profile.rows())
    if (row.name != "between ops") found[std::string(row.name)] = row.calls;
  return found;
}

using Calls = std::map<std::string, std::size_t>;

}  // namespace

TEST_CASE("the profile of a 2-D UNet of two levels, by hand, cut to size or not") {
  // Residual blocks: 2 a level down, 2 in the middle, 2 a level up, 1 at the end, all but the last with a linear of the time;
  // 3 have another width (down 1, up 0, up 1: [x, skip]) and the last has too. Ends: conv 5x5, conv 1x1, down, up.
  Calls expected{{"activation", 2},      {"concatenate", 3},           {"convolution", 11 * 2 + 4},
                 {"convolution_add", 4}, {"pointwise_linear", 2 + 10}, {"masked_loss", 1},
                 {"rms_norm_silu", 22},  {"time_embedding", 1}};
  const nn::UNet::Settings settings{.hidden = 4, .multipliers = {1, 2}};
  CHECK(calls<nn::UNet>(settings, {.batch = 2, .height = 8, .width = 6}) == expected);
  expected["canvas"] = 2;
  CHECK(calls<nn::UNet>(settings, {.batch = 2, .height = 7, .width = 6}) == expected);
}

TEST_CASE("the profile of a space-time UNet of one level, by hand") {
  // Residual blocks: 2 down, 2 in the middle, 2 up, 1 at the end; attention: 1 temporal first, then linear and temporal down and
  // up, spatial and temporal in the middle.
  const Calls expected{{"activation", 2},      {"concatenate", 2},          {"convolution", 2 * 7 + 2},
                       {"convolution_add", 2}, {"pointwise_linear", 2 + 6}, {"linear_attention", 2},
                       {"layer_norm", 7},      {"masked_loss", 1},          {"pack_frames", 1},
                       {"rms_norm_silu", 14},  {"spatial_attention", 1},    {"temporal_attention", 4},
                       {"time_embedding", 1},  {"unpack_frames", 1}};
  CHECK(calls<nn::SpaceTimeUNet>({.hidden = 4, .multipliers = {1}}, {.batch = 2, .frames = 3, .height = 4, .width = 4}) ==
        expected);
}

TEST_CASE("the profile of a Fourier neural operator, by hand") {
  // A layer: spectral convolution, skip, GELU, two linears with a GELU between, gated addition, GELU; the last without the outer
  // two.
  const Calls expected{{"activation", 1 + 1 + 3 * 3 - 2 + 1},
                       {"conditioned_linear", 1},
                       {"gated_add", 3},
                       {"masked_loss", 1},
                       {"pointwise_linear", 2 + 1 + 3 * 2 + 2},
                       {"pointwise_linear_add", 3},
                       {"spectral_convolution", 3},
                       {"time_embedding", 1}};
  CHECK(calls<nn::Fno>({.hidden = 4, .modes = {4, 4}, .layers = 3, .time_features = 8}, {.batch = 2, .height = 6, .width = 7}) ==
        expected);
}
