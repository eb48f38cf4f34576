#include "lacuna/fill/impute.hpp"

#include <filesystem>

#include "catch.hpp"
#include "waves.hpp"

using namespace lacuna;
using namespace lacuna::fill;

namespace {

Options quick(std::int64_t steps) {
  Options o;
  o.steps = steps;
  o.hidden = 4;
  o.batch = 4;
  o.members = 3;
  o.threads = 2;
  o.mask = "pixels";  // no trials of other policies
  return o;
}

}  // namespace

TEST_CASE("every gap is filled, every observation kept, and the report says so") {
  const auto fields = waves::make(12, 2, waves::Gaps::pixels);
  const auto result = impute(fields, quick(12));
  std::size_t gaps = 0;
  for (std::size_t i = 0; i < fields.values.size(); ++i) {
    const bool seen = !std::isnan(fields.values[i]);
    gaps += seen ? 0 : 1;
    CHECK(result.observed[i] == (seen ? 1 : 0));
    if (seen) {
      CHECK(result.filled.values[i] == fields.values[i]);
      CHECK(result.spread[i] == 0.0f);
    } else {
      CHECK(std::isfinite(result.filled.values[i]));
      CHECK(result.spread[i] >= 0.0f);
    }
  }
  CHECK(result.report.filled == gaps);
  CHECK(result.report.steps == 12);
  for (const char* method : {"mean", "climatology", "nearest", "laplace", "kriging", "lacuna"})
    CHECK(result.report.score(method) >= 0);
  CHECK(result.report.scored == result.report.trust.spread.count());
  CHECK(result.report.scored <= result.report.withheld);
}

TEST_CASE("a network that knows nothing scores what its background does, with masks per variable and windows that overlap too") {
  auto fields = waves::make(15, 2, waves::Gaps::pixels);
  for (int t = 0; t < 15; ++t)
    for (int x = 0; x < 12; ++x) fields.at(t, (t / 3 * 5 + x) % 12, x, 1) = data::not_observed;
  Options o;
  o.window = {.length = 3, .stride = 2};
  const Study study = make_study(fields, o.window, o.withhold, o.seed);
  const auto windows = baseline::windows_to_score({study.available, study.truth.values, study.withheld, o.window});
  for (const char* name : {"none", "climatology", "kriging", "climatology+kriging"}) {
    o.background = name;
    Report report;
    const auto plan = choose_background(o, study, windows, 1, report);
    const train::Samples samples(study.available, o.window, plan.make(study.available), study.live);
    const auto nothing = [&](const std::vector<sampler::Request>& requests, const auto& visit) {
      for (std::size_t r = 0; r < requests.size(); ++r) {
        const auto& context = requests[r].context;
        sampler::Estimate e{std::vector<float>(context.size()), std::vector<float>(context.size(), 0.0f)};
        baseline::Background::Workspace workspace;
        samples.background().evaluate(samples.starts()[static_cast<std::size_t>(requests[r].window)], samples.length(),
                                      data::whole(study.available.grid), context.data(), e.background.data(), workspace);
        visit(r, e);
      }
    };
    const auto score = score_contexts(nothing, samples, {study.truth.values, study.withheld}, windows,
                                      [&](int w) { return self_request(samples, w); });
    CHECK(score.nmse() == Approx(report.score(o.background == "none" ? "mean" : name)).epsilon(1e-6));
  }
}

TEST_CASE("frames that are learned from decide the season, whatever the record spans") {
  auto fields = waves::make(36, 1, waves::Gaps::pixels);
  for (int t = 0; t < 36; ++t) fields.time[static_cast<std::size_t>(t)] = 30.436875 * t;
  fields.time_units = "days since 1970-01-01";
  auto o = quick(3);
  o.learned = {0, 9};
  o.background = "climatology";
  for (const float x : impute(fields, o).filled.values) REQUIRE(std::isfinite(x));
}

TEST_CASE("a run of steps repeats bit for bit, and another seed gives another") {
  const auto fields = waves::make(12, 1, waves::Gaps::pixels);
  const auto first = impute(fields, quick(6)), second = impute(fields, quick(6));
  CHECK(first.filled.values == second.filled.values);
  CHECK(first.spread == second.spread);
  auto other = quick(6);
  other.seed = 2;
  CHECK(impute(fields, other).spread != first.spread);
}

