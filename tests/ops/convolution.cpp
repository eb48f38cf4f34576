#include "lacuna/ops/convolution.hpp"

#include <cmath>

#include "catch.hpp"
#include "ops/convolution_cases.hpp"
#include "support/bfloat16.hpp"
#include "support/convolution_paths.hpp"

using namespace lacuna;
using namespace lacuna::test;

namespace {

void check_same(const Pass<float>& given, const Pass<float>& expected) {
  CHECK(relative_difference(given.result, expected.result) < tolerance::float_sum);
  CHECK(relative_difference(given.parameter_gradients, expected.parameter_gradients) < tolerance::float_sum);
  for (std::size_t k = 0; k < given.operand_gradients.size(); ++k)
    CHECK(relative_difference(given.operand_gradients[k], expected.operand_gradients[k]) < tolerance::float_sum);
}

}  // namespace

TEST_CASE("Convolution: by hand, on both paths") {
  for (const auto path : convolution_paths()) {
    cpu::Device device({.threads = 1, .convolutions = path});
    ConvolutionLayer<float> l({{.height = 2, .width = 2}, 1});
    l.parameters.values() = {1, 2, 3, 4, 5, 6, 7, 8, 9, 100};
    const Operand<float> x{{.height = 2, .width = 2}, {1, 10, 100, 1000}};
    CHECK(train_pass<float>(device, l.parameters, {x}, l.apply()).result ==
          std::vector<float>{5 + 60 + 800 + 9000 + 100, 4 + 50 + 700 + 8000 + 100, 2 + 30 + 500 + 6000 + 100,
                             1 + 20 + 400 + 5000 + 100});
    ConvolutionLayer<float> up({{.channels = 1}, 1, 2, 2, 0, true});
    up.parameters.values() = {1, 2, 3, 4, 10};
    CHECK(train_pass<float>(device, up.parameters, {{{}, {5}}}, up.apply()).result == std::vector<float>{15, 20, 25, 30});
  }
}

TEST_CASE("Convolution: gradients of input, weight and bias are central differences") {
  cpu::Device device({.threads = 1});
  for (const ConvolutionCase& c : {ConvolutionCase{{.batch = 2, .height = 4, .width = 3, .channels = 3}, 2, 3, 1, 1},
                                   ConvolutionCase{{.batch = 2, .height = 5, .width = 4, .channels = 2}, 3, 5, 1, 2},
                                   ConvolutionCase{{.frames = 2, .height = 6, .width = 5, .channels = 2}, 3, 4, 2, 1},
                                   ConvolutionCase{{.batch = 2, .height = 3, .width = 2, .channels = 3}, 2, 4, 2, 1, true},
                                   ConvolutionCase{{.batch = 2, .height = 3, .width = 2, .channels = 4}, 3, 1, 1, 0}}) {
    ConvolutionLayer<double> l(c);
    INFO(c);
    CHECK(gradient_error(device, l.parameters, {random_operand<double>(c.input, 1)}, l.apply()) < tolerance::gradient);
    const auto output = c.geometry().output;
    CHECK(gradient_error(device, l.parameters, {random_operand<double>(c.input, 1), random_operand<double>(output, 2)},
                         l.apply_add()) < tolerance::gradient);
  }
}

TEST_CASE("Convolution: oneDNN agrees with Eigen, accumulating or not") {
  if (convolution_paths().size() < 2) return;
  cpu::Device plain({.threads = 1, .convolutions = cpu::Convolutions::eigen});
  cpu::Device library({.threads = 1, .convolutions = cpu::Convolutions::onednn});
  for (const auto& c : convolution_cases()) {
    ConvolutionLayer<float> l(c);
    INFO(c);
    const auto x = random_operand<float>(c.input, 1), sum = random_operand<float>(c.geometry().output, 2);
    check_same(train_pass<float>(library, l.parameters, {x}, l.apply()), train_pass<float>(plain, l.parameters, {x}, l.apply()));
    check_same(train_pass<float>(library, l.parameters, {x, sum}, l.apply_add()),
               train_pass<float>(plain, l.parameters, {x, sum}, l.apply_add()));
  }
}

