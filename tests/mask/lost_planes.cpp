#include "lacuna/mask/lost_planes.hpp"

#include <cmath>

#include "catch.hpp"
#include "lacuna/mask/pixels.hpp"
#include "mask/maker.hpp"

using namespace lacuna;
using namespace lacuna::mask;

TEST_CASE("LostPlanes: hides about the given share, and leaves the wrapped policy's draw alone") {
  const Owned o{3, 4, 4, 2};
  const Window w = window_of(o.view(), 0, 3);
  const LostPlanes<Pixels> policy{.policy = {.ratio = 0.7f}, .probability = 0.3f, .all_variables = 0.5f};
  int hidden = 0, whole = 0;
  for (std::uint64_t s = 0; s < 2000; ++s) {
    const auto d = policy.draw(test_key, s, w);
    const auto inner = policy.policy.draw(test_key, s, w);
    hidden += d.frame >= 0;
    whole += d.frame >= 0 && d.variable < 0;
    for (int t = 0; t < 3; ++t)
      for (int v = 0; v < 2; ++v) {
        const Cell c{t, 1, 2, v, 0};
        const bool gone = t == d.frame && (d.variable < 0 || d.variable == v);
        CHECK(d.in_context(c) == (!gone && inner.in_context(c)));
        CHECK(d.in_query(c) == (gone || inner.in_query(c)));
      }
  }
  CHECK(std::abs(hidden / 2000.0 - 0.3) < 4 * std::sqrt(0.3 * 0.7 / 2000));
  CHECK(std::abs(whole / 2000.0 - 0.15) < 4 * std::sqrt(0.15 * 0.85 / 2000));
}

TEST_CASE("LostPlanes: never hides the only plane with observations, nor one that is lost already") {
  Owned o{3, 2, 2, 1};
  o.draw(0, 1, "....").draw(2, 1, "....");
  const LostPlanes<Observed> always{.policy = {}, .probability = 1.0f};
  for (std::uint64_t s = 0; s < 20; ++s) CHECK(always.draw(test_key, s, window_of(o.view(), 0, 3)).frame == -1);
  o.draw(0, 1, "#...");
  for (std::uint64_t s = 0; s < 20; ++s) {
    const auto d = always.draw(test_key, s, window_of(o.view(), 0, 3));
    CHECK((d.frame == 0 || d.frame == 1));
  }
}

TEST_CASE("LostPlanes: probabilities outside [0, 1] are refused") {
  const Owned o{2, 2, 2, 1};
  const Window w = window_of(o.view(), 0, 2);
  CHECK_THROWS_AS((LostPlanes<Observed>{.policy = {}, .probability = 1.5f}.draw(test_key, 0, w)), OptionError);
  CHECK_THROWS_AS((LostPlanes<Observed>{.policy = {}, .probability = 0.5f, .all_variables = -1}.draw(test_key, 0, w)),
                  OptionError);
}

TEST_CASE("LostPlanes: when imputing, no planes are hidden that the data have") {
  const LostPlanes<Observed> training{.policy = {}, .probability = 0.25f};
  CHECK(at_use(training).probability == 0.0f);
  CHECK(at_use(LostPlanes<LostPlanes<Observed>>{training, 0.5f}).policy.probability == 0.0f);
}
