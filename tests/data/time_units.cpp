#include "lacuna/data/time_units.hpp"

#include "catch.hpp"

using namespace lacuna::data;

TEST_CASE("Times in different units are the same instants") {
  const double day = 86400;
  CHECK(parse_time_units("days since 1970-01-01").value().seconds(2.5) == 2.5 * day);
  CHECK(parse_time_units("seconds since 1970-01-02 00:00:00").value().seconds(3) == day + 3);
  CHECK(parse_time_units("hours since 1970-01-01T06:30:15Z").value().seconds(1) == 7.5 * 3600 + 15);
  CHECK(parse_time_units("Hours Since 1900-1-1 0:0:0.5").value().epoch == -25567 * day + 0.5);
  CHECK(parse_time_units("minutes since 2000-02-29 12:00").value().seconds(1) == 11016 * day + 43200 + 60);
  CHECK(parse_time_units("hour since 0000-01-01 00:00:00").value().epoch == -719528 * day);
}

TEST_CASE("What is no time of constant units is not guessed") {
  for (const char* units :
       {"", "days", "months since 1990-01-01", "years since 1", "days since yesterday", "days since 2001-02-30", "K"}) {
    CHECK_FALSE(parse_time_units(units));
  }
}

TEST_CASE("Dates are written to the minute, or to the second where there are any") {
  CHECK(date_text(0) == "1970-01-01 00:00");
  CHECK(date_text(951782400 + 23 * 3600 + 59 * 60) == "2000-02-29 23:59");
  CHECK(date_text(-1) == "1969-12-31 23:59:59");
}
