#include "lacuna/nn/space_time_unet.hpp"

#include <cmath>

#include "catch.hpp"
#include "lacuna/ops/masked_loss.hpp"
#include "support/probe.hpp"
#include "support/tolerances.hpp"

using namespace lacuna;
using cpu::Convolutions;
using Settings = nn::SpaceTimeUNet::Settings;

namespace {

template <class T>
struct Net {
  explicit Net(const Settings& settings) : unet(settings, parameters, 3) {
    for (const auto& entry : parameters.entries())  // gains away from one, so that their places matter
      if (entry.name.ends_with("gain")) {
        const auto z = test::normals<T>(entry.at.size, 70);
        for (std::size_t i = 0; i < z.size(); ++i) parameters.value(entry.at)[i] += T(0.2) * z[i];
      }
  }
  test::Operand<T> input(Shape shape) const {
    shape.channels = unet.settings().inputs;
    return test::random_operand<T>(shape, 1);
  }
  auto apply(ops::InputGradient input_gradient = ops::InputGradient::skipped) const {
    return [this, input_gradient](Graph<T>& graph, const auto& x) { return unet(graph, x[0], times, input_gradient); };
  }
  Parameters<T> parameters;
  nn::SpaceTimeUNet unet;
  T times[4] = {T(0.9), T(0.02), T(0.4), T(0.7)};
};

std::vector<Convolutions> paths() {
#ifdef LACUNA_HAS_ONEDNN
  return {Convolutions::eigen, Convolutions::onednn};
#else
  return {Convolutions::eigen};
#endif
}

const Settings small{.inputs = 3, .outputs = 2, .hidden = 4, .multipliers = {1, 2}, .spatial_features = 4};

}  // namespace

TEST_CASE("SpaceTimeUNet: as many parameters as the published network with the paper's settings") {
  CHECK(Net<float>({}).parameters.size() == 1276515);
}

TEST_CASE("SpaceTimeUNet: the same seed gives the same start, another seed another") {
  const auto start = [](std::uint64_t seed) {
    Parameters<float> p;
    nn::SpaceTimeUNet(small, p, seed);
    return p.values();
  };
  CHECK(start(1) == start(1));
  CHECK(start(1) != start(2));
}

TEST_CASE("SpaceTimeUNet: gradients of the input and of every parameter tensor are central differences") {
  cpu::Device device({.threads = 1});
  for (const auto& [height, width] : {std::pair(4, 2), std::pair(3, 3)}) {
    Net<double> net(small);
    auto input = net.input({.batch = 2, .frames = 3, .height = height, .width = width});
    const auto apply = net.apply(ops::InputGradient::computed);
    const auto pass = test::train_pass<double>(device, net.parameters, {input}, apply);
    const auto weights = test::normals<double>(pass.result.size(), 999);
    const auto objective = [&] {
      const auto y = test::infer_pass<double>(device, net.parameters, {input}, apply);
      double sum = 0;
      for (std::size_t i = 0; i < y.size(); ++i) sum += weights[i] * y[i];
      return sum;
    };
    // Along a random direction: one number for each tensor.
    const auto check = [&](const std::string& name, double* values, const double* gradient, std::size_t size) {
      auto direction = test::normals<double>(size, 50);
      for (double& d : direction) d /= std::sqrt(static_cast<double>(size));
      const std::vector<double> at(values, values + size);
      double along = 0, length = 0, expected = 0;
      for (std::size_t i = 0; i < size; ++i) {
        expected += direction[i] * gradient[i];
        length += std::abs(direction[i] * gradient[i]);
      }
      const double slope = test::central_difference(
          along,
          [&] {
            for (std::size_t i = 0; i < size; ++i) values[i] = at[i] + along * direction[i];
            return objective();
          },
          test::network_step);
      std::copy(at.begin(), at.end(), values);
      INFO(name << ": " << slope << " and " << expected);
      CHECK(std::abs(slope - expected) < test::tolerance::network_gradient * length);
    };
    for (const auto& entry : net.parameters.entries()) {
      const double* gradient = pass.parameter_gradients.data() + entry.at.offset;
      if (!entry.name.ends_with("freqs"))
        check(entry.name, net.parameters.value(entry.at), gradient, entry.at.size);
      else
        CHECK(std::all_of(gradient, gradient + entry.at.size, [](double g) { return g == 0; }));
    }
    check("input", input.values.data(), pass.operand_gradients[0].data(), input.values.size());
  }
}

