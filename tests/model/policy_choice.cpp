#include "lacuna/model/policy_choice.hpp"

#include "catch.hpp"
#include "lacuna/validation/holdout_split.hpp"
#include "support/waves.hpp"

using namespace lacuna;
using namespace lacuna::model;

namespace {

struct Setting {
  validation::HoldoutSplit study;
  train::Samples samples;
  mask::Structure structure;
  explicit Setting(waves::Gaps gaps)
      : study(validation::hold_out(waves::make(36, 1, gaps), {})),
        samples(study.available, {}, baseline::AnyBackground{}),
        structure(mask::detect(samples.masks(), samples.windows(), samples.live())) {}
};

std::vector<PolicyCandidate> allowed(const Setting& s, const PolicySettings& o) {
  return allowed_policies(policy_candidates(o, s.structure, s.samples), o.allow_unexposed, s.structure);
}

}  // namespace

TEST_CASE("pixels are chosen for data that miss pixels") {
  const Setting s(waves::Gaps::pixels);
  CHECK(allowed(s, {}).front().name == "pixels");
}

TEST_CASE("blocks are chosen for data that miss blocks, and pixel contexts are refused there") {
  const Setting s(waves::Gaps::blocks);
  const auto found = allowed(s, {});
  REQUIRE(found.size() == 1);
  CHECK(found.front().name == "blocks");
  PolicySettings o;
  o.choice = PolicyChoice::pixels;
  CHECK_THROWS_WITH(allowed(s, o),
                    Catch::Matchers::Contains("exposure audit") && Catch::Matchers::Contains("hide blocks, 3 x 3"));
  o.allow_unexposed = true;
  CHECK(allowed(s, o).front().name == "pixels");
}

TEST_CASE("a refusal is overridden where no policy is allowed: the structure's own is taken") {
  const Setting s(waves::Gaps::blocks);
  auto candidates = policy_candidates({}, s.structure, s.samples);
  for (auto& candidate : candidates) {
    candidate.exposure.verdict = mask::Verdict::refused;
    candidate.exposure.reason = "refused by the test";
  }
  CHECK_THROWS_WITH(allowed_policies(candidates, false, s.structure), Catch::Matchers::Contains("refused by the test"));
  const auto found = allowed_policies(candidates, true, s.structure);
  REQUIRE(found.size() == 1);
  CHECK(found.front().name == "blocks");
}

TEST_CASE("a fixed ratio is the paper's policy") {
  const Setting s(waves::Gaps::pixels);
  PolicySettings o;
  o.choice = PolicyChoice::pixels;
  o.ratio = 0.7;
  const auto found = allowed(s, o);
  const auto& pixels = std::get<mask::Pixels>(found.front().policy.policy.policies());
  CHECK_FALSE(pixels.random);
  CHECK(pixels.ratio == 0.7f);
}
