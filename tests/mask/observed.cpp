#include "lacuna/mask/observed.hpp"

#include "catch.hpp"
#include "support/waves.hpp"

using namespace lacuna;

TEST_CASE("observed values are those that are numbers, and masks have the fields' shape") {
  auto f = waves::make(3, 2, waves::Gaps::pixels, 2.0f);
  f.at(1, 4, 5, 1) = data::not_observed;
  const auto observed = mask::observed_of(f);
  CHECK(std::count(observed.begin(), observed.end(), std::uint8_t{0}) == 1);
  CHECK(observed[f.index(1, 4, 5, 1)] == 0);
  const auto masks = mask::masks_of(f, observed);
  CHECK((masks.frames == 3 && masks.height == 12 && masks.width == 12 && masks.variables == 2));
  CHECK_FALSE(masks.at(1, 4, 5, 1));
  CHECK(masks.at(1, 4, 5, 0));
}