TEST_CASE("a run that was interrupted and resumed ends where an unbroken one ends") {
  const auto folder = std::filesystem::temp_directory_path() / ("lacuna_impute_" + std::to_string(getpid()));
  std::filesystem::remove_all(folder);
  const auto fields = waves::make(12, 1, waves::Gaps::pixels);
  const auto unbroken = impute(fields, quick(8));

  // The state after three of eight steps, as a kill would leave it.
  const auto o = quick(8);
  const Study study = make_study(fields, o.window, o.withhold, o.seed);
  cpu::Device device({.threads = o.threads});
  Report report;
  const baseline::Evidence evidence{study.available, study.truth.values, study.withheld, o.window};
  const Scored scored{{study.truth.values, study.withheld}, baseline::windows_to_score(evidence)};
  const auto background = choose_background(o, study, scored.windows, device.threads(), report);
  const train::Samples samples(study.available, o.window, background.make(study.available), study.live);
  const auto structure = mask::detect(samples.masks(), samples.windows(), samples.live());
  LearnerSettings settings{
      .hidden = o.hidden, .batch = o.batch, .crop = o.crop, .seed = o.seed, .learning_rate = o.learning_rate};
  choose_sizes(samples.fields().grid, structure, settings);
  const auto candidates = allowed_policies(policy_candidates(o, structure, samples), o, structure);
  const Policy policy = choose_policy(device, samples, candidates, settings, o, scored, report);
  Learner learner(device, samples, policy, settings);
  const train::LearningRate rate{.peak = o.learning_rate};
  for (int step = 0; step < 3; ++step) learner.trainer().step(rate(step / 8.0));
  Checkpoint(folder, fingerprint(o, study, settings, report))
      .save(learner.parameters(), learner.trainer().state(), {.training = {.seconds = 1.0}, .threads = 2});

  auto resumed = quick(8);
  resumed.checkpoint = folder.string();
  resumed.resume = true;
  const auto result = impute(fields, resumed);
  CHECK(result.report.steps == 8);
  CHECK(result.filled.values == unbroken.filled.values);
  CHECK(result.spread == unbroken.spread);
  std::filesystem::remove_all(folder);
}

TEST_CASE("each network fills, repeats bit for bit, and the report tells which it was") {
  const auto fields = waves::make(9, 2, waves::Gaps::pixels);
  for (const char* network : {"space-time-unet", "fno"}) {
    auto o = quick(3);
    o.network = network;
    const auto first = impute(fields, o), second = impute(fields, o);
    CHECK(first.report.network == network);
    CHECK(first.filled.values == second.filled.values);
    for (const float x : first.filled.values) CHECK(std::isfinite(x));
  }
}

TEST_CASE("cells that were observed only in frames that are not learned from are filled in all frames") {
  auto fields = waves::make(24, 1, waves::Gaps::pixels);
  for (int t = 0; t < 24; ++t)
    for (int y = 4; y < 9; ++y)
      for (int x = 4; x < 9; ++x) fields.at(t, y, x, 0) = t < 15 ? data::not_observed : waves::value(t, y, x, 0);
  auto o = quick(3);
  o.learned = {0, 15};
  const auto result = impute(fields, o);
  for (const float x : result.filled.values) REQUIRE(std::isfinite(x));
}

TEST_CASE("frames that are not learned from are filled, and leave no trace in what is learned") {
  const auto fields = waves::make(24, 1, waves::Gaps::pixels);
  auto o = quick(4);
  o.learned = {0, 15};
  const auto before = impute(fields, o);
  for (const float x : before.filled.values) CHECK(std::isfinite(x));
  CHECK(before.report.learned == data::FrameRange{0, 15});
  // Other values in the window of frames 18-20: no other frame changes.
  auto changed = fields;
  for (int t = 18; t < 21; ++t)
    for (std::size_t i = 0; i < fields.frame_size(); ++i) {
      float& x = changed.values[static_cast<std::size_t>(t) * fields.frame_size() + i];
      x = 3.0f - 2.0f * x;
    }
  const auto after = impute(changed, o);
  bool same = true, moved = false;
  for (std::size_t i = 0; i < fields.values.size(); ++i) {
    const auto t = static_cast<int>(i / fields.frame_size());
    const bool equal = before.filled.values[i] == after.filled.values[i] && before.spread[i] == after.spread[i];
    if (t < 18 || t >= 21)
      same &= equal;
    else
      moved |= !equal;
  }
  CHECK(same);
  CHECK(moved);
  o.learned = {0, 25};
  CHECK_THROWS_WITH(impute(fields, o), Catch::Matchers::Contains("--learn-frames 0:25") && Catch::Matchers::Contains("24"));
}

TEST_CASE("the number of members is chosen, told and repeats; the spread's scores are told, too") {
  const auto fields = waves::make(12, 1, waves::Gaps::pixels);
  auto o = quick(6);
  o.members = 0;
  const auto first = impute(fields, o), second = impute(fields, o);
  CHECK(first.report.members_chosen);
  CHECK(first.report.members >= MembersNeeded::least);
  CHECK(first.report.members <= MembersNeeded::most);
  CHECK(first.report.members == second.report.members);
  CHECK(first.spread == second.spread);
  // The same as if that number had been asked for.
  o.members = first.report.members;
  const auto given = impute(fields, o);
  CHECK_FALSE(given.report.members_chosen);
  CHECK(given.spread == first.spread);
  const auto& trust = given.report.trust;
  CHECK(trust.spread.count() > 50);
  CHECK(trust.spread.crps() > 0);
  CHECK(trust.ensemble.ranks().size() == static_cast<std::size_t>(given.report.members) + 1);
}

