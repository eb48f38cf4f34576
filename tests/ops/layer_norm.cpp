#include "lacuna/ops/layer_norm.hpp"

#include <cmath>

#include "catch.hpp"
#include "support/bfloat16.hpp"
#include "support/probe.hpp"
#include "support/tolerances.hpp"

using namespace lacuna;

namespace {

template <class T>
struct Norm {
  explicit Norm(int channels) : gain(parameters.add("gain", {channels})) {
    parameters.values() = test::normals<T>(parameters.size(), 5);
  }
  auto apply() const {
    return [this](Graph<T>& graph, const auto& x) { return ops::layer_norm(graph, gain, x[0]); };
  }
  Parameters<T> parameters;
  Parameter gain;
};

}  // namespace

TEST_CASE("Layer norm: by hand") {
  cpu::Device device({.threads = 1});
  Norm<double> norm(2);
  norm.parameters.values() = {2, 3};
  const auto y = test::infer_pass<double>(device, norm.parameters, {{{.channels = 2}, {1, 5}}}, norm.apply());
  const double deviation = std::sqrt(4 + 1e-5);
  CHECK(y[0] == Approx(-2 / deviation * 2).epsilon(1e-14));
  CHECK(y[1] == Approx(2 / deviation * 3).epsilon(1e-14));
}

TEST_CASE("Layer norm: gradients of x and the gain are central differences") {
  cpu::Device device({.threads = 1});
  for (const int channels : {3, 5, 16}) {
    Norm<double> norm(channels);
    const std::vector operands{test::random_operand<double>({.batch = 2, .frames = 2, .width = 3, .channels = channels}, 1)};
    CHECK(test::gradient_error(device, norm.parameters, operands, norm.apply(), {}, test::network_step) <
          test::tolerance::gradient);
  }
}

TEST_CASE("Layer norm: in bfloat16, vector and other widths are within rounding of float") {
  cpu::Device device({.threads = 1});
  for (const int channels : {3, 16, 31, 64}) {
    Norm<float> norm(channels);
    const auto apply = norm.apply();
    const std::vector operands{test::narrow_operand({.batch = 2, .width = 33, .channels = channels}, 1)};
    const auto given = test::train_pass(device, norm.parameters, operands, test::in_bfloat16(apply));
    const auto expected = test::train_pass(device, norm.parameters, operands, apply);
    INFO(channels << " channels");
    CHECK(test::relative_difference(given.result, expected.result) < test::tolerance::bfloat16);
    CHECK(test::relative_difference(given.operand_gradients[0], expected.operand_gradients[0]) < test::tolerance::bfloat16);
    CHECK(test::relative_difference(given.parameter_gradients, expected.parameter_gradients) < test::tolerance::bfloat16);
    CHECK(given.margins_intact);
  }
}

TEST_CASE("Layer norm: float agrees with double for vector and other widths, and ends where it should") {
  cpu::Device device({.threads = 1});
  for (const int channels : {2, 15, 16, 31, 32, 33, 64, 257})
    for (const int width : {1, 31, 33}) {
      Norm<float> norm(channels);
      Norm<double> exact(channels);
      const Shape shape{.batch = 2, .width = width, .channels = channels};
      const auto pass = test::train_pass<float>(device, norm.parameters, {test::random_operand<float>(shape, 1)}, norm.apply());
      const auto expected =
          test::train_pass<double>(device, exact.parameters, {test::random_operand<double>(shape, 1)}, exact.apply());
      INFO(channels << " channels, " << width << " pixels");
      CHECK(test::relative_difference(pass.result, expected.result) < test::tolerance::float_sum);
      if (channels > 2)  // two channels leave a gradient of 1e-5 of its terms
        CHECK(test::relative_difference(pass.operand_gradients[0], expected.operand_gradients[0]) < test::tolerance::float_sum);
      CHECK(test::relative_difference(pass.parameter_gradients, expected.parameter_gradients) < test::tolerance::float_sum);
      CHECK(pass.margins_intact);
    }
}

TEST_CASE("Layer norm: the same for any number of threads, and again") {
  cpu::Device one({.threads = 1}), three({.threads = 3});
  Norm<float> norm(32);
  const std::vector operands{test::random_operand<float>({.batch = 2, .frames = 3, .height = 5, .width = 7, .channels = 32}, 1)};
  const auto pass = test::train_pass(one, norm.parameters, operands, norm.apply());
  CHECK(pass == test::train_pass(one, norm.parameters, operands, norm.apply()));
  CHECK(pass == test::train_pass(three, norm.parameters, operands, norm.apply()));
}

TEST_CASE("Layer norm: NaN stays in its position; a constant position is no division by zero") {
  cpu::Device device({.threads = 1});
  for (const int channels : {3, 32}) {
    Norm<float> norm(channels);
    auto x = test::random_operand<float>({.width = 5, .channels = channels}, 1);
    const auto c = static_cast<std::size_t>(channels);
    x.values[2 * c + 1] = test::nan<float>;
    std::fill_n(x.values.begin() + static_cast<std::ptrdiff_t>(4 * c), c, 3.0f);
    const auto pass = test::train_pass<float>(device, norm.parameters, {x}, norm.apply());
    for (std::size_t i = 0; i < pass.result.size(); ++i) {
      CHECK(std::isnan(pass.result[i]) == (i / c == 2));
      CHECK(std::isnan(pass.operand_gradients[0][i]) == (i / c == 2));
    }
    CHECK(pass.result[4 * c] == 0.0f);
  }
}

TEST_CASE("Layer norm: wrong channels are refused by name") {
  cpu::Device device({.threads = 1});
  Norm<float> norm(4);
  CHECK(test::message_of<ShapeError>([&] {
          test::infer_pass<float>(device, norm.parameters, {test::random_operand<float>({.channels = 3}, 1)}, norm.apply());
        }) == "layer_norm: x has shape (1, 1, 1, 1, 3), expected 4 channels");
}
