#include "lacuna/nn/unet.hpp"

#include <cmath>

#include "catch.hpp"
#include "lacuna/ops/masked_loss.hpp"
#include "support/probe.hpp"
#include "support/tolerances.hpp"

using namespace lacuna;
using cpu::Convolutions;

namespace {

template <class T>
struct Net {
  explicit Net(const nn::UNet::Settings& settings) : unet(settings, parameters, 3) {
    for (const auto& entry : parameters.entries())  // gains away from one, so that their places matter
      if (entry.name.ends_with("gain")) {
        const auto z = test::normals<T>(entry.at.size, 70);
        for (std::size_t i = 0; i < z.size(); ++i) parameters.value(entry.at)[i] += T(0.2) * z[i];
      }
  }
  test::Operand<T> input(int batch, int height, int width) const {
    return test::random_operand<T>({.batch = batch, .height = height, .width = width, .channels = unet.settings().inputs}, 1);
  }
  auto apply() const {
    return [this](Graph<T>& graph, const auto& x) { return unet(graph, x[0], times); };
  }
  Parameters<T> parameters;
  nn::UNet unet;
  T times[4] = {T(0.9), T(0.02), T(0.4), T(0.7)};
};

std::vector<Convolutions> paths() {
#ifdef LACUNA_HAS_ONEDNN
  return {Convolutions::eigen, Convolutions::onednn};
#else
  return {Convolutions::eigen};
#endif
}

}  // namespace

TEST_CASE("UNet: as many parameters as the reference network") {
  CHECK(Net<float>({.inputs = 2, .outputs = 1, .hidden = 32}).parameters.size() == 1173025);
}

TEST_CASE("UNet: the same seed gives the same start, another seed another") {
  const auto start = [](std::uint64_t seed) {
    Parameters<float> p;
    nn::UNet({.hidden = 4}, p, seed);
    return p.values();
  };
  CHECK(start(1) == start(1));
  CHECK(start(1) != start(2));
}

TEST_CASE("UNet: gradients of every parameter tensor are central differences") {
  cpu::Device device({.threads = 1});
  for (const auto& [height, width] : {std::pair(4, 8), std::pair(5, 3)}) {
    Net<double> net({.inputs = 3, .outputs = 2, .hidden = 4, .multipliers = {1, 2}});
    const auto input = net.input(2, height, width);
    const auto pass = test::train_pass<double>(device, net.parameters, {input}, net.apply());
    const auto weights = test::normals<double>(pass.result.size(), 999);
    for (const auto& entry : net.parameters.entries()) {  // along a random direction: one number for each tensor
      auto direction = test::normals<double>(entry.at.size, 50);
      for (double& d : direction) d /= std::sqrt(static_cast<double>(entry.at.size));
      const std::vector<double> at(net.parameters.value(entry.at), net.parameters.value(entry.at) + entry.at.size);
      double along = 0, length = 0, expected = 0;
      for (std::size_t i = 0; i < direction.size(); ++i) {
        const double g = pass.parameter_gradients[entry.at.offset + i];
        expected += direction[i] * g;
        length += std::abs(direction[i] * g);
      }
      const double slope = test::central_difference(
          along,
          [&] {
            for (std::size_t i = 0; i < at.size(); ++i) net.parameters.value(entry.at)[i] = at[i] + along * direction[i];
            const auto y = test::infer_pass<double>(device, net.parameters, {input}, net.apply());
            double sum = 0;
            for (std::size_t i = 0; i < y.size(); ++i) sum += weights[i] * y[i];
            return sum;
          },
          test::network_step);
      std::copy(at.begin(), at.end(), net.parameters.value(entry.at));
      INFO(entry.name << ": " << slope << " and " << expected);
      CHECK(std::abs(slope - expected) < test::tolerance::network_gradient * length);
    }
  }
}

TEST_CASE("UNet: any grid size runs, and a grown one equals the same input with zeros appended") {
  for (const auto path : paths()) {
    cpu::Device device({.threads = 1, .convolutions = path});
    Net<float> net({.inputs = 2, .outputs = 1, .hidden = 8});
    for (const auto& [height, width] : {std::pair(13, 10), std::pair(4, 4), std::pair(1, 1), std::pair(3, 17)}) {
      const auto pass = test::train_pass<float>(device, net.parameters, {net.input(2, height, width)}, net.apply());
      CHECK(pass.shape == Shape{.batch = 2, .height = height, .width = width, .channels = 1});
      CHECK(test::all_finite(pass.result));
      CHECK(test::all_finite(pass.parameter_gradients));
      CHECK(pass.margins_intact);
    }
    const auto small = net.input(1, 13, 10);
    test::Operand<float> grown{{.height = 16, .width = 12, .channels = 2}, std::vector<float>(16 * 12 * 2)};
    for (std::size_t y = 0; y < 13; ++y)
      std::copy_n(small.values.begin() + static_cast<std::ptrdiff_t>(20 * y), 20,
                  grown.values.begin() + static_cast<std::ptrdiff_t>(24 * y));
    const auto a = test::infer_pass<float>(device, net.parameters, {small}, net.apply());
    const auto b = test::infer_pass<float>(device, net.parameters, {grown}, net.apply());
    for (std::size_t y = 0; y < 13; ++y)
      for (std::size_t x = 0; x < 10; ++x) REQUIRE(a[10 * y + x] == b[12 * y + x]);
  }
}

