#include "concatenate.cuh"

#include "catch.hpp"
#include "cuda_emulation/buffer.hpp"
#include "kernels/orders.hpp"
#include "kernels/scalars.hpp"
#include "lacuna/ops/concatenate.hpp"
#include "support/probe.hpp"

using namespace lacuna;
using cuda_emulation::Buffer;

TEMPLATE_TEST_CASE("Concatenation kernels: copy and split as the CPU does, aligned or not, in every order", "", float, Bfloat16) {
  using S = TestType;
  cpu::Device device({.threads = 1});
  for (const int cells : {1, 33, 300})
    for (const auto& [left, right] : {std::pair{4, 8}, std::pair{8, 16}, std::pair{3, 4}, std::pair{1, 1}, std::pair{16, 5}})
      for (const std::size_t offset : {0u, 1u, 4u}) {
        Parameters<float> none;
        const Shape shape{.width = cells};
        const auto operand = [&](int channels, std::uint64_t stream) {
          const Shape own = shape.with_channels(channels);
          return test::Operand<float>{own, test::normals_of<S>(own.size(), stream)};
        };
        const auto n = static_cast<std::size_t>(cells);
        const std::vector operands{operand(left, 1), operand(right, 2)};
        const auto grad_y = test::normals_of<S>(n * static_cast<std::size_t>(left + right), 3);
        const auto expected = test::train_pass<float>(
            device, none, operands, [](auto& graph, const auto& x) { return ops::concatenate(graph, x[0], x[1]); }, grad_y);
        test::in_every_order([&] {
          INFO(cells << " cells, " << left << " + " << right << " channels, offset " << offset);
          Buffer<S> a(test::as<S>(operands[0].values), offset), b(test::as<S>(operands[1].values), offset),
              y(expected.result.size(), offset);
          kernels::concatenate<S>({}, a, b, n, left, right, y);
          CHECK(test::same_bits(y.content(), test::as<S>(expected.result)));
          CHECK(y.intact());
          Buffer<S> given(test::as<S>(grad_y), offset), grad_a(a.size(), offset), grad_b(b.size(), offset);
          kernels::split<S>({}, given, n, left, right, grad_a, grad_b);
          CHECK(test::same_bits(grad_a.content(), test::as<S>(expected.operand_gradients[0])));
          CHECK(test::same_bits(grad_b.content(), test::as<S>(expected.operand_gradients[1])));
          CHECK((grad_a.intact() && grad_b.intact()));
        });
      }
}
