#include "lacuna/ops/kernel_cache.hpp"

#include "catch.hpp"

using namespace lacuna;

#ifdef LACUNA_HAS_ONEDNN
TEST_CASE("oneDNN keeps kernels before and after, and none while it is told so") {
  const int before = dnnl::get_primitive_cache_capacity();
  REQUIRE(before > 0);
  {
    const NoKernelsKept none;
    CHECK(dnnl::get_primitive_cache_capacity() == 0);
  }
  CHECK(dnnl::get_primitive_cache_capacity() == before);
}
#else
TEST_CASE("without oneDNN there is nothing to keep") { CHECK_NOTHROW(NoKernelsKept{}); }
#endif