TEST_CASE("UNet: inference equals the training pass and repeats bit for bit") {
  for (const auto path : paths()) {
    cpu::Device device({.threads = 1, .convolutions = path});
    Net<float> net({.inputs = 2, .outputs = 1, .hidden = 16});
    const std::vector operands{net.input(2, 12, 8)};
    const auto pass = test::train_pass(device, net.parameters, operands, net.apply());
    CHECK(test::infer_pass(device, net.parameters, operands, net.apply()) == pass.result);
    CHECK(test::train_pass(device, net.parameters, operands, net.apply()) == pass);
  }
}

TEST_CASE("UNet: on Eigen the result does not depend on the number of threads") {
  Net<float> net({.inputs = 2, .outputs = 1, .hidden = 16});
  const std::vector operands{net.input(2, 12, 8)};
  cpu::Device one({.threads = 1, .convolutions = Convolutions::eigen}), two({.threads = 2, .convolutions = Convolutions::eigen});
  CHECK(test::train_pass(one, net.parameters, operands, net.apply()) ==
        test::train_pass(two, net.parameters, operands, net.apply()));
}

TEST_CASE("UNet: members of a batch do not see each other") {
  cpu::Device device({.threads = 1, .convolutions = Convolutions::eigen});
  Net<float> net({.inputs = 2, .outputs = 1, .hidden = 8});
  auto input = net.input(2, 8, 8);
  const auto before = test::infer_pass<float>(device, net.parameters, {input}, net.apply());
  for (std::size_t i = 128; i < 256; ++i) input.values[i] = test::nan<float>;
  const auto after = test::infer_pass<float>(device, net.parameters, {input}, net.apply());
  for (std::size_t i = 0; i < 64; ++i) CHECK(before[i] == after[i]);
}

TEST_CASE("UNet: the same network on oneDNN and on Eigen") {
  if (paths().size() < 2) return;
  Net<float> net({.inputs = 3, .outputs = 2, .hidden = 32});
  const std::vector operands{net.input(2, 13, 10)};
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

TEST_CASE("UNet: a dry pass plans exactly the memory of a real one, in training and inference") {
  for (const auto path : paths())
    for (const auto mode : {Mode::train, Mode::infer})
      for (const int size : {12, 13}) {
        Net<float> net({.inputs = 2, .outputs = 1, .hidden = 16});
        const std::vector<float> target(static_cast<std::size_t>(2 * size * size));
        const std::vector<std::uint8_t> query(target.size(), 1);
        const auto high_water = [&](cpu::Device& device, bool dry) {
          Graph<float> graph(device, net.parameters, mode, dry);
          const auto x = graph.make({.batch = 2, .height = size, .width = size, .channels = 2});
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

TEST_CASE("UNet: inference leaves the input and the estimate alone in the arena") {
  for (const auto path : paths())
    for (const int size : {16, 13}) {
      cpu::Device device({.threads = 1, .convolutions = path});
      Net<float> net({.inputs = 2, .outputs = 1, .hidden = 16});
      Graph<float> graph(device, net.parameters, Mode::infer);
      const auto x = test::place<float>(graph, {net.input(2, size, size)})[0];
      const std::size_t input = device.arena().live();
      const auto y = net.unet(graph, x, net.times);
      CHECK(device.arena().live() == input + (y.shape.size() * sizeof(float) + 63) / 64 * 64);
      CHECK(device.tape().live() == 0);
    }
}

TEST_CASE("UNet: settings out of range and inputs of another width are refused") {
  Parameters<float> p;
  for (const nn::UNet::Settings& bad :
       {nn::UNet::Settings{.inputs = 0}, nn::UNet::Settings{.outputs = 0}, nn::UNet::Settings{.hidden = 2},
        nn::UNet::Settings{.hidden = 5}, nn::UNet::Settings{.multipliers = {}},
        nn::UNet::Settings{.multipliers = std::vector<int>(9, 1)}})
    CHECK_THROWS_AS(nn::UNet(bad, p, 1), OptionError);
  CHECK(p.size() == 0);
  CHECK(test::message_of<OptionError>([&] { nn::UNet({.hidden = 5}, p, 1); }) ==
        "UNet: inputs 2, outputs 1, hidden 5, 3 levels; expected inputs and outputs from 1, an even hidden width from 4 and 1 to "
        "8 levels");
  cpu::Device device({.threads = 1});
  Net<float> net({.inputs = 2, .outputs = 1, .hidden = 4});
  CHECK(test::message_of<ShapeError>([&] {
          test::infer_pass<float>(device, net.parameters,
                                  {test::random_operand<float>({.height = 8, .width = 8, .channels = 3}, 1)}, net.apply());
        }) ==
        "UNet: first: input has shape (1, 1, 8, 8, 3), expected one frame of 2 channels: frames are channels, as many as in "
        "training");
  CHECK(test::message_of<ShapeError>([&] {
          test::infer_pass<float>(device, net.parameters,
                                  {test::random_operand<float>({.frames = 3, .height = 8, .width = 8, .channels = 2}, 1)},
                                  net.apply());
        }).starts_with("UNet: first: input has shape (1, 3, 8, 8, 2), expected one frame of 2 channels"));
}