TEST_CASE("the spread may come from samples of the posterior, which repeat and are told of") {
  const auto fields = waves::make(12, 1, waves::Gaps::pixels);
  auto o = quick(6);
  o.samples = 4;
  o.sampling_steps = 3;
  const auto first = impute(fields, o), second = impute(fields, o);
  CHECK(first.spread == second.spread);
  CHECK(first.filled.values == second.filled.values);
  const Report& report = first.report;
  CHECK(report.ensemble == "4 samples of 3 steps");
  CHECK((report.background == "none" || report.background == "climatology"));  // kriging is the best, but not for samples
  CHECK(report.score("kriging") < report.score("climatology"));
  CHECK(report.trust.ensemble.ranks().size() == 5);
  CHECK(report.trust.ensemble.count() > 50);
  for (std::size_t i = 0; i < fields.values.size(); ++i) CHECK((first.spread[i] > 0) == std::isnan(fields.values[i]));
  o.samples = 0;
  CHECK(impute(fields, o).report.ensemble == "3 contexts");
  o.samples = 1;
  CHECK_THROWS_WITH(impute(fields, o), Catch::Matchers::Contains("--samples 1"));
  o.samples = 4;
  o.background = "kriging";
  CHECK_THROWS_WITH(impute(fields, o), Catch::Matchers::Contains("--background kriging: with --samples expected"));
}

TEST_CASE("several allowed policies are tried and the choice repeats") {
  const auto fields = waves::make(12, 1, waves::Gaps::pixels);
  auto o = quick(2);
  o.mask = "auto";
  const auto first = impute(fields, o), second = impute(fields, o);
  CHECK(first.report.mask == second.report.mask);
  CHECK(first.filled.values == second.filled.values);
}

TEST_CASE("options that cannot work are named before any work") {
  const auto fields = waves::make(12, 1, waves::Gaps::pixels);
  const auto refused = [&](const auto& change, const std::string& what) {
    auto o = quick(1);
    change(o);
    CHECK_THROWS_WITH(impute(fields, o), Catch::Matchers::Contains(what));
  };
  refused([](Options& o) { o.mask = "pixel"; }, "--mask pixel");
  refused([](Options& o) { o.background = "krigging"; }, "--background krigging");
  refused([](Options& o) { o.members = 1; }, "--members 1");
  refused([](Options& o) { o.network = "transformer"; }, "--network transformer");
  refused([](Options& o) { o.network = "fno", o.crop = 20; }, "--crop 20");
  refused([](Options& o) { o.hidden = 17; }, "--hidden 17");
  refused([](Options& o) { o.crop = -7; }, "--crop -7");
}

TEST_CASE("a single observation cannot be kept aside") {
  auto fields = waves::make(3, 1, waves::Gaps::pixels);
  for (auto& x : fields.values) x = data::not_observed;
  fields.values[7] = 1.0f;
  CHECK_THROWS_WITH(impute(fields, quick(1)), Catch::Matchers::Contains("kept aside"));
}

TEST_CASE("overlapping windows and a remainder cover every frame") {
  const auto fields = waves::make(11, 1, waves::Gaps::pixels);
  auto o = quick(4);
  o.window = {.length = 3, .stride = 2};
  const auto result = impute(fields, o);
  for (const float value : result.filled.values) CHECK(std::isfinite(value));
}

TEST_CASE("cells that are never observed stay missing unless asked for") {
  auto fields = waves::make(12, 1, waves::Gaps::pixels, 0.6f);
  for (int t = 0; t < 12; ++t)
    for (int y = 0; y < 6; ++y)
      for (int x = 0; x < 6; ++x) fields.at(t, y, x, 0) = data::not_observed;
  auto o = quick(3);
  const auto sea = impute(fields, o);
  CHECK(std::isnan(sea.filled.at(5, 2, 2, 0)));
  CHECK(std::isnan(sea.spread[fields.index(5, 2, 2, 0)]));
  CHECK(std::isfinite(sea.filled.at(5, 9, 9, 0)));
  o.fill_static = true;
  CHECK(std::isfinite(impute(fields, o).filled.at(5, 2, 2, 0)));
}

TEST_CASE("blocks are filled with block contexts") {
  const auto fields = waves::make(24, 1, waves::Gaps::blocks);
  auto o = quick(6);
  o.mask = "auto";
  const auto result = impute(fields, o);
  CHECK(result.report.mask == "blocks");
  for (const float value : result.filled.values) CHECK(std::isfinite(value));
}
