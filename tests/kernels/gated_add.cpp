#include "gated_add.cuh"

#include "catch.hpp"
#include "cuda_emulation/buffer.hpp"
#include "kernels/orders.hpp"
#include "lacuna/ops/gated_add.hpp"
#include "support/fill.hpp"
#include "support/probe.hpp"
#include "support/tolerances.hpp"

using namespace lacuna;
using cuda_emulation::Buffer;

namespace {

struct Case {
  std::vector<test::Operand<float>> operands;
  std::vector<float> gate;

  Case(int batch, int pixels, int channels) : gate(test::normals<float>(static_cast<std::size_t>(channels), 5)) {
    const Shape shape{.batch = batch, .width = pixels, .channels = channels};
    operands = {test::random_operand<float>(shape, 1), test::random_operand<float>(shape, 2)};
  }
};

struct Outcome {
  std::vector<float> sum, grad_x, grad_gate;
  bool operator==(const Outcome&) const = default;
};

/// `used`: times that x is gated into the sum; the second time its gradient is added to.
Outcome on_cpu(const Case& c, int used) {
  cpu::Device device({.threads = 1});
  Parameters<float> parameters;
  const auto gate = parameters.add("gate", {static_cast<int>(c.gate.size())});
  parameters.values() = c.gate;
  const auto pass = test::train_pass(device, parameters, c.operands, [&](Graph<float>& graph, const auto& x) {
    for (int i = 0; i < used; ++i) ops::gated_add(graph, gate, x[0], x[1]);
    return x[1];
  });
  return {pass.result, pass.operand_gradients[0], pass.parameter_gradients};
}

Outcome on_gpu(const Case& c, int used, std::size_t offset) {
  const Shape& shape = c.operands[0].shape;
  const auto channels = c.gate.size(), pixels = static_cast<std::size_t>(shape.width), n = shape.size();
  Buffer<float> x(c.operands[0].values, offset), gate(c.gate, offset), sum(c.operands[1].values, offset),
      grad_sum(test::normals<float>(n, 999), offset), grad_x(n, offset),
      sums(static_cast<std::size_t>(shape.batch) * kernels::norm_runs<float>(pixels, shape.channels) * channels),
      grad_gate(std::vector<float>(channels, 0.0f));
  kernels::Norm<float> norm{.x = x,
                     .gain = gate,
                     .scale_shift = nullptr,
                     .other = nullptr,
                     .result = sum,
                     .sums = nullptr,
                     .pixels = pixels,
                     .batch = shape.batch,
                     .channels = shape.channels};
  for (int i = 0; i < used; ++i) kernels::gated_add({}, norm);
  norm.other = grad_sum;
  norm.result = grad_x;
  norm.sums = sums;
  for (int i = 0; i < used; ++i) kernels::gated_add_backward({}, norm, i > 0, grad_gate);
  CHECK((sum.intact() && grad_x.intact() && sums.intact() && grad_gate.intact()));
  return {sum.content(), grad_x.content(), grad_gate.content()};
}

void check_near(const Outcome& given, const Outcome& expected) {
  CHECK(test::relative_difference(given.sum, expected.sum) < test::tolerance::kernel);
  CHECK(test::relative_difference(given.grad_x, expected.grad_x) < test::tolerance::kernel);
  CHECK(test::relative_difference(given.grad_gate, expected.grad_gate) < test::tolerance::kernel);
}

}  // namespace

TEST_CASE("Gated add kernels: agree with the CPU for every layout of channels, gradients overwritten and added to") {
  for (const int channels : {3, 16, 17, 48, 100, 129, 300, 512})
    for (const std::size_t offset : {0u, 1u})
      for (const int used : {1, 2}) {
        const Case c(2, 13, channels);
        INFO(channels << " channels, offset " << offset << ", used " << used);
        check_near(on_gpu(c, used, offset), on_cpu(c, used));
      }
}

TEST_CASE("Gated add kernels: agree with the CPU for many pixels, in every order, whose choice changes no bit") {
  for (const int pixels : {1, 31, 515}) {
    const Case c(3, pixels, 32);
    const auto expected = on_cpu(c, 2), first = on_gpu(c, 2, 0);
    test::in_every_order([&] {
      INFO(pixels << " pixels");
      const auto given = on_gpu(c, 2, 0);
      CHECK(given == first);
      check_near(given, expected);
    });
  }
}

TEST_CASE("Gated add kernels: NaN stays within its element, and in the gradient of its gate") {
  Case c(1, 9, 6);
  const auto clean = on_gpu(c, 1, 0);
  c.operands[0].values[3 * 6 + 4] = test::nan<float>;
  const auto given = on_gpu(c, 1, 0);
  for (std::size_t i = 0; i < given.sum.size(); ++i)
    CHECK((i == 3 * 6 + 4 ? std::isnan(given.sum[i]) : given.sum[i] == clean.sum[i]));
  CHECK(given.grad_x == clean.grad_x);
  for (std::size_t j = 0; j < 6; ++j) CHECK((j == 4 ? std::isnan(given.grad_gate[j]) : given.grad_gate[j] == clean.grad_gate[j]));
}

TEST_CASE("Gated add kernels: too many channels are named") {
  CHECK(test::message_of<ShapeError>([] { kernels::gated_add({}, {.batch = 1, .channels = 513}); }).find("513") !=
        std::string::npos);
}
