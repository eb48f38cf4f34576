#include "lacuna/ops/convolution_eigen.hpp"

#include "catch.hpp"
#include "ops/convolution_cases.hpp"

using namespace lacuna;
using namespace lacuna::test;

namespace {

cpu::Device::Settings on_eigen(int threads = 1) { return {.threads = threads, .convolutions = cpu::Convolutions::eigen}; }

}  // namespace

TEST_CASE("Eigen convolution: agrees with the definition in double and in float") {
  cpu::Device device(on_eigen());
  for (const auto& c : convolution_cases()) {
    check_against_definition<double>(device, c, tolerance::double_sum);
    check_against_definition<float>(device, c, tolerance::float_sum);
  }
}

TEST_CASE("Eigen convolution: the same for any number of threads, and bit for bit again") {
  for (const auto& c : convolution_cases()) {
    ConvolutionLayer<float> l(c);
    const std::vector operands{random_operand<float>(c.input, 1)};
    cpu::Device one(on_eigen()), three(on_eigen(3));
    const auto pass = train_pass(one, l.parameters, operands, l.apply());
    INFO(c);
    CHECK(pass == train_pass(one, l.parameters, operands, l.apply()));
    CHECK(pass == train_pass(three, l.parameters, operands, l.apply()));
  }
}

TEST_CASE("Eigen convolution: the same for any number of threads on images large enough to be split") {
  const ConvolutionCase c{{.batch = 3, .height = 40, .width = 40, .channels = 64}, 64, 3, 1, 1};
  ConvolutionLayer<float> l(c);
  const std::vector operands{random_operand<float>(c.input, 1)};
  cpu::Device one(on_eigen()), three(on_eigen(3));
  CHECK(train_pass(one, l.parameters, operands, l.apply()) == train_pass(three, l.parameters, operands, l.apply()));
}

TEST_CASE("Eigen convolution: agrees with the definition where an image has several strips of columns") {
  cpu::Device device(on_eigen());
  for (const int width : {16, 17, 33})  // 256 and 512 pixels are whole strips
    for (const ConvolutionCase& c : {ConvolutionCase{{.batch = 2, .height = 16, .width = width, .channels = 3}, 5, 3, 1, 1},
                                     ConvolutionCase{{.height = 32, .width = width, .channels = 2}, 3, 4, 1, 1},
                                     ConvolutionCase{{.height = 16, .width = width, .channels = 3}, 4, 4, 2, 1, true}}) {
      check_against_definition<double>(device, c, tolerance::double_sum);
      check_against_definition<float>(device, c, tolerance::float_sum);
    }
}

TEST_CASE("Eigen convolution: its workspace does not grow with the image, and with the threads up to eight") {
  const auto workspace = [](int side, int threads) {
    cpu::Device device(on_eigen(threads));
    const ConvolutionCase c{{.batch = 16, .height = side, .width = side, .channels = 64}, 64, 3, 1, 1};
    ops::EigenConvolution<float>(device, c.geometry(), true).forward(nullptr, nullptr, nullptr, nullptr);
    return device.arena().high_water();
  };
  CHECK(workspace(16, 1) >= 256 * 9 * 64 * sizeof(float));
  CHECK(workspace(16, 1) < 2 * 256 * 9 * 64 * sizeof(float));
  CHECK(workspace(256, 1) == workspace(16, 1));
  CHECK(workspace(256, 20) == workspace(256, 8));
}

TEST_CASE("Eigen convolution: all that is taken is given back, and a dry one takes the same") {
  for (const auto& c : convolution_cases()) {
    const auto geometry = c.geometry();
    const auto high_water = [&](bool dry) {
      cpu::Device device(on_eigen());
      ops::EigenConvolution<double> convolution(device, geometry, dry);
      std::vector<double> x(geometry.input.size()), y(geometry.output.size()), bias(static_cast<std::size_t>(c.outputs)),
          weight(static_cast<std::size_t>(c.outputs * c.kernel * c.kernel * c.input.channels));
      convolution.forward(x.data(), weight.data(), bias.data(), y.data());
      convolution.backward_weights(x.data(), y.data(), weight.data(), bias.data());
      convolution.backward_data(y.data(), weight.data(), x.data());
      CHECK(device.arena().live() == 0);
      return device.arena().high_water();
    };
    CHECK(high_water(true) == high_water(false));
  }
}
