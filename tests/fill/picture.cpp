#include "fill/picture.hpp"

#include "../data/scratch.hpp"
#include "catch.hpp"
#include "support/waves.hpp"

using namespace lacuna;

TEST_CASE("the frames shown are those in which most was filled, one in each stretch that has any") {
  const auto whole = waves::make(12, 1, waves::Gaps::pixels, 2.0f);
  auto f = whole, filled = whole;
  for (const int t : {2, 7, 11})
    for (int x = 0; x < 12; ++x) f.at(t, 3, x, 0) = data::not_observed;
  CHECK(fill::frames_to_show(f, filled, 0, 3) == std::vector<int>{2, 7, 11});
  CHECK(fill::frames_to_show(f, filled, 0, 99) == std::vector<int>{2, 7, 11});
  for (int x = 0; x < 12; ++x) filled.at(7, 3, x, 0) = data::not_observed;  // static cells stay empty
  CHECK(fill::frames_to_show(f, filled, 0, 99) == std::vector<int>{2, 11});
}

TEST_CASE("a picture is written for several variables") {
  const Scratch folder;
  const auto f = waves::make(6, 3, waves::Gaps::pixels);
  Result result;
  result.filled = f;
  for (auto& x : result.filled.values) x = std::isnan(x) ? 0.0f : x;
  result.spread.assign(f.values.size(), 0.5f);
  fill::draw(f, result, folder / "p.png");
  CHECK(content(folder / "p.png").substr(1, 3) == "PNG");
  CHECK_THROWS_AS(fill::draw(f, result, folder / "absent/p.png"), DataError);
}
