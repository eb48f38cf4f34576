#include "lacuna/core/parse_number.hpp"

#include <cstdint>

#include "catch.hpp"

using namespace lacuna;

TEST_CASE("A number is all of the text, or none") {
  CHECK(parse_number<std::int64_t>("42") == 42);
  CHECK(parse_number<std::int64_t>("-7") == -7);
  CHECK(parse_number<double>("1e3") == 1000.0);
  for (const char* text : {"", "5x", " 5", "5 ", "1e3", "0x10", "9223372036854775808", "+5"})
    CHECK_FALSE(parse_number<std::int64_t>(text));
  CHECK_FALSE(parse_number<int>("4294967297"));
  CHECK_FALSE(parse_number<std::uint64_t>("-1"));
  for (const char* text : {"", "1.5.2", "inf", "nan", "1e999", "one"}) CHECK_FALSE(parse_number<double>(text));
}
