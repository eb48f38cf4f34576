#include "fill/outputs.hpp"

#include "catch.hpp"

using namespace lacuna;

TEST_CASE("files of one name are told apart from files of names of their own") {
  using fill::require_names_of_their_own;
  CHECK_NOTHROW(require_names_of_their_own({"a.nc", "b/a.nc", "/a.nc"}));
  CHECK_THROWS_AS(require_names_of_their_own({"a.nc", "b/../a.nc"}), OptionError);
  CHECK_THROWS_AS(require_names_of_their_own({"a.nc", std::filesystem::absolute("a.nc").string()}), OptionError);
}
