#include "lacuna/core/host_device.hpp"

#include "catch.hpp"

namespace {
LACUNA_HOST_DEVICE constexpr int twice(int x) { return 2 * x; }
}  // namespace

TEST_CASE("LACUNA_HOST_DEVICE is empty for a host compiler") { STATIC_REQUIRE(twice(2) == 4); }
