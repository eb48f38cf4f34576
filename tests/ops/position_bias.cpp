#include "lacuna/ops/position_bias.hpp"

#include <vector>

#include "catch.hpp"

using namespace lacuna;

TEST_CASE("Position buckets: one each up to seven, logarithmic beyond, sixteen more for negative distances") {
  const std::vector<int> expected{0, 1, 2, 3, 4, 5, 6, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 12, 12, 13, 13, 13, 14, 14};
  for (int n = 0; n < 25; ++n) {
    CHECK(ops::position_bucket(n) == expected[static_cast<std::size_t>(n)]);
    if (n > 0) CHECK(ops::position_bucket(-n) == 16 + expected[static_cast<std::size_t>(n)]);
  }
  CHECK(ops::position_bucket(32) == 15);
  CHECK(ops::position_bucket(1000) == 15);
  CHECK(ops::position_bucket(-1000) == 31);
}
