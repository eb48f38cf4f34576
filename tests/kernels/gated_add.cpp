#include "gated_add.cuh"

#include "catch.hpp"
#include "cuda_emulation/buffer.hpp"
#include "kernels/orders.hpp"
#include "kernels/scalars.hpp"
#include "lacuna/ops/gated_add.hpp"
#include "support/fill.hpp"
#include "support/probe.hpp"
#include "support/tolerances.hpp"

using namespace lacuna;
using cuda_emulation::Buffer;

namespace {

/// In numbers that S holds.
struct Case {
  std::vector<test::Operand<float>> operands;  // x, sum
  std::vector<float> gate, grad_sum;

  template <class S>
  static Case of(int batch, int pixels, int channels) {
    const Shape shape{.batch = batch, .width = pixels, .channels = channels};
    return {{{shape, test::normals_of<S>(shape.size(), 1)}, {shape, test::normals_of<S>(shape.size(), 2)}},
            test::normals<float>(static_cast<std::size_t>(channels), 5),
            test::normals_of<S>(shape.size(), 3)};
  }
};

template <class S>
struct Outcome {
  std::vector<S> sum, grad_x;
  std::vector<float> grad_gate;

  bool same(const Outcome& other) const {
    return test::same_bits(sum, other.sum) && test::same_bits(grad_x, other.grad_x) && grad_gate == other.grad_gate;
  }
};

Outcome<float> on_cpu(const Case& c) {
  cpu::Device device({.threads = 1});
  Parameters<float> parameters;
  const auto gate = parameters.add("gate", {static_cast<int>(c.gate.size())});
  parameters.values() = c.gate;
  const auto pass = test::train_pass<float>(
      device, parameters, c.operands,
      [&](Graph<float>& graph, const auto& x) {
        ops::gated_add(graph, gate, x[0], x[1]);
        return x[1];
      },
      c.grad_sum);
  return {pass.result, pass.operand_gradients[0], pass.parameter_gradients};
}

/// `before`: what the gradient of x is added to; empty: it is overwritten.
template <class S>
Outcome<S> on_gpu(const Case& c, std::size_t offset, const std::vector<float>& before = {}) {
  const Shape& shape = c.operands[0].shape;
  const auto channels = c.gate.size(), pixels = static_cast<std::size_t>(shape.width), n = shape.size();
  const bool added = !before.empty();
  const Buffer<S> x(test::as<S>(c.operands[0].values), offset), sum(test::as<S>(c.operands[1].values), offset),
      grad_sum(test::as<S>(c.grad_sum), offset), grad_x(added ? Buffer<S>(test::as<S>(before), offset) : Buffer<S>(n, offset));
  const Buffer<float> gate(c.gate, offset),
      sums(static_cast<std::size_t>(shape.batch) * kernels::norm_runs<S>(pixels, shape.channels) * channels),
      grad_gate(std::vector<float>(channels, 0.0f));
  kernels::Norm<S> norm{.x = x,
                        .gain = gate,
                        .scale_shift = nullptr,
                        .other = nullptr,
                        .result = sum,
                        .sums = nullptr,
                        .pixels = pixels,
                        .batch = shape.batch,
                        .channels = shape.channels};
  kernels::gated_add<S>({}, norm);
  norm.other = grad_sum;
  norm.result = grad_x;
  norm.sums = sums;
  kernels::gated_add_backward<S>({}, norm, added, grad_gate);
  CHECK((sum.intact() && grad_x.intact() && sums.intact() && grad_gate.intact()));
  return {sum.content(), grad_x.content(), grad_gate.content()};
}

template <class S>
void check_near(const Outcome<S>& given, const Outcome<float>& expected) {
  CHECK(test::within_one_rounding(given.sum, expected.sum));
  CHECK(test::within_one_rounding(given.grad_x, expected.grad_x));
  CHECK(test::relative_difference(given.grad_gate, expected.grad_gate) < test::tolerance::kernel);
}

}  // namespace

TEMPLATE_TEST_CASE("Gated add kernels: agree with the CPU for every layout of channels, gradients overwritten and added to", "",
                   float, Bfloat16) {
  using S = TestType;
  for (const int channels : {3, 16, 17, 48, 100, 129, 300, 512})
    for (const std::size_t offset : {0u, 1u}) {
      const auto c = Case::of<S>(2, 13, channels);
      INFO(channels << " channels, offset " << offset);
      auto expected = on_cpu(c);
      check_near(on_gpu<S>(c, offset), expected);
      const auto before = test::normals_of<S>(expected.grad_x.size(), 4);
      for (std::size_t i = 0; i < before.size(); ++i) expected.grad_x[i] += before[i];
      check_near(on_gpu<S>(c, offset, before), expected);
    }
}

TEMPLATE_TEST_CASE("Gated add kernels: agree with the CPU for many pixels, in every order, whose choice changes no bit", "",
                   float, Bfloat16) {
  using S = TestType;
  for (const int pixels : {1, 31, 515}) {
    const auto c = Case::of<S>(3, pixels, 32);
    const auto expected = on_cpu(c);
    const auto first = on_gpu<S>(c, 0);
    test::in_every_order([&] {
      INFO(pixels << " pixels");
      const auto given = on_gpu<S>(c, 0);
      CHECK(given.same(first));
      check_near(given, expected);
    });
  }
}

TEST_CASE("Gated add kernels: agree with the CPU for so many samples that each block takes several turns") {
  const auto c = Case::of<float>(600, 70, 4);
  check_near(on_gpu<float>(c, 0), on_cpu(c));
}

TEMPLATE_TEST_CASE("Gated add kernels: NaN stays within its element, and in the gradient of its gate", "", float, Bfloat16) {
  auto c = Case::of<TestType>(1, 9, 6);
  const auto clean = on_gpu<TestType>(c, 0);
  c.operands[0].values[3 * 6 + 4] = test::nan<float>;
  const auto given = on_gpu<TestType>(c, 0);
  for (std::size_t i = 0; i < given.sum.size(); ++i) {
    const auto value = static_cast<float>(given.sum[i]);
    CHECK((i == 3 * 6 + 4 ? std::isnan(value) : value == static_cast<float>(clean.sum[i])));
  }
  CHECK(test::same_bits(given.grad_x, clean.grad_x));
  for (std::size_t j = 0; j < 6; ++j) CHECK((j == 4 ? std::isnan(given.grad_gate[j]) : given.grad_gate[j] == clean.grad_gate[j]));
}

TEST_CASE("Gated add kernels: too many channels are named") {
  CHECK(test::message_of<ShapeError>([] { kernels::gated_add<float>({}, {.batch = 1, .channels = 513}); }).find("513") !=
        std::string::npos);
}