TEST_CASE("Convolution: in bfloat16 both paths are within rounding of float") {
  cpu::Device plain({.threads = 1, .convolutions = cpu::Convolutions::eigen});
  for (const auto path : convolution_paths()) {
    cpu::Device device({.threads = 1, .convolutions = path});
    for (const auto& c : convolution_cases()) {
      ConvolutionLayer<float> l(c);
      for (float& w : l.parameters.values()) w = static_cast<float>(Bfloat16(w));
      INFO(c << (path == cpu::Convolutions::eigen ? ", Eigen" : ", oneDNN"));
      const auto check = [&](const std::vector<Operand<float>>& operands, const auto& apply) {
        const auto given = train_pass<float>(device, l.parameters, operands, in_bfloat16(apply));
        const auto expected = train_pass<float>(plain, l.parameters, operands, apply);
        CHECK(relative_difference(given.result, expected.result) < tolerance::bfloat16);
        CHECK(relative_difference(given.parameter_gradients, expected.parameter_gradients) < tolerance::bfloat16);
        for (std::size_t k = 0; k < operands.size(); ++k)
          CHECK(relative_difference(given.operand_gradients[k], expected.operand_gradients[k]) < tolerance::bfloat16);
        CHECK(given == train_pass<float>(device, l.parameters, operands, in_bfloat16(apply)));
      };
      const auto x = narrow_operand(c.input, 1);
      check({x}, l.apply());
      check({x, narrow_operand(c.geometry().output, 2)}, l.apply_add());
    }
  }
}

TEST_CASE("Convolution: a skipped input gradient is not computed and changes nothing else") {
  for (const auto path : convolution_paths()) {
    cpu::Device device({.threads = 1, .convolutions = path});
    const ConvolutionCase c{{.batch = 2, .height = 6, .width = 5, .channels = 2}, 32, 5, 1, 2};
    ConvolutionLayer<float> l(c);
    const std::vector operands{random_operand<float>(c.input, 1)};
    const auto skipped = train_pass(device, l.parameters, operands, l.apply(ops::InputGradient::skipped));
    const auto computed = train_pass(device, l.parameters, operands, l.apply());
    CHECK(skipped.operand_gradients[0].empty());
    CHECK(skipped.result == computed.result);
    CHECK(skipped.parameter_gradients == computed.parameter_gradients);
  }
}

TEST_CASE("Convolution: parameter gradients accumulate") {
  for (const auto path : convolution_paths()) {
    cpu::Device device({.threads = 1, .convolutions = path});
    ConvolutionLayer<float> l({{.height = 4, .width = 4, .channels = 3}, 3});
    const std::vector operands{random_operand<float>({.height = 4, .width = 4, .channels = 3}, 1)};
    const auto twice = [&](Graph<float>& g, const auto& x) {
      const auto y = ops::convolution(g, l.layer, x[0]);
      ops::convolution_add(g, l.layer, x[0], y);
      return y;
    };
    const auto once = train_pass(device, l.parameters, operands, l.apply());
    const auto both = train_pass(device, l.parameters, operands, twice);
    auto doubled = once;
    for (auto* tensor : {&doubled.result, &doubled.operand_gradients[0], &doubled.parameter_gradients})
      for (float& v : *tensor) v *= 2;
    check_same(both, doubled);
  }
}

TEST_CASE("Convolution: NaN reaches the kernel's neighbourhood and no further") {
  for (const auto path : convolution_paths()) {
    cpu::Device device({.threads = 1, .convolutions = path});
    for (const int channels : {3, 16}) {
      const Shape shape{.batch = 2, .height = 7, .width = 7, .channels = channels};
      ConvolutionLayer<float> l({shape, 16});
      auto x = random_operand<float>(shape, 1);
      x.values[static_cast<std::size_t>((3 * 7 + 3) * channels)] = test::nan<float>;
      const auto y = infer_pass<float>(device, l.parameters, {x}, l.apply());
      for (std::size_t i = 0; i < y.size(); ++i) {
        const int pixel = static_cast<int>(i / 16), row = pixel / 7, column = pixel % 7;
        const bool near = pixel < 49 && std::abs(row - 3) <= 1 && std::abs(column - 3) <= 1;
        REQUIRE(std::isnan(y[i]) == near);
      }
    }
  }
}

TEST_CASE("Convolution: wrong shapes are refused by name") {
  cpu::Device device({.threads = 1});
  ConvolutionLayer<float> l({{.height = 4, .width = 4, .channels = 3}, 2});
  const auto message = [&](const Shape& x, const Shape& sum) {
    return message_of<ShapeError>([&] {
      train_pass<float>(device, l.parameters, {random_operand<float>(x, 1), random_operand<float>(sum, 2)}, l.apply_add());
    });
  };
  CHECK(message({.height = 4, .width = 4, .channels = 2}, {.height = 4, .width = 4, .channels = 2}) ==
        "convolution: x has shape (1, 1, 4, 4, 2), expected 3 channels");
  CHECK(message({.height = 4, .width = 4, .channels = 3}, {.height = 4, .width = 3, .channels = 2}) ==
        "convolution_add: sum has shape (1, 1, 4, 3, 2), expected (1, 1, 4, 4, 2)");
}

