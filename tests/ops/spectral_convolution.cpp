#include "lacuna/ops/spectral_convolution.hpp"

#include <complex>

#include "catch.hpp"
#include "support/probe.hpp"
#include "support/tolerances.hpp"

using namespace lacuna;

namespace {

using Complex = std::complex<double>;

template <class T>
struct Layer {
  Layer(int inputs, int outputs, const ops::SpectralModes& modes) {
    layer = {parameters.add("weight", {ops::kept_modes(modes), 2, inputs, outputs}), parameters.add("bias", {outputs}), inputs,
             outputs, modes};
    parameters.values() = test::normals<T>(parameters.size(), 11);
  }
  auto apply() const {
    return [l = layer](Graph<T>& graph, const auto& x) { return ops::spectral_convolution(graph, l, x[0]); };
  }
  Parameters<T> parameters;
  ops::SpectralParameters layer;
};

/// Frequencies kept of an axis and how often each counts.
struct Kept {
  int frequency;
  double members;
};
std::vector<Kept> kept(int modes, int size, bool half) {
  std::vector<Kept> all;
  if (half)
    for (int k = 0; k <= modes / 2; ++k) all.push_back({k, k == 0 || 2 * k == size ? 1.0 : 2.0});
  else
    for (int j = 0; j < std::max(modes, 1); ++j) all.push_back({modes == 0 ? 0 : j - modes / 2, 1.0});
  return all;
}

/// The definition, cell by cell and frequency by frequency: y = Re sum_k members_k exp(i k y) W_k (1/N sum_x exp(-i k x) x) + b.
/// The real part over the planes that have no conjugate is that of their inverse over the other axes.
std::vector<double> plain(const Layer<double>& l, const Shape& shape, const std::vector<double>& x) {
  const auto& modes = l.layer.modes;
  const int spanned = modes[0] > 0 ? shape.frames : 1, blocks = shape.batch * shape.frames / spanned;
  const auto in = static_cast<std::size_t>(l.layer.inputs), out = static_cast<std::size_t>(l.layer.outputs);
  const std::size_t cells = static_cast<std::size_t>(spanned * shape.pixels());
  const auto turn = [&](const Kept& a, const Kept& b, const Kept& c, std::size_t cell) {
    const auto w = static_cast<int>(cell) % shape.width, h = static_cast<int>(cell) / shape.width % shape.height,
               t = static_cast<int>(cell) / shape.pixels();
    return std::polar(1.0,
                      2 * std::numbers::pi *
                          (static_cast<double>(a.frequency * t) / spanned + static_cast<double>(b.frequency * h) / shape.height +
                           static_cast<double>(c.frequency * w) / shape.width));
  };
  const double* weight = l.parameters.value(l.layer.weight);
  std::vector<double> y(static_cast<std::size_t>(blocks) * cells * out);
  for (std::size_t block = 0; block < static_cast<std::size_t>(blocks); ++block) {
    std::size_t mode = 0;
    for (const auto& a : kept(modes[0], spanned, false))
      for (const auto& b : kept(modes[1], shape.height, false))
        for (const auto& c : kept(modes[2], shape.width, true)) {
          std::vector<Complex> before(in), after(out);
          for (std::size_t cell = 0; cell < cells; ++cell)
            for (std::size_t i = 0; i < in; ++i)
              before[i] += std::conj(turn(a, b, c, cell)) * x[(block * cells + cell) * in + i] / static_cast<double>(cells);
          for (std::size_t i = 0; i < in; ++i)
            for (std::size_t o = 0; o < out; ++o)
              after[o] += before[i] * Complex(weight[(2 * mode * in + i) * out + o], weight[((2 * mode + 1) * in + i) * out + o]);
          for (std::size_t cell = 0; cell < cells; ++cell)
            for (std::size_t o = 0; o < out; ++o)
              y[(block * cells + cell) * out + o] += c.members * (turn(a, b, c, cell) * after[o]).real();
          ++mode;
        }
  }
  for (std::size_t i = 0; i < y.size(); ++i) y[i] += l.parameters.value(l.layer.bias)[i % out];
  return y;
}

struct Case {
  Shape shape;
  ops::SpectralModes modes;
};
const std::vector<Case> cases = {
    {{.batch = 2, .height = 6, .width = 8, .channels = 3}, {0, 4, 4}},               // truncated
    {{.batch = 1, .height = 6, .width = 8, .channels = 3}, {0, 6, 8}},               // whole, with the Nyquist planes
    {{.batch = 2, .height = 5, .width = 7, .channels = 2}, {0, 5, 6}},               // odd sizes, whole
    {{.batch = 1, .height = 7, .width = 5, .channels = 2}, {0, 3, 2}},               // odd sizes, odd modes
    {{.batch = 2, .frames = 3, .height = 4, .width = 6, .channels = 2}, {0, 2, 2}},  // frames apart
    {{.batch = 2, .frames = 4, .height = 6, .width = 4, .channels = 2}, {2, 4, 2}},
    {{.batch = 1, .frames = 3, .height = 5, .width = 5, .channels = 2}, {3, 2, 4}},
};

}  // namespace

