#include "lacuna/data/time_units.hpp"

#include <limits>

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
  CHECK(parse_time_units("days since 1970-01-01 \n").value().epoch == 0);
}

TEST_CASE("Time zones are taken off") {
  const auto epoch = [](const std::string& time) { return parse_time_units("seconds since 1970-01-02 " + time).value().epoch; };
  const double hour = 3600;
  for (const char* utc : {"6:00", "06:00:00Z", "6:00 UTC", "6 GMT", "06:00:00.0 +0"}) CHECK(epoch(utc) == 30 * hour);
  CHECK(epoch("06:00:00 -6:00") == 36 * hour);
  CHECK(epoch("06:00+05:30") == 24.5 * hour);
  CHECK(epoch("06:00:00 +0530") == 24.5 * hour);
}

TEST_CASE("What is no time of constant units is not guessed") {
  for (const char* units :
       {"", "days", "months since 1990-01-01", "years since 1", "days since yesterday", "days since 2001-02-30", "K"}) {
    CHECK_FALSE(parse_time_units(units));
  }
  for (const char* units : {"", " ", "day days", "sec secs"}) CHECK_FALSE(seconds_in(units));
}

TEST_CASE("Numbers that no date has are refused, not wrapped into another date") {
  for (const char* date : {"70000-01-01", "-70000-01-01", "99999999999-01-01", "2000-257-01", "2000-01-257", "2000--3-01",
                           "2000-01-01 600000:00", "2000-01-01 24:00", "2000-01-01 00:600000:00", "2000-01-01 00:-5",
                           "2000-01-01 00:00:nan", "2000-01-01 00:00:1e999", "2000-01-01 00:00:-1", "2000-01-01 00:00 +99:00",
                           "2000-01-01 00:00 EST", "2000-01-01 00:00 +", "2000-01-01 00:00 5:30"}) {
    CAPTURE(date);
    CHECK_FALSE(parse_time_units(std::string("days since ") + date));
  }
  CHECK(parse_time_units("days since 32767-12-31"));
  CHECK(parse_time_units("days since -32767-01-01"));
}

TEST_CASE("Dates are written to the minute, or to the second where there are any") {
  CHECK(date_text(0) == "1970-01-01 00:00");
  CHECK(date_text(951782400 + 23 * 3600 + 59 * 60) == "2000-02-29 23:59");
  CHECK(date_text(-1) == "1969-12-31 23:59:59");
  CHECK(date_text(-62167219200) == "0000-01-01 00:00");
}

TEST_CASE("A time beyond the years of dates is written as it is") {
  CHECK(date_text(971'890'876'800) == "32767-12-31 00:00");
  CHECK(date_text(1'000'000'000'000) == "1000000000000 s after 1970");
  CHECK(date_text(std::numeric_limits<std::int64_t>::max()) == "9223372036854775807 s after 1970");
  CHECK(date_text(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808 s after 1970");
}
