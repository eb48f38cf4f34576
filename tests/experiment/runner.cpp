#include "lacuna/experiment/runner.hpp"

#include "../data/scratch.hpp"
#include "catch.hpp"
#include "experiment/tiny.hpp"

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
    const auto truth = runner.truth_shown(), observed = runner.observed_shown(job);
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
  CHECK_THROWS_AS(runner(ours("steps:3:cubic")), OptionError);
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
