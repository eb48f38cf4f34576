#include "lacuna/classical.hpp"

#include "catch.hpp"
#include "lacuna/validation/holdout_split.hpp"
#include "support/waves.hpp"

using namespace lacuna;

namespace {

Result fill(const data::Fields& fields, const std::string& method, Settings settings = {}) {
  settings.threads = 2;
  return fill_classical(fields, classical_method(method), settings);
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
  for (const auto& [method, kind, frames] : classical_methods()) {
    INFO(method);
    const auto result = fill(fields, method);
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
    CHECK(result.report.spread_calibration.spread.count() == result.report.held_out);
    CHECK(result.report.spread_calibration.spread.coverage(1) > 0.7);
  }
}

TEST_CASE("the mean is the observations' mean, and its spread their deviation") {
  const auto fields = waves::make(12, 1, waves::Gaps::pixels);
  const auto study = validation::hold_out(fields, {});
  const auto result = fill(fields, "mean");
  for (std::size_t i = 0; i < fields.values.size(); ++i)
    if (std::isnan(fields.values[i])) {
      CHECK(result.filled.values[i] == Approx(study.normalisation.mean[0]));
      CHECK(result.spread[i] == Approx(std::sqrt(result.report.score("mean")) * study.normalisation.deviation[0]));
    }
}

TEST_CASE("kriging's spread grows with the distance from the observations; elsewhere it is constant per kind of gap") {
  auto fields = waves::make(18, 1, waves::Gaps::pixels, 0.5f);
  for (int y = 2; y < 10; ++y)
    for (int x = 2; x < 10; ++x) fields.at(4, y, x, 0) = data::not_observed;
  for (const auto& method : {"kriging", "optimal-interpolation"}) {
    const auto result = fill(fields, method);
    CHECK(result.spread[fields.index(4, 5, 5, 0)] > 1.5f * result.spread[fields.index(4, 2, 2, 0)]);
    CHECK(result.report.settings.find("wave0: ") == 0);
  }
  const auto result = fill(fields, "linear");
  CHECK(result.spread[fields.index(4, 5, 5, 0)] == result.spread[fields.index(4, 2, 2, 0)]);
}

TEST_CASE("optimal interpolation finds the steady part by the climatology, and what moves by kriging") {
  auto fields = waves::make(240, 1, waves::Gaps::pixels, 0.5f);
  const auto steady = [](std::size_t i) {  // of another value in each cell
    return 2.0f * uniform(philox(philox_key(3, Purpose::noise), 0, i % 144)[0]);
  };
  for (std::size_t i = 0; i < fields.values.size(); ++i) fields.values[i] += steady(i);
  const auto error = [&](const std::string& method) {
    const auto result = fill(fields, method);
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
    const auto two = fill(fields, method);
    const auto one = fill_classical(fields, classical_method(method), {.threads = 1});
    CHECK(one.filled.values == two.filled.values);
    CHECK(one.spread == two.spread);
  }
}

TEST_CASE("land is left alone unless asked for") {
  auto fields = waves::make(18, 1, waves::Gaps::pixels, 0.6f);
  for (int t = 0; t < 18; ++t)
    for (int y = 0; y < 6; ++y)
      for (int x = 0; x < 6; ++x) fields.at(t, y, x, 0) = data::not_observed;
  const auto sea = fill(fields, "nearest");
  CHECK(std::isnan(sea.filled.at(3, 2, 2, 0)));
  CHECK(std::isfinite(sea.filled.at(3, 8, 8, 0)));
  CHECK(std::isfinite(fill(fields, "nearest", {.fill_static = true}).filled.at(3, 2, 2, 0)));
}

TEST_CASE("frames that are not learned from are filled, and change nothing of what is learned") {
  const auto fields = waves::make(24, 1, waves::Gaps::pixels);
  const Settings part{.training_frames = {0, 15}};
  const auto one = fill(fields, "climatology", part);
  auto other = fields;
  for (std::size_t i = fields.index(15, 0, 0, 0); i < other.values.size(); ++i) other.values[i] += 3.0f;
  const auto two = fill(other, "climatology", part);
  CHECK(one.report.learned == data::FrameRange{0, 15});
  CHECK(one.report.scores[1].nmse == two.report.scores[1].nmse);
  CHECK(one.spread == two.spread);
  for (std::size_t i = 0; i < fields.values.size(); ++i)
    if (std::isnan(fields.values[i])) CHECK(one.filled.values[i] == two.filled.values[i]);
}

TEST_CASE("dineof tells how many modes it took") {
  const auto result = fill(with_a_lost_frame(), "dineof");
  CHECK_THAT(result.report.settings, Catch::Matchers::Contains(" modes"));
}

TEST_CASE("an unknown method is told the known ones") {
  CHECK_THROWS_WITH(classical_method("spline"),
                    Catch::Matchers::Contains("method spline") && Catch::Matchers::Contains("nearest"));
}