TEST_CASE("Spectral convolution: by hand, a wave is multiplied by its mode's number") {
  cpu::Device device({.threads = 1});
  Layer<double> l(1, 1, {0, 1, 2});
  l.parameters.values() = {3, 100, 0, 0.5, 10};  // W_0 = 3 + 100 i, W_1 = 0.5 i, b = 10
  const Shape shape{.height = 1, .width = 4, .channels = 1};
  // x = 2 + cos(w pi / 2): y = 3 * 2 - 0.5 sin(w pi / 2) + 10; the imaginary part of W_0 cannot show.
  const auto y = test::infer_pass<double>(device, l.parameters, {{shape, {3, 2, 1, 2}}}, l.apply());
  const double expected[] = {16, 15.5, 16, 16.5};
  for (std::size_t i = 0; i < 4; ++i) CHECK(y[i] == Approx(expected[i]));
}

TEST_CASE("Spectral convolution: is the definition for even, odd, truncated and whole spectra") {
  cpu::Device device({.threads = 1});
  for (const auto& c : cases) {
    Layer<double> l(c.shape.channels, 4, c.modes);
    const auto x = test::random_operand<double>(c.shape, 1);
    INFO(c.shape << " with " << c.modes[0] << ", " << c.modes[1] << ", " << c.modes[2]);
    CHECK(test::relative_difference(test::infer_pass<double>(device, l.parameters, {x}, l.apply()), plain(l, c.shape, x.values)) <
          test::tolerance::double_sum);
  }
}

TEST_CASE("Spectral convolution: gradients of the input, weight and bias are central differences") {
  cpu::Device device({.threads = 1});
  for (const auto& c : cases) {
    Layer<double> l(c.shape.channels, 2, c.modes);
    INFO(c.shape << " with " << c.modes[0] << ", " << c.modes[1] << ", " << c.modes[2]);
    CHECK(test::gradient_error(device, l.parameters, {test::random_operand<double>(c.shape, 1)}, l.apply()) <
          test::tolerance::gradient);
  }
}

TEST_CASE("Spectral convolution: float agrees with double, repeats bit for bit on any threads and writes nothing past the end") {
  cpu::Device one({.threads = 1}), three({.threads = 3});
  for (const auto& c : {Case{{.batch = 2, .height = 32, .width = 33, .channels = 31}, {0, 12, 12}},
                        Case{{.batch = 3, .height = 64, .width = 64, .channels = 2}, {0, 64, 64}},
                        Case{{.batch = 2, .frames = 5, .height = 16, .width = 12, .channels = 33}, {4, 6, 6}}}) {
    Layer<float> l(c.shape.channels, 17, c.modes);
    Layer<double> exact(c.shape.channels, 17, c.modes);
    const std::vector operands{test::random_operand<float>(c.shape, 1)};
    const auto pass = test::train_pass(one, l.parameters, operands, l.apply());
    const auto expected =
        test::train_pass<double>(one, exact.parameters, {test::random_operand<double>(c.shape, 1)}, exact.apply());
    INFO(c.shape);
    CHECK(test::relative_difference(pass.result, expected.result) < test::tolerance::float_sum);
    CHECK(test::relative_difference(pass.operand_gradients[0], expected.operand_gradients[0]) < test::tolerance::float_sum);
    CHECK(test::relative_difference(pass.parameter_gradients, expected.parameter_gradients) < test::tolerance::float_sum);
    CHECK(pass.margins_intact);
    CHECK(test::train_pass(one, l.parameters, operands, l.apply()) == pass);
    CHECK(test::train_pass(three, l.parameters, operands, l.apply()) == pass);
    CHECK(test::infer_pass(three, l.parameters, operands, l.apply()) == pass.result);
  }
}

TEST_CASE("Spectral convolution: NaN stays in its frame of a 2-D transform and in its sample of a 3-D one") {
  cpu::Device device({.threads = 1});
  const Shape shape{.batch = 2, .frames = 2, .height = 4, .width = 4, .channels = 1};
  auto x = test::random_operand<float>(shape, 1);
  x.values[20] = test::nan<float>;
  for (const int frames : {0, 2}) {
    Layer<float> l(1, 1, {frames, 2, 2});
    const auto y = test::infer_pass<float>(device, l.parameters, {x}, l.apply());
    for (std::size_t i = 0; i < y.size(); ++i) CHECK(std::isnan(y[i]) == (frames == 0 ? i / 16 == 1 : i / 32 == 0));
  }
}

TEST_CASE("Spectral convolution: other widths and small grids are refused") {
  cpu::Device device({.threads = 1});
  Layer<float> l(3, 2, {0, 6, 4});
  const auto message = [&](const Shape& shape) {
    return test::message_of<ShapeError>(
        [&] { test::infer_pass<float>(device, l.parameters, {test::random_operand<float>(shape, 1)}, l.apply()); });
  };
  CHECK(message({.height = 8, .width = 8, .channels = 2}) ==
        "spectral_convolution: x has shape (1, 1, 8, 8, 2), expected 3 channels");
  CHECK(message({.height = 5, .width = 8, .channels = 3}) == "spectral axis: 6 modes on 5 cells; expected 1 to 5");
}