namespace {

using ops::Border;

/// Rolls rows and columns of every image by so many cells.
Operand<float> rolled(const Operand<float>& x, int rows, int columns) {
  Operand<float> y = x;
  const Shape& s = x.shape;
  for (int n = 0; n < s.images(); ++n)
    for (int i = 0; i < s.height; ++i)
      for (int j = 0; j < s.width; ++j)
        for (int c = 0; c < s.channels; ++c) {
          const auto at = [&](int row, int column) {
            return static_cast<std::size_t>(((n * s.height + row) * s.width + column) * s.channels + c);
          };
          y.values[at((i + rows) % s.height, (j + columns) % s.width)] = x.values[at(i, j)];
        }
  return y;
}

/// The layers with borders of the networks: 5x5 and 3x3, strided, transposed.
std::vector<ConvolutionCase> bordered_cases(const ops::Borders& borders, int height = 6, int width = 4, int channels = 16) {
  const Shape shape{.batch = 2, .height = height, .width = width, .channels = channels};
  return {{shape, 16, 3, 1, 1, false, borders},
          {shape, 16, 5, 1, 2, false, borders},
          {shape, 16, 4, 2, 1, false, borders},
          {shape, 16, 4, 2, 1, true, borders}};
}

}  // namespace

TEST_CASE("Convolution: borders by hand") {
  for (const auto path : convolution_paths()) {
    cpu::Device device({.threads = 1, .convolutions = path});
    const Operand<float> x{{.height = 1, .width = 3}, {1, 10, 100}};
    const auto along = [&](const ops::Borders& borders) {
      ConvolutionLayer<float> l({x.shape, 1, 3, 1, 1, false, borders});
      l.parameters.values() = {0, 0, 0, 1, 2, 3, 0, 5, 0, 0};  // the row itself, and five times the cell below
      return train_pass<float>(device, l.parameters, {x}, l.apply()).result;
    };
    CHECK(along({}) == std::vector<float>{32, 321, 210});
    CHECK(along({Border::zero, Border::periodic}) == std::vector<float>{132, 321, 213});
    CHECK(along({Border::zero, Border::replicated}) == std::vector<float>{33, 321, 510});
    CHECK(along({Border::periodic, Border::zero}) == std::vector<float>{37, 371, 710});
    CHECK(along({Border::replicated, Border::periodic}) == std::vector<float>{137, 371, 713});
  }
}

TEST_CASE("Convolution: on a periodic image it commutes with rolling") {
  for (const auto path : convolution_paths()) {
    cpu::Device device({.threads = 1, .convolutions = path});
    for (const auto& c : bordered_cases({Border::periodic, Border::periodic})) {
      INFO(c);
      ConvolutionLayer<float> l(c);
      const auto x = random_operand<float>(c.input, 1);
      const int in = c.stride == 1 || c.transposed ? 1 : 2, out = c.transposed ? 2 : 1;
      const auto y = train_pass<float>(device, l.parameters, {x}, l.apply());
      CHECK(y.shape == c.geometry().output);
      const auto expected = rolled({y.shape, y.result}, out, 0);
      CHECK(relative_difference(infer_pass<float>(device, l.parameters, {rolled(x, in, 0)}, l.apply()), expected.values) <
            tolerance::float_sum);
      CHECK(relative_difference(infer_pass<float>(device, l.parameters, {rolled(x, 0, in)}, l.apply()),
                                rolled({y.shape, y.result}, 0, out).values) < tolerance::float_sum);
    }
  }
}

TEST_CASE("Convolution: a constant image that is continued has no edges") {
  for (const auto path : convolution_paths()) {
    cpu::Device device({.threads = 1, .convolutions = path});
    for (const auto border : {Border::periodic, Border::replicated})
      for (const auto& c : bordered_cases({border, border})) {
        ConvolutionLayer<float> l(c);
        const Operand<float> x{c.input, std::vector<float>(c.input.size(), 0.5f)};
        const auto y = train_pass<float>(device, l.parameters, {x}, l.apply());
        INFO(c);
        const auto at = [&](int row, int column, int channel) {
          return static_cast<std::size_t>((row * y.shape.width + column) * 16 + channel);
        };
        for (int channel = 0; channel < 16; ++channel)  // of a transposed one, of the same parity
          CHECK(y.result[at(0, 0, channel)] == Approx(y.result[at(2, 2 % y.shape.width, channel)]).epsilon(1e-4).margin(1e-4));
      }
  }
}

TEST_CASE("Convolution: gradients with borders are central differences, added to a sum too") {
  cpu::Device device({.threads = 1});
  for (const auto rows : {Border::zero, Border::periodic, Border::replicated})
    for (const auto columns : {Border::periodic, Border::replicated})
      for (auto c : bordered_cases({rows, columns}, 4, 2, 1)) {
        c.outputs = 2;
        ConvolutionLayer<double> l(c);
        INFO(c);
        CHECK(gradient_error(device, l.parameters, {random_operand<double>(c.input, 1)}, l.apply()) < tolerance::gradient);
        const auto output = c.geometry().output;
        CHECK(gradient_error(device, l.parameters, {random_operand<double>(c.input, 1), random_operand<double>(output, 2)},
                             l.apply_add()) < tolerance::gradient);
      }
}
