#include "concatenate.cuh"

#include "catch.hpp"
#include "cuda_emulation/buffer.hpp"
#include "kernels/orders.hpp"
#include "lacuna/ops/concatenate.hpp"
#include "support/fill.hpp"
#include "support/probe.hpp"

using namespace lacuna;
using cuda_emulation::Buffer;

TEST_CASE("Concatenation kernels: copy and split as the CPU does, aligned or not, in every order") {
  cpu::Device device({.threads = 1});
  for (const int cells : {1, 33, 300})
    for (const auto& [left, right] : {std::pair{4, 8}, std::pair{3, 4}, std::pair{1, 1}, std::pair{16, 5}})
      for (const std::size_t offset : {0u, 1u}) {
        Parameters<float> none;
        const Shape shape{.width = cells};
        const std::vector operands{test::random_operand<float>(shape.with_channels(left), 1),
                                   test::random_operand<float>(shape.with_channels(right), 2)};
        const auto expected = test::train_pass(device, none, operands,
                                               [](auto& graph, const auto& x) { return ops::concatenate(graph, x[0], x[1]); });
        const auto grad_y = test::normals<float>(expected.result.size(), 999);  // what train_pass hands back through the op
        const auto n = static_cast<std::size_t>(cells);
        test::in_every_order([&] {
          INFO(cells << " cells, " << left << " + " << right << " channels, offset " << offset);
          Buffer<float> a(operands[0].values, offset), b(operands[1].values, offset), y(expected.result.size(), offset);
          kernels::concatenate({}, a, b, n, left, right, y);
          CHECK(y.content() == expected.result);
          CHECK(y.intact());
          Buffer<float> given(grad_y, offset), grad_a(a.size(), offset), grad_b(b.size(), offset);
          kernels::split({}, given, n, left, right, grad_a, grad_b);
          CHECK(grad_a.content() == expected.operand_gradients[0]);
          CHECK(grad_b.content() == expected.operand_gradients[1]);
          CHECK((grad_a.intact() && grad_b.intact()));
        });
      }
}
