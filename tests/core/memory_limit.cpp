#include "lacuna/core/memory_limit.hpp"

#include "catch.hpp"

using namespace lacuna;

namespace {

std::size_t address_space() {
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

TEST_CASE("A process has memory, and may have no more than a limit on its address space") {
  CHECK(address_space() > 1 << 20);
  const std::size_t whole = memory_limit();
  CHECK(whole > std::size_t{1} << 28);
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_AS, &before) == 0);
  if (before.rlim_cur != RLIM_INFINITY || address_space() > std::size_t{1} << 36) return;  // a sanitizer's address space is vast
  const rlimit tight{.rlim_cur = address_space() + (std::size_t{1} << 28), .rlim_max = before.rlim_max};
  REQUIRE(setrlimit(RLIMIT_AS, &tight) == 0);
  CHECK(address_space_limit() == tight.rlim_cur);
  CHECK(memory_limit() <= tight.rlim_cur);
  setrlimit(RLIMIT_AS, &before);
  CHECK(memory_limit() == whole);
}
