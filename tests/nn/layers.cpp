#include "lacuna/nn/layers.hpp"

#include <algorithm>
#include <cmath>

#include "catch.hpp"
#include "support/probe.hpp"
#include "support/tolerances.hpp"

using namespace lacuna;

TEST_CASE("Builder: names carry their prefix, and starts are uniform within 1 / sqrt(fan in)") {
  Parameters<float> p;
  const auto b = nn::Builder<float>(p, 7).child("net").child("block");
  b.convolution("conv", 3, 8, 5, 1, 2);
  b.convolution("up", 3, 8, 4, 2, 1, true);
  b.linear("time", 16, 6);
  b.gain("gain", 8);
  std::vector<std::string> names;
  for (const auto& entry : p.entries()) names.push_back(entry.name);
  CHECK(names == std::vector<std::string>{"net.block.conv.weight", "net.block.conv.bias", "net.block.up.weight",
                                          "net.block.up.bias", "net.block.time.weight", "net.block.time.bias", "net.block.gain"});
  CHECK(p.entries()[0].dims == std::vector<int>{8, 5, 5, 3});
  CHECK(p.entries()[4].dims == std::vector<int>{6, 16});
  const float fans[] = {75, 75, 128, 128, 16, 16};  // a transposed convolution's from its outputs, as PyTorch counts
  for (std::size_t i = 0; i < 6; ++i) {
    const auto at = p.entries()[i].at;
    float largest = 0;
    for (std::size_t j = 0; j < at.size; ++j) largest = std::max(largest, std::abs(p.value(at)[j]));
    CHECK(largest <= 1 / std::sqrt(fans[i]));
    if (at.size > 30) CHECK(largest > 0.9f / std::sqrt(fans[i]));
  }
  for (std::size_t j = 0; j < 8; ++j) CHECK(p.value(p.entries()[6].at)[j] == 1.0f);
}

TEST_CASE("Builder: attention layers with and without a bias, tables and constants") {
  Parameters<float> p;
  const nn::Builder<float> b(p, 7);
  const auto plain = b.child("plain").attention(6, 2, 4, false), biased = b.child("biased").attention(6, 2, 4, true);
  b.table("table", 32, 20);
  const auto constant = b.constant("constant", {1.0f, 0.01f});
  CHECK((plain.bias.size == 0 && biased.bias.size == 6 && plain.width() == 8 && plain.channels == 6));
  std::vector<std::string> names;
  for (const auto& entry : p.entries()) names.push_back(entry.name);
  CHECK(names == std::vector<std::string>{"plain.to_qkv.weight", "plain.to_out.weight", "biased.to_qkv.weight",
                                          "biased.to_out.weight", "biased.to_out.bias", "table", "constant"});
  CHECK(p.entries()[0].dims == std::vector<int>{24, 6});
  CHECK(p.entries()[1].dims == std::vector<int>{6, 8});
  double square = 0;
  for (int i = 0; i < 640; ++i) square += static_cast<double>(p.value(p.entries()[5].at)[i]) * p.value(p.entries()[5].at)[i];
  CHECK(square / 640 == Approx(1).margin(0.1));
  CHECK((p.value(constant)[0] == 1.0f && p.value(constant)[1] == 0.01f));
}

TEST_CASE("Time features: gradients are central differences, and the width is that of the second layer") {
  cpu::Device device({.threads = 1});
  Parameters<double> p;
  const nn::Builder<double> b(p, 1);
  const nn::TimeFeatures features{b.linear("0", 6, 5), b.linear("1", 5, 7)};
  const double times[] = {0.9, 0.1};
  const auto apply = [&](auto& graph, const auto&) { return features(graph, times, 2); };
  CHECK(test::train_pass<double>(device, p, {}, apply).shape == Shape{.batch = 2, .channels = 7});
  CHECK(test::gradient_error(device, p, {}, apply) < test::tolerance::gradient);
}

TEST_CASE("Residual block: gradients are central differences, projected or not, timed or not") {
  cpu::Device device({.threads = 1});
  for (const auto& [inputs, outputs] : {std::pair(4, 4), std::pair(3, 4)})
    for (const int time_width : {0, 6}) {
      Parameters<double> p;
      const nn::ResidualBlock block(nn::Builder<double>(p, 1), inputs, outputs, time_width);
      CHECK((block.skip.outputs > 0) == (inputs != outputs));
      const std::vector operands{test::random_operand<double>({.batch = 2, .height = 3, .width = 4, .channels = inputs}, 1),
                                 test::random_operand<double>({.batch = 2, .channels = 6}, 2)};
      const auto apply = [&](auto& graph, const auto& x) { return block(graph, x[0], x[1]); };
      std::vector<std::size_t> constants;
      if (time_width == 0) constants.push_back(1);
      CHECK(test::gradient_error(device, p, operands, apply, constants, test::network_step) < test::tolerance::gradient);
    }
}

TEST_CASE("Residual block: with its last gain at zero it is its skip connection") {
  cpu::Device device({.threads = 1});
  Parameters<double> p;
  const nn::ResidualBlock block(nn::Builder<double>(p, 1), 4, 4, 0);
  std::fill_n(p.value(block.second_gain), 4, 0.0);
  const auto x = test::random_operand<double>({.height = 3, .width = 4, .channels = 4}, 1);
  CHECK(test::infer_pass<double>(device, p, {x}, [&](auto& graph, const auto& v) { return block(graph, v[0], v[0]); }) ==
        x.values);
}
