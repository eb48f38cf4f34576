#include "lacuna/impute.hpp"

#include <filesystem>

#include "catch.hpp"
#include "lacuna/model/background_choice.hpp"
#include "lacuna/model/calibration.hpp"
#include "lacuna/model/dataset.hpp"
#include "lacuna/model/ensemble_values.hpp"
#include "support/probe.hpp"
#include "support/waves.hpp"

using namespace lacuna;

namespace {

Settings quick(std::int64_t steps) {
  Settings s;
  s.training.budget.steps = steps;
  s.network.hidden = 4;
  s.training.batch = 4;
  s.ensemble.members = 3;
  s.threads = 2;
  s.policy.choice = PolicyChoice::pixels;  // no trials of other policies
  return s;
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
  CHECK(result.report.scored == result.report.spread_calibration.spread.count());
  CHECK(result.report.scored <= result.report.held_out);
}

TEST_CASE("a network that knows nothing scores what its background does, with masks per variable and windows that overlap too") {
  auto fields = waves::make(15, 2, waves::Gaps::pixels);
  for (int t = 0; t < 15; ++t)
    for (int x = 0; x < 12; ++x) fields.at(t, (t / 3 * 5 + x) % 12, x, 1) = data::not_observed;
  const auto split = validation::hold_out(fields, {.length = 3, .stride = 2});
  const auto windows = validation::windows_to_score(split.data());
  for (const auto choice : {BackgroundChoice::none, BackgroundChoice::climatology, BackgroundChoice::kriging,
                            BackgroundChoice::climatology_kriging}) {
    model::Report report;
    const auto background = model::choose_background({.background = choice}, split, windows, 1, report, silent());
    const Dataset data(split, background);
    const auto& samples = data.samples();
    const auto nothing = [&](const std::vector<sampler::Request>& requests, const auto& visit) {
      for (std::size_t r = 0; r < requests.size(); ++r) {
        const auto& context = requests[r].context;
        sampler::Estimate e{std::vector<float>(context.size()), std::vector<float>(context.size(), 0.0f)};
        baseline::AnyBackground::Workspace workspace;
        samples.background().evaluate(samples.background_request(requests[r].window, context.data()), e.background.data(),
                                      workspace);
        visit(r, e);
      }
    };
    const auto score =
        model::score_contexts(nothing, data.held_out(), [&](int w) { return model::request_with_all(samples, w); });
    CHECK(score.nmse() == Approx(report.score(choice == BackgroundChoice::none ? "mean" : background.name())).epsilon(1e-6));
  }
}

TEST_CASE("frames that are learned from decide the season, whatever the record spans") {
  auto fields = waves::make(36, 1, waves::Gaps::pixels);
  for (int t = 0; t < 36; ++t) fields.time[static_cast<std::size_t>(t)] = 30.436875 * t;
  fields.time_units = "days since 1970-01-01";
  auto o = quick(3);
  o.training_frames = {0, 9};
  o.background = BackgroundChoice::climatology;
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

  struct StopsAfter final : Observer {
    int left = 3;
    bool stops() override { return --left == 0; }
  } after_three;
  auto cut = quick(8);
  cut.training.checkpoint = {.folder = folder, .save_every = 1000};
  CHECK(test::message_of<Stopped>([&] { impute(fields, cut, after_three); }) ==
        "stopped after step 3 of the training; the state is kept in " + folder.string());
  cut.training.checkpoint.resume = true;
  const auto result = impute(fields, cut);
  CHECK(result.report.steps == 8);
  CHECK(result.filled.values == unbroken.filled.values);
  CHECK(result.spread == unbroken.spread);
  std::filesystem::remove_all(folder);
}

TEST_CASE("each network fills, repeats bit for bit, and the report tells which it was") {
  const auto fields = waves::make(9, 2, waves::Gaps::pixels);
  for (const NetworkKind network : {NetworkKind::space_time_unet, NetworkKind::fno}) {
    auto o = quick(3);
    o.network.kind = network;
    const auto first = impute(fields, o), second = impute(fields, o);
    CHECK(first.report.network == name(network));
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
  o.training_frames = {0, 15};
  const auto result = impute(fields, o);
  for (const float x : result.filled.values) REQUIRE(std::isfinite(x));
}

TEST_CASE("frames that are not learned from are filled, and leave no trace in what is learned") {
  const auto fields = waves::make(24, 1, waves::Gaps::pixels);
  auto o = quick(4);
  o.training_frames = {0, 15};
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
  o.training_frames = {0, 25};
  CHECK_THROWS_WITH(impute(fields, o), Catch::Matchers::Contains("training_frames = 0:25") && Catch::Matchers::Contains("24"));
}

TEST_CASE("the number of members is chosen, told and repeats; the spread's scores are told, too") {
  const auto fields = waves::make(12, 1, waves::Gaps::pixels);
  auto o = quick(6);
  o.ensemble.members = 0;
  const auto first = impute(fields, o), second = impute(fields, o);
  CHECK(first.report.members_chosen);
  CHECK(first.report.members >= model::MembersNeeded::least);
  CHECK(first.report.members <= model::MembersNeeded::most);
  CHECK(first.report.members == second.report.members);
  CHECK(first.spread == second.spread);
  // The same as if that number had been asked for.
  o.ensemble.members = first.report.members;
  const auto given = impute(fields, o);
  CHECK_FALSE(given.report.members_chosen);
  CHECK(given.spread == first.spread);
  const auto& trust = given.report.spread_calibration;
  CHECK(trust.spread.count() > 50);
  CHECK(trust.spread.crps() > 0);
  CHECK(trust.ensemble.ranks().size() == static_cast<std::size_t>(given.report.members) + 1);
}

TEST_CASE("the spread may come from samples of the posterior, which repeat and are told of") {
  const auto fields = waves::make(12, 1, waves::Gaps::pixels);
  auto o = quick(6);
  o.ensemble.samples = 4;
  o.ensemble.sampling_steps = 3;
  const auto first = impute(fields, o), second = impute(fields, o);
  CHECK(first.spread == second.spread);
  CHECK(first.filled.values == second.filled.values);
  const model::Report& report = first.report;
  CHECK(report.ensemble == "4 samples of 3 steps");
  CHECK((report.background == "none" || report.background == "climatology"));  // kriging is the best, but not for samples
  CHECK(report.score("kriging") < report.score("climatology"));
  CHECK(report.spread_calibration.ensemble.ranks().size() == 5);
  CHECK(report.spread_calibration.ensemble.count() > 50);
  for (std::size_t i = 0; i < fields.values.size(); ++i) CHECK((first.spread[i] > 0) == std::isnan(fields.values[i]));
  o.ensemble.samples = 0;
  CHECK(impute(fields, o).report.ensemble == "3 contexts");
  o.ensemble.samples = 1;
  CHECK_THROWS_WITH(impute(fields, o), Catch::Matchers::Contains("ensemble.samples = 1"));
  o.ensemble.samples = 4;
  o.background = BackgroundChoice::kriging;
  CHECK_THROWS_WITH(impute(fields, o), Catch::Matchers::Contains("background: with ensemble.samples expected"));
}

TEST_CASE("several allowed policies are tried and the choice repeats") {
  const auto fields = waves::make(12, 1, waves::Gaps::pixels);
  auto o = quick(2);
  o.policy.choice = PolicyChoice::automatic;
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
  refused([](Settings& s) { s.ensemble.members = 1; }, "ensemble.members = 1");
  refused([](Settings& s) { s.network.kind = NetworkKind::fno, s.training.crop = 20; }, "training.crop = 20");
  refused([](Settings& s) { s.network.hidden = 17; }, "network.hidden = 17");
  refused([](Settings& s) { s.training.crop = -7; }, "training.crop = -7");
  refused([](Settings& s) { s.window.length = 13; }, "expected window.length up to 12");
}

TEST_CASE("fields that are not filled in are refused by what they lack") {
  CHECK(test::message_of<ShapeError>([] { impute({}); }) ==
        "Fields: 0 frames (time) of 0 x 0 cells (grid.y, grid.x) and 0 variables (names), expected one or more of each");
  auto fields = waves::make(3, 1, waves::Gaps::pixels);
  fields.time.clear();
  CHECK_THROWS_WITH(impute(fields), Catch::Matchers::StartsWith("Fields: 0 frames (time) of 12 x 12 cells"));
}

TEST_CASE("an observer is told of the stages in their order, of choices and of progress, and nothing is printed without one") {
  struct Listener final : Observer {
    std::vector<Stage> stages;
    std::string words;
    int steps = 0;
    double filled = 0;
    void begins(Stage stage) override { stages.push_back(stage); }
    void tells(Stage stage, const std::string& what) override {
      CHECK(stage == stages.back());
      words += what + "\n";
    }
    void progresses(const StageProgress& p) override {
      if (p.stage == Stage::training) CHECK(p.steps == ++steps);
      if (p.stage == Stage::filling) filled = p.done;
    }
  } listener;
  impute(waves::make(12, 1, waves::Gaps::pixels), quick(4), listener);
  CHECK(listener.stages == std::vector<Stage>{Stage::gaps, Stage::background, Stage::policy, Stage::planning, Stage::training,
                                              Stage::calibration, Stage::filling});
  CHECK(listener.steps == 4);
  CHECK(listener.filled == 1.0);
  for (const char* what : {"observed", "background: ", "Exposure audit", "network: unet of "})
    CHECK_THAT(listener.words, Catch::Matchers::Contains(what));
}

TEST_CASE("a single observation cannot be held out") {
  auto fields = waves::make(3, 1, waves::Gaps::pixels);
  for (auto& x : fields.values) x = data::not_observed;
  fields.values[7] = 1.0f;
  CHECK_THROWS_WITH(impute(fields, quick(1)), Catch::Matchers::Contains("held out"));
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
  o.policy.choice = PolicyChoice::automatic;
  const auto result = impute(fields, o);
  CHECK(result.report.mask == "blocks");
  for (const float value : result.filled.values) CHECK(std::isfinite(value));
}
