#include "reduce.cuh"

#include "catch.hpp"
#include "cuda_emulation/buffer.hpp"
#include "kernels/orders.hpp"

using namespace lacuna;
using cuda_emulation::Buffer;

namespace {

/// Sums of the threads' numbers and of their squares, one right after the other, in every thread.
void two_sums_kernel(unsigned* sums, unsigned* squares) {
  const unsigned i = threadIdx.x;
  sums[i] = kernels::block_sum(i);
  squares[i] = kernels::block_sum(i * i);
}

}  // namespace

TEST_CASE("Block sums: every thread gets each of two in a row, in every order") {
  constexpr unsigned n = kernels::block_size;
  test::in_every_order([] {
    Buffer<unsigned> sums(n), squares(n);
    kernels::launch({}, &two_sums_kernel, 1u, n, 0, sums.data(), squares.data());
    CHECK(sums.content() == std::vector<unsigned>(n, n * (n - 1) / 2));
    CHECK(squares.content() == std::vector<unsigned>(n, (n - 1) * n * (2 * n - 1) / 6));
  });
}
