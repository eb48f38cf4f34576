#include "lacuna/validation/holdout_split.hpp"

#include <cmath>

#include "catch.hpp"
#include "lacuna/data/checks.hpp"
#include "support/waves.hpp"

using namespace lacuna;
using validation::hold_out;

TEST_CASE("withheld values are observed ones, about the share asked for, and gone from what is learned from") {
  const auto fields = waves::make(30, 2, waves::Gaps::pixels);
  const auto study = hold_out(fields, {}, {.share = 0.2, .seed = 1});
  double observed = 0, withheld = 0;
  for (std::size_t i = 0; i < fields.values.size(); ++i) {
    const bool kept = !std::isnan(study.available.values[i]), seen = !std::isnan(fields.values[i]);
    observed += seen;
    withheld += study.held_out[i];
    CHECK(kept == (seen && study.held_out[i] == 0));
    CHECK(std::isnan(study.truth.values[i]) == !seen);
  }
  CHECK(withheld / observed == Approx(0.2).epsilon(0.15));
}

TEST_CASE("the normalisation does not know the withheld values") {
  auto fields = waves::make(30, 1, waves::Gaps::pixels);
  const auto before = hold_out(fields, {}, {.share = 0.2, .seed = 1});
  for (std::size_t i = 0; i < fields.values.size(); ++i)
    if (before.held_out[i] != 0) fields.values[i] += 1000.0f;
  const auto after = hold_out(fields, {}, {.share = 0.2, .seed = 1});
  CHECK(after.held_out == before.held_out);
  CHECK(after.normalisation.mean == before.normalisation.mean);
  CHECK(after.normalisation.deviation == before.normalisation.deviation);
  double sum = 0, count = 0;
  for (const float x : before.available.values)
    if (!std::isnan(x)) {
      sum += static_cast<double>(x);
      count += 1;
    }
  CHECK(sum / count == Approx(0.0).margin(1e-4));
}

TEST_CASE("where blocks are missing whole blocks are withheld") {
  const auto fields = waves::make(30, 1, waves::Gaps::blocks);
  const auto study = hold_out(fields, {}, {.share = 0.1, .seed = 3});
  CHECK(study.structure.kind == mask::Structure::Kind::blocks);
  for (int t = 0; t < 30; ++t)
    for (int y = 0; y < 12; ++y)
      for (int x = 0; x < 12; ++x)
        CHECK(study.held_out[fields.index(t, y, x, 0)] == study.held_out[fields.index(t / 3 * 3, y / 4 * 4, x / 4 * 4, 0)]);
}

TEST_CASE("a share outside its range is refused") {
  const auto fields = waves::make(6, 1, waves::Gaps::pixels);
  CHECK_THROWS_WITH(hold_out(fields, {}, {.share = 0.0, .seed = 1}), Catch::Matchers::Contains("holdout.share = 0"));
  CHECK_THROWS_AS(hold_out(fields, {}, {.share = 0.7, .seed = 1}), OptionError);
  CHECK_THROWS_WITH(hold_out(fields, {.length = 9}), Catch::Matchers::Contains("6 frames, fewer than a window of 9"));
}

TEST_CASE("cells that are not filled (land) are nothing to fill") {
  auto land = waves::make(12, 1, waves::Gaps::pixels, 1.0f);
  for (int t = 0; t < 12; ++t)
    for (int y = 0; y < 12; ++y)
      for (int x = 0; x < 5; ++x) land.at(t, y, x, 0) = data::not_observed;
  CHECK_THROWS_WITH(data::require_gappy(land, validation::live_cells(land, {})), Catch::Matchers::Contains("nothing is missing"));
}
