#include "lacuna/model/background_choice.hpp"

#include "catch.hpp"
#include "support/waves.hpp"

using namespace lacuna;
using namespace lacuna::model;

namespace {

struct Told final : Observer {
  std::vector<std::string> lines;
  void tells(Stage stage, const std::string& what) override {
    CHECK(stage == Stage::background);
    lines.push_back(what);
  }
};

}  // namespace

TEST_CASE("automatic takes the best classical fill, a choice takes its own, and the report has them all") {
  const auto split = validation::hold_out(waves::make(24, 1, waves::Gaps::pixels));
  const auto windows = validation::windows_to_score(split.data());
  Report report;
  Told told;
  const auto best = choose_background({}, split, windows, 2, report, told);
  CHECK(report.scores.size() == 9);
  double least = 1e300;
  for (const char* kind : {"mean", "climatology", "kriging", "climatology+kriging"}) least = std::min(least, report.score(kind));
  CHECK(report.score(best.name()) == least);
  CHECK(report.background == best.name());
  CHECK(least < 0.5 * report.score("mean"));
  REQUIRE(told.lines.size() == 1);
  CHECK_THAT(told.lines[0], Catch::Matchers::StartsWith("background: " + best.name() + ", held-out error 0."));
  for (const auto& [choice, name] :
       std::vector<std::pair<BackgroundChoice, std::string>>{{BackgroundChoice::none, "none"},
                                                             {BackgroundChoice::climatology, "climatology"},
                                                             {BackgroundChoice::kriging, "kriging"},
                                                             {BackgroundChoice::climatology_kriging, "climatology+kriging"}}) {
    Report other;
    const auto chosen = choose_background({.background = choice}, split, windows, 2, other, silent());
    CHECK(chosen.name() == name);
    CHECK(other.background == name);
    CHECK(chosen.exists() == (choice != BackgroundChoice::none));
  }
}
