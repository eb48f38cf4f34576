#include "lacuna/baseline/choice.hpp"

#include <map>

#include "baseline/maker.hpp"
#include "catch.hpp"

using namespace lacuna;

namespace {

/// A steady field of waves plus drifting ones, with a sixth of the observations kept aside.
struct HoldoutSplit {
  data::Fields available;
  std::vector<float> truth;
  std::vector<std::uint8_t> withheld;

  explicit HoldoutSplit(double steady) {
    available = test::drifting(test::plane(12, 16, true), 18, 2, 0.5);
    for (int t = 0; t < available.frames(); ++t)
      for (int y = 0; y < 12; ++y)
        for (int x = 0; x < 16; ++x)
          for (int v = 0; v < 2; ++v) {
            float& value = available.at(t, y, x, v);
            value += static_cast<float>(steady * std::sin(2.1 * y + 1.7 * x * y));
          }
    truth = available.values;
    withheld.assign(truth.size(), 0);
    const auto chosen = test::random_mask(18 * 192, 1.0 / 6, 21);
    for (std::size_t i = 0; i < truth.size(); ++i)
      if (chosen[(i / 384 / 3) * 192 + i / 2 % 192] != 0 && !std::isnan(truth[i])) {
        withheld[i] = 1;
        available.values[i] = data::not_observed;
      }
  }
  validation::ValidationData evidence() const { return {available, truth, withheld, {}}; }
};

}  // namespace

TEST_CASE("Fit: smooth drifting waves are kriged, with lengths of several cells") {
  const HoldoutSplit study(0);
  const auto choice = baseline::choose_background(study.evidence(), validation::windows_to_score(study.evidence()));
  std::map<std::string, double> errors;
  for (const auto& fill : choice.errors) errors[fill.name] = fill.nmse;
  CHECK(errors.size() == 9);
  CHECK((choice.kind == baseline::BackgroundKind::kriging || choice.kind == baseline::BackgroundKind::climatology_kriging));
  CHECK(errors.at("mean") > 0.1);
  for (const char* name : {"climatology", "temporal", "nearest", "linear", "laplace", "dineof"}) {
    INFO(name);
    CHECK(errors.at(name) > 0);
    CHECK(errors.at(name) < errors.at("mean"));
  }
  CHECK(errors.at("kriging") < 0.1 * errors.at("mean"));
  CHECK(errors.at("kriging") < errors.at("laplace"));
  CHECK(errors.at("linear") < errors.at("nearest"));
  REQUIRE(choice.settings.values.size() == 2);
  CHECK(choice.settings.values[0].length > 2);
}

TEST_CASE("Fit: DINEOF is left out where there is more than it is cheap for") {
  const HoldoutSplit study(0);
  const auto choice =
      baseline::choose_background(study.evidence(), validation::windows_to_score(study.evidence()), {.dineof_values = 1000});
  CHECK(std::none_of(choice.errors.begin(), choice.errors.end(), [](const auto& fill) { return fill.name == "dineof"; }));
}

TEST_CASE("Fit: values filled beforehand are scored where they are withheld") {
  const HoldoutSplit study(0);
  const auto evidence = study.evidence();
  const baseline::FillScores scores(evidence, validation::windows_to_score(evidence, 100), 1);
  CHECK(scores.of_values(study.truth) == 0);
  auto off = study.truth;
  for (std::size_t i = 0; i < off.size(); ++i) off[i] = study.withheld[i] != 0 ? off[i] + 0.5f : 1e6f;
  CHECK(scores.of_values(off) == Approx(0.25).epsilon(1e-5));
}

TEST_CASE("Fit: a steady rough field calls for the climatology") {
  const HoldoutSplit study(2.5);
  const auto choice = baseline::choose_background(study.evidence(), validation::windows_to_score(study.evidence()));
  CHECK((choice.kind == baseline::BackgroundKind::climatology || choice.kind == baseline::BackgroundKind::climatology_kriging));
  CHECK(choice.settings.climatology.width < 0.7);
}

TEST_CASE("Fit: the truth is read where it is withheld only, and the choice repeats") {
  HoldoutSplit study(0.5);
  const auto once = baseline::fit_background(study.evidence());
  for (std::size_t i = 0; i < study.truth.size(); ++i)
    if (study.withheld[i] == 0) study.truth[i] = data::not_observed;
  const auto again = baseline::fit_background(study.evidence(), {.threads = 2});
  CHECK(again.values == once.values);
  CHECK(again.anomalies == once.anomalies);
  CHECK(again.climatology.width == once.climatology.width);
  CHECK(again.anomaly_climatology.shrink == once.anomaly_climatology.shrink);
}

TEST_CASE("Fit: with nothing withheld settings are sensible defaults") {
  HoldoutSplit study(0);
  study.withheld.assign(study.withheld.size(), 0);
  const auto s = baseline::fit_background(study.evidence());
  REQUIRE(s.values.size() == 2);
  CHECK(s.values[0].length == Approx(3));
}

TEST_CASE("Fit: windows to score are evenly spread over those with withheld values") {
  const HoldoutSplit study(0);
  CHECK(validation::scored_windows(study.evidence(), 3) == std::vector<int>{3, 9, 15});
  CHECK(validation::scored_windows(study.evidence(), 100).size() == 6);
}
