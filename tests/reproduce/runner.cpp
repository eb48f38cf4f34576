#include "reproduce/runner.hpp"

#include "../data/scratch.hpp"
#include "catch.hpp"
#include "reproduce/tiny.hpp"

using namespace lacuna;
using namespace lacuna::experiment;

namespace {

Job ours(const std::string& use) { return {.set = "advection", .gaps = "p80", .method = "ours", .use = use}; }

}  // namespace

TEST_CASE("a network is trained once for all its uses, and the same job gives the same outcome") {
  const Scratch folder;
  const auto run = [&](const std::string& in, const Job& job) { return Runner("advection", tiny(), folder / in, 1, 1)(job); };
  const auto network = Runner("advection", tiny(), folder / "a", 1, 1).network_folder(ours("contexts")) / "state.safetensors";
  const auto contexts = run("a", ours("contexts"));
  REQUIRE(std::filesystem::exists(network));
  const auto written = std::filesystem::last_write_time(network);
  const auto mask = run("a", ours("mask"));
  CHECK(std::filesystem::last_write_time(network) == written);
  CHECK(mask.errors.missing != contexts.errors.missing);
  CHECK(contexts.training > 0);
  CHECK(mask.training == contexts.training);  // counted once (reproduce.hpp)
  CHECK(run("a", ours("contexts")).errors.missing == contexts.errors.missing);
  CHECK(run("b", ours("contexts")).errors.missing == contexts.errors.missing);
}

TEST_CASE("observed values are exact in an outcome, and steps, one context and another density all fill") {
  const Scratch folder;
  Runner runner("advection", tiny(), folder / "a", 1, 1);
  Job at_other_density = ours("adapted");
  at_other_density.test_gaps = "p30";
  for (const Job& job : {ours("one"), ours("steps:3"), ours("steps:3:quadratic:published"), at_other_density}) {
    INFO(job.key());
    const auto outcome = runner(job);
    const auto truth = runner.truth_shown(job), observed = runner.observed_shown(job);
    bool any = false;
    for (std::size_t i = 0; i < truth.size(); ++i) {
      CHECK(std::isfinite(outcome.shown[i]));
      if (!std::isnan(observed[i])) CHECK(outcome.shown[i] == truth[i]);
      any |= std::isnan(observed[i]);
    }
    CHECK(any);
    CHECK(outcome.errors.missing > 0);
  }
  CHECK_THROWS_AS(runner(ours("guess")), OptionError);
  const auto fails = [&](const std::string& use, const std::string& what) {
    CHECK_THROWS_WITH(runner(ours(use)), Catch::Matchers::Contains(what));
  };
  fails("steps:3:cubic", "weight cubic: expected one of none, linear, quadratic");
  fails("steps:3:none:third-order", "solver third-order: expected one of first-order, published, second-order");
  fails("steps:3:none:published:even", "spacing even: expected one of time, log-snr");
  fails("steps:3:none:published:time:1:1", "use steps:3:none:published:time:1:1: expected steps:N");
  fails("steps:3:none:published:time:few", "use steps:3:none:published:time:few: few is no whole number");
  fails("steps:", "use steps::  is no whole number");
  Job blocks = ours("adapted");
  blocks.test_gaps = "b8";
  CHECK_THROWS_WITH(runner(blocks), Catch::Matchers::Contains("use adapted: of pixels alone, not of p80 and b8"));
  Job rival = at_other_density;
  rival.method = "missdiff";
  CHECK_THROWS_WITH(runner(rival), Catch::Matchers::Contains("use adapted: of the objective ours alone, not of missdiff"));
}

TEST_CASE("a classical method fills a sample without a look at those beside it") {
  const Scratch folder;
  SetSettings s = tiny();
  s.frames = s.window = 1;  // what is beside a frame is another sample
  const auto first_sample = [&](const std::string& method, int samples) {
    s.test = samples;
    const Job job{.set = "advection", .gaps = "p30", .method = method, .use = {}};
    return Runner("advection", s, folder / "a", 1, 1)(job).shown;
  };
  for (const std::string method : {"temporal", "laplace", "kriging"}) {
    INFO(method);
    CHECK(first_sample(method, 3) == first_sample(method, 1));
  }
}

TEST_CASE("of blocks a sample is shown whose middle is missing, of pixels the first") {
  const Scratch folder;
  SetSettings s = tiny();
  s.test = 12;
  Runner runner("advection", s, folder / "a", 1, 1);
  const auto job = [](const std::string& gaps) { return Job{.set = "advection", .gaps = gaps, .method = "laplace", .use = {}}; };
  const auto truth = runner.truth_shown(job("b5"));
  CHECK(std::isnan(runner.observed_shown(job("b5"))[8 * 16 + 8]));
  const auto outcome = runner(job("b5"));
  const auto observed = runner.observed_shown(job("b5"));
  for (std::size_t i = 0; i < truth.size(); ++i)
    if (!std::isnan(observed[i])) CHECK(outcome.shown[i] == truth[i]);
  CHECK(runner.truth_shown(job("p80")) == runner.truth_shown(job("p30")));
}

TEST_CASE("weight, solver and spacing of multi-step sampling change what comes of it") {
  const Scratch folder;
  Runner runner("advection", tiny(), folder / "a", 1, 1);
  const auto error = [&](const std::string& use) { return runner(ours(use)).errors.missing; };
  const double plain = error("steps:4");
  CHECK(error("steps:4:linear:first-order:time") == plain);
  CHECK(error("steps:4:none") != plain);
  CHECK(error("steps:4:linear:second-order") != plain);
  CHECK(error("steps:4:linear:published") != plain);
  CHECK(error("steps:4:linear:first-order:log-snr") != plain);
  CHECK(error("steps:4:linear:first-order:time:0") == plain);
  CHECK(error("steps:4:linear:first-order:time:3") != plain);
}

TEST_CASE("a kriging background makes even a hardly trained network good where pixels are missing") {
  const Scratch folder;
  Runner runner("advection", tiny(), folder / "a", 1, 1);
  Job job{.set = "advection", .gaps = "p80", .method = "random", .use = "mask"};
  const double without = runner(job).errors.missing;
  job.background = "kriging";
  CHECK(runner(job).errors.missing < 0.1 * without);
}

TEST_CASE("other settings and other seeds have networks of their own, and none is lost") {
  const Scratch folder;
  SetSettings s = tiny();
  const auto run = [&](std::uint64_t seed) { return Runner("advection", s, folder / "a", seed, 1)(ours("mask")).errors.missing; };
  const double twelve = run(1);
  CHECK(run(2) != twelve);
  s.steps = 13;
  CHECK(run(1) != twelve);
  s.steps = 12;
  CHECK(run(1) == twelve);
  std::size_t networks = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(folder / "a") / "networks"))
    ++networks;
  CHECK(networks == 3);
}
