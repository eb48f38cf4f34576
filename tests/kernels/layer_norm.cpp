#include "layer_norm.cuh"

#include "catch.hpp"
#include "cuda_emulation/buffer.hpp"
#include "kernels/orders.hpp"
#include "kernels/scalars.hpp"
#include "lacuna/ops/layer_norm.hpp"
#include "support/probe.hpp"
#include "support/tolerances.hpp"

using namespace lacuna;
using cuda_emulation::Buffer;

namespace {

/// In numbers that S holds.
struct Case {
  test::Operand<float> x;
  std::vector<float> gain, grad_y;

  template <class S>
  static Case of(int batch, int pixels, int channels) {
    const Shape shape{.batch = batch, .width = pixels, .channels = channels};
    Case c{{shape, test::normals<float>(shape.size(), 1)},
           test::normals<float>(static_cast<std::size_t>(channels), 5),
           test::normals_of<S>(shape.size(), 2)};
    for (float& v : c.x.values) v = static_cast<float>(S(v + 2.0f));  // a mean that matters
    return c;
  }
};

template <class S>
struct Outcome {
  std::vector<S> y, grad_x;
  std::vector<float> grad_gain;

  bool same(const Outcome& other) const {
    return test::same_bits(y, other.y) && test::same_bits(grad_x, other.grad_x) && grad_gain == other.grad_gain;
  }
};

Outcome<float> on_cpu(const Case& c) {
  cpu::Device device({.threads = 1});
  Parameters<float> parameters;
  const auto gain = parameters.add("gain", {c.x.shape.channels});
  parameters.values() = c.gain;
  const auto pass = test::train_pass<float>(
      device, parameters, std::vector{c.x},
      [&](Graph<float>& graph, const auto& x) { return ops::layer_norm(graph, gain, x[0]); }, c.grad_y);
  return {pass.result, pass.operand_gradients[0], pass.parameter_gradients};
}

template <class S>
Outcome<S> on_gpu(const Case& c, std::size_t offset) {
  const auto channels = static_cast<std::size_t>(c.x.shape.channels), pixels = static_cast<std::size_t>(c.x.shape.width),
             batch = static_cast<std::size_t>(c.x.shape.batch), n = c.x.values.size();
  const Buffer<S> x(test::as<S>(c.x.values), offset), y(n, offset), grad_y(test::as<S>(c.grad_y), offset), grad_x(n, offset);
  const Buffer<float> gain(c.gain, offset), sums(batch * kernels::norm_runs<S>(pixels, c.x.shape.channels) * channels),
      grad_gain(std::vector<float>(channels, 0.0f));
  kernels::Norm<S> norm{.x = x,
                        .gain = gain,
                        .scale_shift = nullptr,
                        .other = nullptr,
                        .result = y,
                        .sums = nullptr,
                        .pixels = pixels,
                        .batch = c.x.shape.batch,
                        .channels = c.x.shape.channels};
  kernels::layer_norm_forward<S>({}, norm);
  norm.other = grad_y;
  norm.result = grad_x;
  norm.sums = sums;
  kernels::layer_norm_backward<S>({}, norm, grad_gain);
  CHECK((y.intact() && grad_x.intact() && sums.intact() && grad_gain.intact()));
  return {y.content(), grad_x.content(), grad_gain.content()};
}

template <class S>
void check_near(const Outcome<S>& given, const Outcome<float>& expected) {
  CHECK(test::within_one_rounding(given.y, expected.y));
  CHECK(test::within_one_rounding(given.grad_x, expected.grad_x));
  CHECK(test::relative_difference(given.grad_gain, expected.grad_gain) < test::tolerance::kernel);
}

}  // namespace

TEMPLATE_TEST_CASE("Layer norm kernels: agree with the CPU for every layout of channels and the edges between them", "", float,
                   Bfloat16) {
  for (const int channels : {3, 4, 16, 17, 32, 48, 100, 129, 300, 512})
    for (const std::size_t offset : {0u, 1u}) {
      const auto c = Case::of<TestType>(2, 13, channels);
      INFO(channels << " channels, offset " << offset);
      check_near(on_gpu<TestType>(c, offset), on_cpu(c));
    }
}

TEMPLATE_TEST_CASE("Layer norm kernels: agree with the CPU for many pixels, in every order, whose choice changes no bit", "",
                   float, Bfloat16) {
  for (const int pixels : {1, 31, 515}) {
    const auto c = Case::of<TestType>(3, pixels, 32);
    const auto expected = on_cpu(c);
    const auto first = on_gpu<TestType>(c, 0);
    test::in_every_order([&] {
      INFO(pixels << " pixels");
      const auto given = on_gpu<TestType>(c, 0);
      CHECK(given.same(first));
      check_near(given, expected);
    });
  }
}

TEST_CASE("Layer norm kernels: agree with the CPU for so many samples that each block takes several turns") {
  const auto c = Case::of<float>(600, 70, 4);
  check_near(on_gpu<float>(c, 0), on_cpu(c));
}

TEST_CASE("Layer norm kernels: a constant pixel is no division by zero, and NaN stays within its pixel") {
  auto c = Case::of<float>(1, 9, 16);
  for (std::size_t j = 0; j < 16; ++j) c.x.values[3 * 16 + j] = 0.5f;
  const auto clean = on_gpu<float>(c, 0);
  CHECK(test::all_finite(clean.y));
  CHECK(test::all_finite(clean.grad_x));
  c.x.values[5 * 16 + 2] = test::nan<float>;
  const auto given = on_gpu<float>(c, 0);
  for (std::size_t i = 0; i < given.y.size(); ++i) {
    CHECK((i / 16 == 5 ? std::isnan(given.y[i]) : given.y[i] == clean.y[i]));
    CHECK((i / 16 == 5 ? std::isnan(given.grad_x[i]) : given.grad_x[i] == clean.grad_x[i]));
  }
}

TEST_CASE("Layer norm kernels: too many channels are named") {
  CHECK(test::message_of<ShapeError>([] { kernels::layer_norm_forward<float>({}, {.batch = 1, .channels = 513}); }).find("513") !=
        std::string::npos);
}
