#include "lacuna/model/report.hpp"

#include "catch.hpp"

using namespace lacuna::model;

TEST_CASE("a report knows the error of each method, and -1 of those that it does not have") {
  Report r;
  r.scores = {{"mean", 1.0}, {"lacuna", 0.125}};
  CHECK(r.score("lacuna") == 0.125);
  CHECK(r.score("nothing") == -1);
  CHECK(fixed(0.12345) == "0.1235");
}
