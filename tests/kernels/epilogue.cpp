#include "epilogue.cuh"

#include "catch.hpp"
#include "cuda_emulation/buffer.hpp"
#include "kernels/orders.hpp"
#include "kernels/scalars.hpp"

using namespace lacuna;
using cuda_emulation::Buffer;

namespace {

template <class Function, class S>
void check(std::size_t cells, int channels, std::size_t offset, bool with_bias, bool with_residual) {
  const auto c = static_cast<std::size_t>(channels), n = cells * c;
  const auto x = test::normals_of<S>(n, 1), bias = test::normals<float>(c, 2), residual = test::normals_of<S>(n, 3);
  std::vector<float> expected(n);
  for (std::size_t i = 0; i < n; ++i)
    expected[i] = Function::value(x[i] + (with_bias ? bias[i % c] : 0.0f)) + (with_residual ? residual[i] : 0.0f);
  test::in_every_order([&] {
    Buffer<S> from(test::as<S>(x), offset), r(test::as<S>(residual), offset), to(n, offset);
    Buffer<float> b(bias, offset);
    float* const given_bias = with_bias ? b.data() : nullptr;
    S* const given_residual = with_residual ? r.data() : nullptr;
    kernels::epilogue<Function, S>({}, from, given_bias, given_residual, cells, channels, to);
    INFO(cells << " cells of " << channels << " channels, offset " << offset);
    CHECK(test::within_one_rounding(to.content(), expected));
    CHECK(to.intact());
    kernels::epilogue<Function, S>({}, from, given_bias, given_residual, cells, channels, from);
    CHECK(test::same_bits(from.content(), to.content()));
  });
}

}  // namespace

TEMPLATE_TEST_CASE("Epilogue kernel: bias, activation and residual are the CPU's functions, in place or not, in every order", "",
                   float, Bfloat16) {
  for (const std::size_t cells : {1u, 33u, 257u})
    for (const int channels : {1, 3, 4, 8, 24})
      for (const std::size_t offset : {0u, 1u, 4u}) {
        check<ops::Silu, TestType>(cells, channels, offset, true, true);
        check<ops::Gelu, TestType>(cells, channels, offset, true, false);
        check<ops::Identity, TestType>(cells, channels, offset, false, true);
      }
}
