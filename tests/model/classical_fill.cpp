#include "lacuna/model/classical_fill.hpp"

#include "catch.hpp"
#include "support/waves.hpp"

using namespace lacuna;
using namespace lacuna::model;

TEST_CASE("a score is the mean square of the withheld errors, of all of them") {
  const auto fields = waves::make(12, 2, waves::Gaps::pixels);
  const auto study = validation::hold_out(fields, {});
  ClassicalFill::Filled filled{study.truth.values, std::vector<float>(fields.values.size(), 2.0f)};
  for (std::size_t i = 0; i < filled.values.size(); ++i) filled.values[i] += i % 2 == 0 ? 0.5f : 1.0f;
  const auto score = score_classical(study, filled, 3);
  double counts[2] = {0, 0};
  for (std::size_t i = 0; i < study.held_out.size(); ++i) counts[i % 2] += study.held_out[i];
  CHECK(score.nmse == Approx((0.25 * counts[0] + counts[1]) / (counts[0] + counts[1])).epsilon(1e-5));
  // Variables apart: an expected error of 2 everywhere is scaled to 0.5 and to 1.
  REQUIRE(score.spread.size() == 4);
  // Errors of one size lie within any interval above it and outside any below: 0.674 and 1.645 spreads.
  CHECK(score.trust.spread.coverage(0) == 0);
  CHECK(score.trust.spread.coverage(1) == 1);
  CHECK(score.trust.spread.count() == static_cast<std::size_t>(counts[0] + counts[1]));
  CHECK(score.spread[0].spread(0, 2) == Approx(0.5).epsilon(1e-5));
  CHECK(score.spread[1].spread(0, 2) == Approx(1.0).epsilon(1e-5));
}
