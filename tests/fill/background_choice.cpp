#include "lacuna/fill/background_choice.hpp"

#include "catch.hpp"
#include "waves.hpp"

using namespace lacuna;
using namespace lacuna::fill;

TEST_CASE("auto takes the best classical fill, a name takes its own, and the report has them all") {
  const auto study = make_study(waves::make(24, 1, waves::Gaps::pixels), {}, 0.1, 1);
  const auto windows = baseline::windows_to_score({study.available, study.truth.values, study.withheld, {}});
  Report report;
  const auto best = choose_background({}, study, windows, 2, report);
  CHECK(report.scores.size() == 9);
  double least = 1e300;
  for (const char* kind : {"mean", "climatology", "kriging", "climatology+kriging"}) least = std::min(least, report.score(kind));
  CHECK(report.score(baseline::name(best.kind)) == least);
  CHECK(least < 0.5 * report.score("mean"));
  for (const char* kind : {"none", "climatology", "kriging", "climatology+kriging"}) {
    Options o;
    o.background = kind;
    Report other;
    const auto plan = choose_background(o, study, windows, 2, other);
    CHECK(std::string(baseline::name(plan.kind)) == kind);
    CHECK(other.background == kind);
    CHECK(plan.make(study.available).kind() == plan.kind);
  }
}
