#include "accumulate.cuh"

#include "catch.hpp"
#include "cuda_emulation/buffer.hpp"
#include "kernels/orders.hpp"
#include "kernels/scalars.hpp"
#include "lacuna/autograd/graph.hpp"

using namespace lacuna;
using cuda_emulation::Buffer;

TEMPLATE_TEST_CASE("Accumulation kernel: adds as the CPU does bit for bit, NaN in its element, in every order", "", float,
                   Bfloat16) {
  for (const std::size_t size : {1u, 7u, 8u, 33u, 257u, 5003u})
    for (const std::size_t offset : {0u, 1u, 4u}) {
      auto before = test::as<TestType>(test::normals<float>(size, 1)),
           gradient = test::as<TestType>(test::normals<float>(size, 2));
      gradient[size / 3] = TestType(test::nan<float>);
      auto expected = before;
      add_gradient(expected.data(), gradient.data(), size);
      test::in_every_order([&] {
        INFO(size << " elements, offset " << offset);
        Buffer<TestType> sum(before, offset), given(gradient, offset);
        kernels::accumulate<TestType>({}, sum, given, size);
        CHECK(test::same_bits(sum.content(), expected));
        CHECK(sum.intact());
      });
    }
}
