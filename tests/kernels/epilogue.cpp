#include "epilogue.cuh"

#include "catch.hpp"
#include "cuda_emulation/buffer.hpp"
#include "kernels/orders.hpp"
#include "support/compare.hpp"
#include "support/fill.hpp"
#include "support/tolerances.hpp"

using namespace lacuna;
using cuda_emulation::Buffer;

namespace {

template <class Function>
void check(std::size_t cells, int channels, std::size_t offset, bool with_bias, bool with_residual) {
  const auto c = static_cast<std::size_t>(channels), n = cells * c;
  const auto x = test::normals<float>(n, 1), bias = test::normals<float>(c, 2), residual = test::normals<float>(n, 3);
  std::vector<double> expected(n);
  for (std::size_t i = 0; i < n; ++i)
    expected[i] = Function::value(static_cast<double>(x[i]) + (with_bias ? static_cast<double>(bias[i % c]) : 0.0)) +
                  (with_residual ? static_cast<double>(residual[i]) : 0.0);
  test::in_every_order([&] {
    Buffer<float> from(x, offset), b(bias, offset), r(residual, offset), to(n, offset);
    float* const given_bias = with_bias ? b.data() : nullptr;
    float* const given_residual = with_residual ? r.data() : nullptr;
    kernels::epilogue<Function>({}, from, given_bias, given_residual, cells, channels, to);
    INFO(cells << " cells of " << channels << " channels, offset " << offset);
    CHECK(test::relative_difference(to.content(), expected) < test::tolerance::kernel);
    CHECK(to.intact());
    kernels::epilogue<Function>({}, from, given_bias, given_residual, cells, channels, from);
    CHECK(from.content() == to.content());
  });
}

}  // namespace

TEST_CASE("Epilogue kernel: bias, activation and residual are the CPU's functions, in place or not, in every order") {
  for (const std::size_t cells : {1u, 33u, 257u})
    for (const int channels : {1, 3, 4, 12})
      for (const std::size_t offset : {0u, 1u}) {
        check<ops::Silu>(cells, channels, offset, true, true);
        check<ops::Gelu>(cells, channels, offset, true, false);
        check<ops::Identity>(cells, channels, offset, false, true);
      }
}