TEST_CASE("SpaceTimeUNet: any number of frames and grid size; a grown grid equals the input with zeros appended") {
  for (const auto path : paths()) {
    cpu::Device device({.threads = 1, .convolutions = path});
    Net<float> net({.hidden = 8});
    for (const auto& [frames, height, width] : {std::tuple(1, 13, 10), std::tuple(3, 1, 1), std::tuple(9, 3, 17)}) {
      const auto pass = test::train_pass<float>(
          device, net.parameters, {net.input({.batch = 2, .frames = frames, .height = height, .width = width})}, net.apply());
      CHECK(pass.shape == Shape{.batch = 2, .frames = frames, .height = height, .width = width, .channels = 1});
      CHECK(test::all_finite(pass.result));
      CHECK(test::all_finite(pass.parameter_gradients));
      CHECK(pass.margins_intact);
    }
    const auto cut = net.input({.frames = 2, .height = 13, .width = 10});
    test::Operand<float> grown{{.frames = 2, .height = 16, .width = 12, .channels = 2},
                               std::vector<float>(std::size_t{2} * 16 * 12 * 2)};
    for (std::ptrdiff_t frame = 0; frame < 2; ++frame)
      ops::copy_window(cut.values.data() + frame * 13 * 10 * 2, cut.shape, grown.values.data() + frame * 16 * 12 * 2,
                       {0, 0, 16, 12}, {});
    const auto a = test::infer_pass<float>(device, net.parameters, {cut}, net.apply());
    const auto b = test::infer_pass<float>(device, net.parameters, {grown}, net.apply());
    for (std::size_t t = 0; t < 2; ++t)
      for (std::size_t y = 0; y < 13; ++y)
        for (std::size_t x = 0; x < 10; ++x) REQUIRE(a[(13 * t + y) * 10 + x] == b[(16 * t + y) * 12 + x]);
  }
}

TEST_CASE("SpaceTimeUNet: inference equals the training pass and repeats bit for bit") {
  for (const auto path : paths()) {
    cpu::Device device({.threads = 1, .convolutions = path});
    Net<float> net({.hidden = 16});
    const std::vector operands{net.input({.batch = 2, .frames = 3, .height = 12, .width = 8})};
    const auto pass = test::train_pass(device, net.parameters, operands, net.apply());
    CHECK(test::infer_pass(device, net.parameters, operands, net.apply()) == pass.result);
    CHECK(test::train_pass(device, net.parameters, operands, net.apply()) == pass);
  }
}

TEST_CASE("SpaceTimeUNet: on Eigen the result does not depend on the number of threads") {
  Net<float> net({.hidden = 16});
  const std::vector operands{net.input({.batch = 2, .frames = 3, .height = 12, .width = 8})};
  cpu::Device one({.threads = 1, .convolutions = Convolutions::eigen}), two({.threads = 2, .convolutions = Convolutions::eigen});
  CHECK(test::train_pass(one, net.parameters, operands, net.apply()) ==
        test::train_pass(two, net.parameters, operands, net.apply()));
}

TEST_CASE("SpaceTimeUNet: members of a batch do not see each other, frames of a sample do") {
  cpu::Device device({.threads = 1, .convolutions = Convolutions::eigen});
  Net<float> net({.hidden = 8});
  auto input = net.input({.batch = 2, .frames = 2, .height = 8, .width = 8});
  const std::size_t sample = 2 * 64;
  const auto run = [&] { return test::infer_pass<float>(device, net.parameters, {input}, net.apply()); };
  const auto before = run();
  input.values.back() += 1;  // the last sample's last frame
  const auto after = run();
  for (std::size_t i = 0; i < sample; ++i) CHECK(before[i] == after[i]);
  for (std::size_t i = sample; i < sample + 64; ++i) CHECK(before[i] != after[i]);
  for (std::size_t i = input.values.size() / 2; i < input.values.size(); ++i) input.values[i] = test::nan<float>;
  const auto poisoned = run();
  for (std::size_t i = 0; i < sample; ++i) CHECK(before[i] == poisoned[i]);
}

