#include "lacuna/core/error.hpp"

#include <type_traits>

#include "catch.hpp"

TEST_CASE("text joins its parts as they print") { CHECK(lacuna::text("step ", 3, " of ", 7, ": ", 0.5) == "step 3 of 7: 0.5"); }

TEST_CASE("require throws the error asked for, with its message, only when the condition fails") {
  CHECK_NOTHROW(lacuna::require(true, "never seen"));
  CHECK_THROWS_AS(lacuna::require<lacuna::OptionError>(false, "x"), lacuna::OptionError);
  try {
    lacuna::require<lacuna::DataError>(2 > 3, "file ", "a.nc", ": ", 12, " frames");
    FAIL("no error");
  } catch (const lacuna::DataError& error) {
    CHECK(std::string(error.what()) == "file a.nc: 12 frames");
  }
}

TEMPLATE_TEST_CASE("Every error can be caught as lacuna::Error and as std::exception", "", lacuna::ShapeError,
                   lacuna::OptionError, lacuna::DataError) {
  STATIC_REQUIRE(std::is_base_of_v<lacuna::Error, TestType>);
  CHECK_THROWS_AS(lacuna::require<TestType>(false, "x"), lacuna::Error);
  CHECK_THROWS_AS(lacuna::require<TestType>(false, "x"), std::exception);
}

TEST_CASE("What a file says does not break a message into lines") {
  CHECK(std::string(lacuna::DataError("name a\nb\tc\x7f: damaged").what()) == "name a b c : damaged");
  CHECK(std::string(lacuna::Error("d\xc3\xa9g\xc3\xa2t").what()) == "d\xc3\xa9g\xc3\xa2t");  // UTF-8 stays
}
