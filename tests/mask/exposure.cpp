#include "lacuna/mask/exposure.hpp"

#include "catch.hpp"

using namespace lacuna;
using namespace lacuna::mask;

TEST_CASE("Exposure: verdicts follow from the bins with something to fill") {
  Exposure e;
  e.bins = {{"here", 0.5, 0.4}, {"there", 0.5, 0.2}, {"nowhere to fill", 0.001, 0.0}};
  judge(e, "P", "use Q");
  CHECK(e.verdict == Verdict::uniform);
  CHECK(e.minimum == 0.2);
  CHECK(e.spread == Approx(2));
  e.bins[1].exposure = 0.01;
  judge(e, "P", "use Q");
  CHECK(e.verdict == Verdict::uneven);
  CHECK_NOTHROW(require_exposure(e));
  e.bins[1].exposure = 1e-6;
  judge(e, "P", "use Q");
  CHECK(e.verdict == Verdict::refused);
  CHECK(e.reason == "P leaves positions to be filled (there) without exposure, the output there would be arbitrary; use Q");
  CHECK_THROWS_AS(require_exposure(e), OptionError);
  CHECK_NOTHROW(require_exposure(e, true));
}

TEST_CASE("Exposure: nothing to fill is fine") {
  Exposure e;
  judge(e, "P", "use Q");
  CHECK(e.verdict == Verdict::uniform);
  CHECK(summary(e).find("uniform") != std::string::npos);
}

TEST_CASE("Exposure: the summary has one paragraph and an optional map") {
  Exposure e;
  e.height = 2;
  e.width = 4;
  e.map = {0.0f, 0.5f, 1.0f, 1.0f, std::numeric_limits<float>::quiet_NaN(), 1.0f, 0.0f, 0.5f};
  e.bins = {{"here", 1, 0.5}};
  judge(e, "P", "use Q");
  const std::string s = summary(e, 2);
  CHECK(s.substr(s.find('\n')) == "\n0499\n 904\n");
}