TEST_CASE("SpaceTimeUNet: the same network on oneDNN and on Eigen") {
  if (paths().size() < 2) return;
  Net<float> net({.inputs = 3, .outputs = 2, .hidden = 32});
  const std::vector operands{net.input({.batch = 2, .frames = 3, .height = 13, .width = 10})};
  cpu::Device plain({.threads = 1, .convolutions = Convolutions::eigen}),
      library({.threads = 1, .convolutions = Convolutions::onednn});
  const auto expected = test::train_pass(plain, net.parameters, operands, net.apply());
  const auto given = test::train_pass(library, net.parameters, operands, net.apply());
  CHECK(test::relative_difference(given.result, expected.result) < test::tolerance::float_network);
  for (const auto& entry : net.parameters.entries()) {
    const auto part = [&](const std::vector<float>& all) {
      const auto begin = all.begin() + static_cast<std::ptrdiff_t>(entry.at.offset);
      return std::vector<float>(begin, begin + static_cast<std::ptrdiff_t>(entry.at.size));
    };
    INFO(entry.name);
    CHECK(test::relative_difference(part(given.parameter_gradients), part(expected.parameter_gradients)) <
          test::tolerance::float_network);
  }
}

TEST_CASE("SpaceTimeUNet: a dry pass plans exactly the memory of a real one, in training and inference") {
  for (const auto path : paths())
    for (const auto mode : {Mode::train, Mode::infer})
      for (const int size : {12, 13}) {
        Net<float> net({.hidden = 16});
        const std::vector<float> target(static_cast<std::size_t>(6 * size * size));
        const std::vector<std::uint8_t> query(target.size(), 1);
        const auto high_water = [&](cpu::Device& device, bool dry) {
          Graph<float> graph(device, net.parameters, mode, dry);
          const auto x = graph.make({.batch = 2, .frames = 3, .height = size, .width = size, .channels = 2});
          if (!dry) std::fill_n(x.data, x.shape.size(), 0.5f);
          const auto y = net.unet(graph, x, net.times);
          if (mode == Mode::train) {
            ops::masked_loss(graph, y, target.data(), query.data());
            graph.backward();
          }
          return device.arena().high_water();
        };
        cpu::Device planned({.threads = 2, .convolutions = path}), real({.threads = 2, .convolutions = path});
        CHECK(high_water(planned, true) == high_water(real, false));
        real.reset();
        const std::size_t first = real.arena().high_water();
        CHECK(high_water(real, false) == first);
      }
}

TEST_CASE("SpaceTimeUNet: inference leaves the input and the estimate alone in the arena") {
  for (const auto path : paths())
    for (const int size : {16, 13}) {
      cpu::Device device({.threads = 1, .convolutions = path});
      Net<float> net({.hidden = 16});
      Graph<float> graph(device, net.parameters, Mode::infer);
      const auto x = test::place<float>(graph, {net.input({.batch = 2, .frames = 3, .height = size, .width = size})})[0];
      const std::size_t input = device.arena().live();
      const auto y = net.unet(graph, x, net.times);
      CHECK(device.arena().live() == input + (y.shape.size() * sizeof(float) + 63) / 64 * 64);
      CHECK(device.tape().live() == 0);
    }
}

TEST_CASE("SpaceTimeUNet: settings out of range are refused: the layer, what it expects, what was given") {
  const auto message = [](const Settings& s) {
    Parameters<float> p;
    const auto what = test::message_of<OptionError>([&] { nn::SpaceTimeUNet(s, p, 1); });
    CHECK(p.size() == 0);
    return what;
  };
  CHECK(message({.inputs = 0}) == "SpaceTimeUNet: init_conv: inputs 0, expected from 1");
  CHECK(message({.outputs = -1}) == "SpaceTimeUNet: final_conv: outputs -1, expected from 1");
  CHECK(message({.hidden = 5}) == "SpaceTimeUNet: time_mlp: hidden 5, expected an even width from 4");
  CHECK(message({.multipliers = {}}) == "SpaceTimeUNet: downs: 0 multipliers, expected 1 to 8");
  CHECK(message({.multipliers = {1, 0}}) == "SpaceTimeUNet: downs.1: multiplier 0, expected from 1");
  CHECK(message({.heads = 0}) == "SpaceTimeUNet: attention: heads 0, expected from 1");
  CHECK(message({.spatial_features = 0}) == "SpaceTimeUNet: mid_spatial_attn: features a head 0, expected from 1");
  CHECK(message({.temporal_features = 3}) ==
        "SpaceTimeUNet: init_temporal_attn: 3 features a head, expected an even number (rotary embedding turns pairs)");
}

TEST_CASE("SpaceTimeUNet: an input of another width is refused") {
  cpu::Device device({.threads = 1});
  Net<float> net({.hidden = 4});
  CHECK(test::message_of<ShapeError>([&] {
          test::infer_pass<float>(device, net.parameters,
                                  {test::random_operand<float>({.height = 8, .width = 8, .channels = 3}, 1)}, net.apply());
        }) == "SpaceTimeUNet: init_conv: input has shape (1, 1, 8, 8, 3), expected 2 channels");
}
