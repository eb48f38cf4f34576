#include "lacuna/fill/classical.hpp"

#include "catch.hpp"
#include "waves.hpp"

using namespace lacuna;
using namespace lacuna::fill;

namespace {

Options with(const std::string& method) {
  Options o;
  o.method = method;
  o.threads = 2;
  return o;
}

std::vector<std::string> built_methods() {
  auto names = classical_methods();
  if (!has_opencv) std::erase_if(names, [](const auto& n) { return n == "telea" || n == "navier-stokes"; });
  return names;
}

/// Waves of which one variable's frame is lost.
data::Fields with_a_lost_frame() {
  auto fields = waves::make(18, 2, waves::Gaps::pixels, 0.5f);
  for (std::size_t i = 0; i < 144; ++i) fields.values[fields.index(7, 0, 0, 1) + 2 * i] = data::not_observed;
  return fields;
}

}  // namespace

TEST_CASE("every classical method fills every gap, keeps every observation, and has a spread and a score") {
  const auto fields = with_a_lost_frame();
  for (const auto& method : built_methods()) {
    INFO(method);
    const auto result = fill_classical(fields, with(method));
    std::size_t gaps = 0;
    bool kept = true, filled = true, spread = true;
    for (std::size_t i = 0; i < fields.values.size(); ++i) {
      const bool seen = !std::isnan(fields.values[i]);
      gaps += seen ? 0 : 1;
      kept &= result.observed[i] == (seen ? 1 : 0) &&
              (!seen || (result.filled.values[i] == fields.values[i] && result.spread[i] == 0));
      filled &= std::isfinite(result.filled.values[i]);
      spread &= seen || result.spread[i] > 0;
    }
    CHECK(kept);
    CHECK(filled);
    CHECK(spread);
    CHECK(result.report.filled == gaps);
    CHECK(result.report.method == method);
    CHECK(result.report.score(method) > 0);
    CHECK(result.report.score(method) <= 1.3 * result.report.score("mean"));
    CHECK(result.report.spread_floors.size() == 4);
    CHECK(result.report.trust.spread.count() == result.report.withheld);
    CHECK(result.report.trust.spread.coverage(1) > 0.7);
  }
}

TEST_CASE("the mean is the observations' mean, and its spread their deviation") {
  const auto fields = waves::make(12, 1, waves::Gaps::pixels);
  const auto study = make_study(fields, {}, 0.1, 1);
  const auto result = fill_classical(fields, with("mean"));
  for (std::size_t i = 0; i < fields.values.size(); ++i)
    if (std::isnan(fields.values[i])) {
      CHECK(result.filled.values[i] == Approx(study.normalisation.mean[0]));
      CHECK(result.spread[i] == Approx(std::sqrt(result.report.score("mean")) * study.normalisation.deviation[0]));
    }
}

