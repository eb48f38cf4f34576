#include "lacuna/fill/withheld_error.hpp"

#include "catch.hpp"
#include "lacuna/fill/policy_choice.hpp"
#include "lacuna/fill/study.hpp"
#include "waves.hpp"

using namespace lacuna;
using namespace lacuna::fill;

TEST_CASE("choices and the end of training are decided by the contexts that may form the mean: the mask itself, or a policy's") {
  const Study study = make_study(waves::make(24, 1, waves::Gaps::pixels), {}, 0.1, 1);
  const train::Samples samples(study.available, {}, {}, study.live);
  const baseline::Evidence evidence{study.available, study.truth.values, study.withheld, {}};
  const Scored scored{{study.truth.values, study.withheld}, baseline::windows_to_score(evidence)};
  const Policy training{mask::AnyPolicy{mask::Pixels{.ratio = 0.5f}}, 0.25f};

  // Answers the truth where the whole mask is its context, else nothing.
  std::size_t asked = 0, whole = 0;
  const auto network = [&](const std::vector<sampler::Request>& requests, const auto& visit) {
    for (std::size_t r = 0; r < requests.size(); ++r) {
      const bool all = requests[r].context == self_context(samples, requests[r].window);
      ++asked;
      whole += all ? 1 : 0;
      sampler::Estimate e{std::vector<float>(requests[r].context.size()), {}};
      const auto first =
          study.truth.values.begin() +
          static_cast<std::ptrdiff_t>(study.truth.index(samples.starts()[static_cast<std::size_t>(requests[r].window)], 0, 0, 0));
      e.anomaly.assign(first, first + static_cast<std::ptrdiff_t>(e.background.size()));
      if (!all) std::fill(e.anomaly.begin(), e.anomaly.end(), 0.0f);
      visit(r, e);
    }
  };
  Options o;
  const auto error = [&] {
    asked = whole = 0;
    return quick_error(network, samples, sampling_policy(training, o.contexts), o, scored);
  };
  for (const auto kind : {SamplingContexts::Kind::automatic, SamplingContexts::Kind::self}) {
    o.contexts.kind = kind;
    CHECK(error() == Approx(0.0).margin(1e-12));
    CHECK(whole == scored.windows.size());
  }
  for (const auto kind : {SamplingContexts::Kind::policy, SamplingContexts::Kind::ratio}) {
    o.contexts.kind = kind;
    CHECK(error() > 0.5);
    CHECK(asked == scored.windows.size());
    CHECK(whole == 0);
  }
}

TEST_CASE("when imputing, no planes are hidden that the data have, and a ratio replaces the policy") {
  const Policy training{mask::AnyPolicy{mask::Blocks{}}, 0.25f};
  const auto policy = sampling_policy(training, {SamplingContexts::Kind::policy});
  CHECK(policy.probability == 0.0f);
  CHECK(std::holds_alternative<mask::Blocks>(policy.policy.policies()));
  const auto ratio = sampling_policy(training, {SamplingContexts::Kind::ratio, 0.6});
  REQUIRE(std::holds_alternative<mask::Pixels>(ratio.policy.policies()));
  CHECK(std::get<mask::Pixels>(ratio.policy.policies()).ratio == 0.6f);
}
