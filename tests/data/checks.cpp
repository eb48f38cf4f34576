#include "lacuna/data/checks.hpp"

#include <limits>

#include "scratch.hpp"

using namespace lacuna;
using namespace lacuna::data;

namespace {

constexpr float missing = not_observed;

/// Two frames of one row and three columns.
Fields fields_of(const std::vector<std::string>& names, const std::vector<float>& values) {
  Fields f;
  f.grid = {.y = {0}, .x = {0, 1, 2}};
  f.time = {0, 1};
  f.names = names;
  f.values = values;
  return f;
}

}  // namespace

TEST_CASE("Gaps are counted apart from cells never observed") {
  const GapCount count = count_gaps(fields_of({"v"}, {1, missing, missing, 2, 3, missing}), 0);
  CHECK(count.observed == 3);
  CHECK(count.missing == 1);
  CHECK(count.never == 2);
}

TEST_CASE("Fields without gaps have nothing to fill") {
  const std::vector<std::uint8_t> live{1, 1, 1}, coast{1, 1, 0};
  CHECK_NOTHROW(require_gappy(fields_of({"v"}, {1, missing, missing, 2, 3, missing}), coast));
  CHECK(error_of([&] {
          require_gappy(fields_of({"v"}, {1, 2, 3, 4, 5, 6}), live);
        }) == "nothing is missing in v: there is nothing to fill");
  const Fields land = fields_of({"v"}, {1, 2, missing, 4, 5, missing});
  CHECK(error_of([&] { require_gappy(land, coast); }) ==
        "nothing is missing in v: there is nothing to fill (2 values lie in cells never observed and stay missing)");
  CHECK_NOTHROW(require_gappy(land, live));
  const std::vector<std::uint8_t> two(6, 1);
  CHECK_NOTHROW(require_gappy(fields_of({"u", "v"}, {1, 1, 1, missing, 1, 1, 1, 1, 1, 1, 1, 1}), two));
}

TEST_CASE("Variables without observations and infinite values are named") {
  CHECK(error_of([] {
          require_observed(fields_of({"u", "v"}, {1, missing, 1, missing, 1, missing, 1, missing, 1, missing, 1, missing}));
        }) == "variable v: all values are missing");
  constexpr float infinity = std::numeric_limits<float>::infinity();
  CHECK_NOTHROW(require_finite(fields_of({"v"}, {1, missing, 3, 4, 5, 6}), "a.nc"));
  CHECK(error_of([] {
          require_finite(fields_of({"v"}, {1, missing, 3, 4, -infinity, infinity}), "a.nc");
        }) ==
        "a.nc: variable v holds 2 infinite values, the first in frame 1, row 0, column 1 (NaN or the file's fill value means not "
        "observed)");
}
