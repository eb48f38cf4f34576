#include "lacuna/baseline/season.hpp"

#include "catch.hpp"

using namespace lacuna;

namespace {

data::Fields timed(const char* units, std::vector<double> time) {
  data::Fields f;
  f.time_units = units;
  f.time = std::move(time);
  return f;
}

}  // namespace

TEST_CASE("Season: calendar months from CF times") {
  CHECK(*baseline::calendar_months(timed("days since 2000-02-28", {0, 1, 2})) == std::vector<long>{24001, 24001, 24002});
  CHECK(*baseline::calendar_months(timed("hours since 1999-12-31 12:00:00", {0, 11.9, 12})) ==
        std::vector<long>{23999, 23999, 24000});
  CHECK(*baseline::calendar_months(timed("months since 1982-11-15", {0, 1, 2})) == std::vector<long>{23794, 23795, 23796});
  CHECK(*baseline::calendar_months(timed("month since 1982-11-15", {-11})) == std::vector<long>{23783});
  CHECK_FALSE(baseline::calendar_months(timed("", {0, 1})));
  CHECK_FALSE(baseline::calendar_months(timed("frames", {0, 1})));
  CHECK_FALSE(baseline::calendar_months(timed("days since 2000-01-01", {0, NAN})));
  CHECK_FALSE(baseline::calendar_months(timed("weeks since 2000-01-01", {0, 1e12})));  // beyond all calendars
}

TEST_CASE("Season: twelve groups from two years on, else one") {
  std::vector<double> time;
  for (int t = 0; t < 23; ++t) time.push_back(t);
  CHECK(baseline::Seasons(timed("months since 2001-03-01", time), {0, 23}).count == 1);
  time.push_back(23);
  const baseline::Seasons two(timed("months since 2001-03-01", time), {0, 24});
  CHECK(two.count == 12);
  CHECK(two.of[0] == 2);
  CHECK(two.of[10] == 0);
  CHECK(two.apart(11, 0) == 1);
  CHECK(two.apart(2, 10) == 4);
}

TEST_CASE("Season: the frames that are learned from decide, and every frame has its month") {
  std::vector<double> time;
  for (int t = 0; t < 36; ++t) time.push_back(t);
  const auto fields = timed("months since 2001-03-01", time);
  CHECK(baseline::Seasons(fields, {6, 18}).count == 1);
  CHECK(baseline::Seasons(fields, {}).count == 1);
  const baseline::Seasons two(fields, {6, 30});
  CHECK(two.count == 12);
  CHECK(two.of[35] == 1);
}
