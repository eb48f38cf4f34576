#include "activation.cuh"

#include "catch.hpp"
#include "cuda_emulation/buffer.hpp"
#include "kernels/orders.hpp"
#include "kernels/scalars.hpp"
#include "lacuna/ops/activation.hpp"
#include "support/probe.hpp"

using namespace lacuna;
using cuda_emulation::Buffer;

namespace {

template <class Function, class S>
void check(std::size_t size, std::size_t offset) {
  const auto x = test::normals_of<S>(size, 1), grad_y = test::normals_of<S>(size, 2);
  cpu::Device device({.threads = 1});
  Parameters<float> none;
  const auto expected = test::train_pass<float>(
      device, none, {{{.channels = static_cast<int>(size)}, x}},
      [](auto& graph, const auto& operands) { return ops::activation<Function>(graph, operands[0]); }, grad_y);
  test::in_every_order([&] {
    INFO(size << " elements of " << sizeof(S) << " bytes, offset " << offset);
    Buffer<S> from(test::as<S>(x), offset), y(size, offset), given(test::as<S>(grad_y), offset), grad_x(size, offset);
    kernels::activation<Function, S>({}, from, size, y);
    CHECK(test::within_one_rounding(y.content(), expected.result));
    kernels::activation_gradient<Function, S>({}, from, given, size, grad_x);
    CHECK(test::within_one_rounding(grad_x.content(), expected.operand_gradients[0]));
    CHECK((y.intact() && grad_x.intact()));
    kernels::activation_gradient<Function, S>({}, from, given, size, given);
    CHECK(test::same_bits(given.content(), grad_x.content()));
    kernels::activation<Function, S>({}, from, size, from);
    CHECK(test::same_bits(from.content(), y.content()));
  });
}

}  // namespace

TEMPLATE_TEST_CASE("Activation kernels: value and derivative are the CPU's, in place or not, aligned or not, in every order", "",
                   float, Bfloat16) {
  for (const std::size_t size : {1u, 7u, 33u, 257u, 3001u})
    for (const std::size_t offset : {0u, 1u, 4u}) {
      check<ops::Gelu, TestType>(size, offset);
      check<ops::Silu, TestType>(size, offset);
    }
}

TEMPLATE_TEST_CASE("Activation kernels: NaN stays within its element", "", float, Bfloat16) {
  auto x = test::normals<float>(20, 1);
  x[6] = test::nan<float>;
  Buffer<TestType> from(test::as<TestType>(x)), grad_y(test::as<TestType>(test::normals<float>(20, 2))), y(20), grad_x(20);
  kernels::activation<ops::Silu, TestType>({}, from, 20, y);
  kernels::activation_gradient<ops::Gelu, TestType>({}, from, grad_y, 20, grad_x);
  for (std::size_t i = 0; i < 20; ++i) {
    CHECK(std::isnan(static_cast<float>(y[i])) == (i == 6));
    CHECK(std::isnan(static_cast<float>(grad_x[i])) == (i == 6));
  }
}
