#include "lacuna/fill/memory_plan.hpp"

#include <cstdlib>

#include "catch.hpp"
#include "support/probe.hpp"
#include "waves.hpp"

using namespace lacuna;
using namespace lacuna::fill;

namespace {

struct Setting {
  data::Fields fields = waves::make(9, 2, waves::Gaps::pixels);
  train::Samples samples{fields, {}, {}};
  Policy policy{mask::AnyPolicy{mask::Pixels::random_ratio()}, 0.0f};
  MemoryQuestion<> question{samples, policy, 1, workload({.members = 3}, samples.windows().size(), 100, fields.values.size())};
};

std::string table(const std::vector<MemoryPlan>& plans, std::size_t limit) {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* out = open_memstream(&text, &size);
  MemoryQuestion<>::print(plans, limit, out);
  std::fclose(out);
  const std::string printed(text, size);
  std::free(text);
  return printed;
}

/// Plans with made-up sizes: batches 4, 2, 1, then half the crop, then half the width.
std::vector<MemoryPlan> made_up() {
  const LearnerSettings four{.hidden = 32, .batch = 4}, two{.hidden = 32, .batch = 2}, one{.hidden = 32, .batch = 1},
      crop{.hidden = 32, .batch = 1, .crop = 32}, narrow{.hidden = 16, .batch = 1};
  std::vector<MemoryPlan> plans;
  const std::size_t sizes[] = {900, 500, 600, 400, 450, 350, 300, 250, 280, 230};
  int i = 0;
  for (LearnerSettings s : {four, two, one, crop, narrow})
    for (const bool recompute : {false, true}) {
      s.recompute = recompute;
      plans.push_back({s, sizes[i++] * 1000000});
    }
  return plans;
}

}  // namespace

TEST_CASE("sizes as people write them") {
  CHECK(parse_memory("8GB") == 8000000000u);
  CHECK(parse_memory("1.5 GiB") == 1610612736u);
  CHECK(parse_memory("512MB") == 512000000u);
  CHECK(parse_memory("2MiB") == 2097152u);
  for (const char* bad : {"", "8", "GB", "8 TB", "-1GB", "0MB", "8GBs", "1e30GB", "nanGB"})
    CHECK(test::message_of<OptionError>([&] { parse_memory(bad); }) ==
          text("--memory ", bad, ": expected a number and MB, GB, MiB or GiB"));
}

TEST_CASE("the largest batch that fits is chosen; else the error tells what would") {
  const auto plans = made_up();
  const LearnerSettings kept{.hidden = 32, .batch = 4}, again{.hidden = 32, .batch = 4, .recompute = true};
  const auto batch = [&](const LearnerSettings& s, std::size_t limit) { return MemoryQuestion<>::choose(plans, s, limit).batch; };
  CHECK(batch(kept, 900000000) == 4);
  CHECK(batch(kept, 899999999) == 2);
  CHECK(batch(kept, 450000000) == 1);
  CHECK(batch(again, 500000000) == 4);
  CHECK(MemoryQuestion<>::choose(plans, again, 350000000).recompute);
  CHECK(
      test::message_of<OptionError>([&] { batch(kept, 360000000); }) ==
      "--memory 360 MB: --batch 1 would take 450 MB; what would fit: --batch 1 --recompute (350 MB), or --batch 1 --crop 32 (300 "
      "MB), or --batch 1 --crop 32 --recompute (250 MB), or --batch 1 --hidden 16 (280 MB), or --batch 1 --hidden 16 --recompute "
      "(230 MB)");
  CHECK(test::message_of<OptionError>([&] { batch(again, 1000000); }) ==
        "--memory 1 MB: --batch 1 would take 350 MB; nothing that was tried fits");
}

TEST_CASE("the table marks what fits") {
  const auto printed = table(made_up(), 400000000);
  CHECK_THAT(printed, Catch::Matchers::Contains("planned peak memory (* within 400 MB)"));
  CHECK_THAT(printed, Catch::Matchers::Contains("  whole      32        yes        400 MB *"));
  CHECK_THAT(printed, Catch::Matchers::Contains("  whole      32         no        600 MB \n"));
  CHECK(std::count(printed.begin(), printed.end(), '\n') == 12);
}

TEST_CASE("plans of real networks: fewer samples and recomputation take less, a fixed batch is kept") {
  Setting s;
  for (const char* network : {"unet", "space-time-unet", "fno"}) {
    const LearnerSettings settings{.network = network, .hidden = 16, .batch = 4};
    const auto plans = s.question(settings, true);
    REQUIRE(plans.size() == 8);  // batches 4, 2, 1 and half the width: the grid is too small for half a crop
    for (std::size_t i = 0; i < 6; ++i) CHECK(plans[i].settings.batch == 4 >> i / 2);
    CHECK((plans[6].settings.hidden == 8 && plans[6].settings.batch == 1));
#ifndef LACUNA_ADDRESS_SANITIZER  // it keeps freed memory for a while, so what is resident is not what a plan takes
    CHECK(plans[1].bytes < plans[0].bytes);
    CHECK(plans[4].bytes < plans[0].bytes);
#endif
    CHECK(s.question(settings, false).size() == 4);
    CHECK(s.question(settings, false)[0].settings.batch == 4);
  }
}

TEST_CASE("more members, more samples and more withheld values take more; every batch that will be is planned for") {
  const auto work = [](const Options& o) { return workload(o, 5, 1000, 90000); };
  CHECK(work({.members = 0}).members == MembersNeeded::most);
  CHECK(work({.members = 7}).batches == std::vector<std::size_t>{1, 5, 7});
  CHECK(work({.members = 7}).states == 0);
  CHECK(work({.samples = 40}).batches == std::vector<std::size_t>{1, 5, 32, 8, 10});
  CHECK(work({.samples = 40}).states == 32);
  Setting s;
  cpu::Device device({.threads = 1, .arena_bytes = 0});
  Learner learner(device, s.samples, s.policy, {.hidden = 4, .batch = 2}, {1.0f, 1.0f});
  const auto bytes = [&](const Options& o) { return plan_memory(s.samples, learner, work(o)); };
  bytes({.samples = 40});  // buffers and primitives exist from here on
  CHECK(bytes({.samples = 40}) > bytes({.samples = 8}) + std::size_t{1000} * 30 * 8);
  CHECK(bytes({.members = 50}) > bytes({.members = 3}));
  CHECK_NOTHROW(plan_memory(s.samples, learner, {}));
}
