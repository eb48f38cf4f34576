#include "cast.cuh"

#include <limits>

#include "catch.hpp"
#include "cuda_emulation/buffer.hpp"
#include "kernels/orders.hpp"
#include "kernels/scalars.hpp"
#include "lacuna/ops/cast.hpp"

using namespace lacuna;
using cuda_emulation::Buffer;

TEST_CASE("Cast kernel: rounds and widens as the CPU does bit for bit, aligned or not, in every order") {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  const float special[] = {-0.0f,     1 + 0x1p-8f, 1 + 0x1.8p-7f,    test::nan<float>, -test::nan<float>,
                           -infinity, 0x1p-140f,   0x1.fffffep+127f, 0x1.00fffep+0f};  // ties, and what overflows by rounding
  for (const std::size_t size : {1u, 7u, 8u, 33u, 1000u, 5003u})
    for (const std::size_t offset : {0u, 1u, 4u}) {
      auto x = test::normals<float>(size, 1);
      for (std::size_t i = 0; i < std::size(special) && i < size; ++i) x[size - 1 - i] = special[i];
      std::vector<Bfloat16> rounded(size);
      std::vector<float> back(size);
      ops::convert(x.data(), rounded.data(), size);
      ops::convert(rounded.data(), back.data(), size);
      test::in_every_order([&] {
        INFO(size << " elements, offset " << offset);
        Buffer<float> from(x, offset), wide(size, offset);
        Buffer<Bfloat16> narrow(size, offset);
        kernels::cast<float, Bfloat16>({}, from, size, narrow);
        CHECK(test::same_bits(narrow.content(), rounded));
        kernels::cast<Bfloat16, float>({}, narrow, size, wide);
        CHECK(test::same_bits(wide.content(), back));
        CHECK((narrow.intact() && wide.intact()));
      });
    }
}