TEST_CASE("a score is the mean square of the withheld errors, of all of them") {
  const auto fields = waves::make(12, 2, waves::Gaps::pixels);
  const auto study = make_study(fields, {}, 0.1, 1);
  ClassicalFill::Filled filled{study.truth.values, std::vector<float>(fields.values.size(), 2.0f)};
  for (std::size_t i = 0; i < filled.values.size(); ++i) filled.values[i] += i % 2 == 0 ? 0.5f : 1.0f;
  const auto score = score_classical(study, filled, 3);
  double counts[2] = {0, 0};
  for (std::size_t i = 0; i < study.withheld.size(); ++i) counts[i % 2] += study.withheld[i];
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

TEST_CASE("kriging's spread grows with the distance from the observations; elsewhere it is constant per kind of gap") {
  auto fields = waves::make(18, 1, waves::Gaps::pixels, 0.5f);
  for (int y = 2; y < 10; ++y)
    for (int x = 2; x < 10; ++x) fields.at(4, y, x, 0) = data::not_observed;
  for (const auto& method : {"kriging", "optimal-interpolation"}) {
    const auto result = fill_classical(fields, with(method));
    CHECK(result.spread[fields.index(4, 5, 5, 0)] > 1.5f * result.spread[fields.index(4, 2, 2, 0)]);
    CHECK(result.report.settings.find("wave0: ") == 0);
  }
  const auto result = fill_classical(fields, with("linear"));
  CHECK(result.spread[fields.index(4, 5, 5, 0)] == result.spread[fields.index(4, 2, 2, 0)]);
}

TEST_CASE("optimal interpolation finds the steady part by the climatology, and what moves by kriging") {
  auto fields = waves::make(240, 1, waves::Gaps::pixels, 0.5f);
  const auto steady = [](std::size_t i) {  // of another value in each cell
    return 2.0f * uniform(philox(philox_key(3, Purpose::noise), 0, i % 144)[0]);
  };
  for (std::size_t i = 0; i < fields.values.size(); ++i) fields.values[i] += steady(i);
  const auto error = [&](const std::string& method) {
    const auto result = fill_classical(fields, with(method));
    double sum = 0, count = 0;
    for (std::size_t i = 0; i < fields.values.size(); ++i) {
      if (!std::isnan(fields.values[i])) continue;
      const int cell = static_cast<int>(i % 144);
      const float truth = waves::value(static_cast<int>(i / 144), cell / 12, cell % 12, 0) + steady(i);
      sum += std::pow(static_cast<double>(result.filled.values[i] - truth), 2);
      count += 1;
    }
    return sum / count;
  };
  // The steady part has a variance of 1/3, and cannot be kriged.
  CHECK(error("kriging") > 0.3);
  CHECK(error("optimal-interpolation") < 0.3 * std::min(error("kriging"), error("climatology")));
}

TEST_CASE("a classical fill repeats bit for bit, whatever the threads") {
  const auto fields = with_a_lost_frame();
  for (const char* method : {"linear", "dineof", "optimal-interpolation"}) {
    auto o = with(method);
    const auto two = fill_classical(fields, o);
    o.threads = 1;
    const auto one = fill_classical(fields, o);
    CHECK(one.filled.values == two.filled.values);
    CHECK(one.spread == two.spread);
  }
}

TEST_CASE("land is left alone unless asked for") {
  auto fields = waves::make(18, 1, waves::Gaps::pixels, 0.6f);
  for (int t = 0; t < 18; ++t)
    for (int y = 0; y < 6; ++y)
      for (int x = 0; x < 6; ++x) fields.at(t, y, x, 0) = data::not_observed;
  auto o = with("nearest");
  const auto sea = fill_classical(fields, o);
  CHECK(std::isnan(sea.filled.at(3, 2, 2, 0)));
  CHECK(std::isfinite(sea.filled.at(3, 8, 8, 0)));
  o.fill_static = true;
  CHECK(std::isfinite(fill_classical(fields, o).filled.at(3, 2, 2, 0)));
}

TEST_CASE("frames that are not learned from are filled, and change nothing of what is learned") {
  const auto fields = waves::make(24, 1, waves::Gaps::pixels);
  auto o = with("climatology");
  o.learned = {0, 15};
  const auto one = fill_classical(fields, o);
  auto other = fields;
  for (std::size_t i = fields.index(15, 0, 0, 0); i < other.values.size(); ++i) other.values[i] += 3.0f;
  const auto two = fill_classical(other, o);
  CHECK(one.report.learned == data::FrameRange{0, 15});
  CHECK(one.report.scores[1].nmse == two.report.scores[1].nmse);
  CHECK(one.spread == two.spread);
  for (std::size_t i = 0; i < fields.values.size(); ++i)
    if (std::isnan(fields.values[i])) CHECK(one.filled.values[i] == two.filled.values[i]);
}

TEST_CASE("dineof tells how many modes it took") {
  const auto result = fill_classical(with_a_lost_frame(), with("dineof"));
  CHECK_THAT(result.report.settings, Catch::Matchers::Contains(" modes"));
}
