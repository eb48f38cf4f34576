#include "rms_norm_silu.cuh"

#include "catch.hpp"
#include "cuda_emulation/buffer.hpp"
#include "kernels/orders.hpp"
#include "kernels/scalars.hpp"
#include "lacuna/ops/rms_norm_silu.hpp"
#include "rms_norm_parameters.cuh"
#include "support/probe.hpp"
#include "support/tolerances.hpp"

using namespace lacuna;
using cuda_emulation::Buffer;

namespace {

/// Operands that S holds.
template <class S>
struct Case {
  int batch, pixels, channels;
  bool modulated, residual;
  std::vector<test::Operand<float>> operands;
  std::vector<float> gain, grad_y;

  Case(int batch_, int pixels_, int channels_, bool modulated_, bool residual_)
      : batch(batch_), pixels(pixels_), channels(channels_), modulated(modulated_), residual(residual_) {
    const Shape shape{.batch = batch, .width = pixels, .channels = channels};
    operands.push_back({shape, test::normals_of<S>(shape.size(), 1)});
    if (modulated) operands.push_back(test::random_operand<float>({.batch = batch, .channels = 2 * channels}, 2));
    if (residual) operands.push_back({shape, test::normals_of<S>(shape.size(), 3)});
    grad_y = test::normals_of<S>(shape.size(), 4);
    gain = test::normals<float>(static_cast<std::size_t>(channels), 5);
    for (float& g : gain) g = 1.0f + 0.3f * g;
  }
  std::size_t size() const { return operands[0].values.size(); }
};

/// Images widened to float.
struct Outcome {
  std::vector<float> y, grad_x, grad_scale_shift, grad_gain;
  bool operator==(const Outcome&) const = default;
};

/// By the float op: its results are not rounded.
template <class S>
Outcome on_cpu(const Case<S>& c) {
  cpu::Device device({.threads = 1});
  Parameters<float> parameters;
  const auto gain = parameters.add("gain", {c.channels});
  parameters.values() = c.gain;
  const auto pass = test::train_pass(
      device, parameters, c.operands,
      [&](Graph<float>& graph, const auto& x) {
        return ops::rms_norm_silu(graph, gain, x[0], c.modulated ? &x[1] : nullptr,
                                  c.residual ? &x[c.modulated ? 2 : 1] : nullptr);
      },
      c.grad_y);
  return {pass.result, pass.operand_gradients[0], c.modulated ? pass.operand_gradients[1] : std::vector<float>{},
          pass.parameter_gradients};
}

template <class S>
Outcome on_gpu(const Case<S>& c, std::size_t offset) {
  const auto channels = static_cast<std::size_t>(c.channels), batch = static_cast<std::size_t>(c.batch),
             pixels = static_cast<std::size_t>(c.pixels);
  const unsigned runs = kernels::norm_runs<S>(pixels, c.channels);
  const std::vector<float> nothing(1);
  Buffer<S> x(test::as<S>(c.operands[0].values), offset), y(c.size(), offset), grad_x(c.size(), offset),
      residual(test::as<S>(c.residual ? c.operands.back().values : nothing), offset), grad_y(test::as<S>(c.grad_y), offset);
  Buffer<float> gain(c.gain, offset), scale_shift(c.modulated ? c.operands[1].values : nothing, offset),
      sums(batch * runs * 2 * channels), grad_gain(std::vector<float>(channels, 0.0f)), grad_scale_shift(batch * 2 * channels);
  kernels::Norm<S> norm{.x = x,
                        .gain = gain,
                        .scale_shift = c.modulated ? scale_shift.data() : nullptr,
                        .other = c.residual ? residual.data() : nullptr,
                        .result = y,
                        .sums = nullptr,
                        .pixels = pixels,
                        .batch = c.batch,
                        .channels = c.channels};
  kernels::norm_forward<S>({}, norm);
  norm.other = grad_y;
  norm.result = grad_x;
  norm.sums = sums;
  kernels::norm_backward<S>({}, norm);
  kernels::norm_parameters(
      {}, {sums, gain, norm.scale_shift, grad_gain, c.modulated ? grad_scale_shift.data() : nullptr, c.batch, c.channels, runs});
  CHECK((y.intact() && grad_x.intact() && sums.intact() && grad_gain.intact() && grad_scale_shift.intact()));
  return {test::widened(y.content()), test::widened(grad_x.content()),
          c.modulated ? grad_scale_shift.content() : std::vector<float>{}, grad_gain.content()};
}

template <class S>
void check_near(const Outcome& given, const Outcome& expected) {
  CHECK(test::within_one_rounding(test::as<S>(given.y), expected.y));
  CHECK(test::within_one_rounding(test::as<S>(given.grad_x), expected.grad_x));
  CHECK(test::relative_difference(given.grad_scale_shift, expected.grad_scale_shift) < test::tolerance::kernel);
  CHECK(test::relative_difference(given.grad_gain, expected.grad_gain) < test::tolerance::kernel);
}

}  // namespace

TEMPLATE_TEST_CASE("RMSNorm + SiLU kernels: agree with the CPU for every layout of channels and the edges between them", "",
                   float, Bfloat16) {
  for (const int channels : {3, 4, 16, 17, 32, 48, 64, 100, 128, 129, 256, 300, 512})
    for (const bool full : {false, true})
      for (const std::size_t offset : {0u, 1u}) {
        const Case<TestType> c(2, 13, channels, full, full);
        INFO(channels << " channels, offset " << offset << ", scale, shift and residual " << full);
        check_near<TestType>(on_gpu(c, offset), on_cpu(c));
      }
}

TEMPLATE_TEST_CASE("RMSNorm + SiLU kernels: agree with the CPU for many pixels, in every order, whose choice changes no bit", "",
                   float, Bfloat16) {
  for (const int pixels : {1, 31, 515}) {
    const Case<TestType> c(3, pixels, 32, true, true);
    const auto expected = on_cpu(c), first = on_gpu(c, 0);
    test::in_every_order([&] {
      INFO(pixels << " pixels");
      const auto given = on_gpu(c, 0);
      CHECK(given == first);
      check_near<TestType>(given, expected);
    });
  }
}

TEST_CASE("RMSNorm + SiLU kernels: agree with the CPU for so many samples that each block takes several turns") {
  const Case<float> c(600, 70, 4, true, true);
  check_near<float>(on_gpu(c, 0), on_cpu(c));
}

TEMPLATE_TEST_CASE("RMSNorm + SiLU kernels: a pixel of zeros is no division by zero, and NaN stays within its pixel", "", float,
                   Bfloat16) {
  Case<TestType> c(1, 9, 16, true, false);
  for (std::size_t j = 0; j < 16; ++j) c.operands[0].values[3 * 16 + j] = 0;
  const auto clean = on_gpu(c, 0);
  CHECK(test::all_finite(clean.y));
  CHECK(test::all_finite(clean.grad_x));
  c.operands[0].values[5 * 16 + 2] = test::nan<float>;
  const auto given = on_gpu(c, 0);
  for (std::size_t i = 0; i < given.y.size(); ++i) CHECK((i / 16 == 5 ? std::isnan(given.y[i]) : given.y[i] == clean.y[i]));
}

TEST_CASE("RMSNorm + SiLU kernels: too many channels are named") {
  CHECK(test::message_of<ShapeError>([] { kernels::norm_forward<float>({}, {.batch = 1, .channels = 513}); }).find("513") !=
        std::string::npos);
}
