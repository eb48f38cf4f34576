#include "lacuna/model/memory_planner.hpp"

#include <algorithm>
#include <array>

#include "catch.hpp"
#include "lacuna/model/model.hpp"
#include "lacuna/model/network.hpp"
#include "support/probe.hpp"
#include "support/waves.hpp"

using namespace lacuna;
using namespace lacuna::model;

namespace {

/// Plans with made-up sizes: batches 4, 2, 1, then half the crop, then half the width.
std::vector<MemoryPlan> made_up() {
  std::vector<MemoryPlan> plans;
  const std::size_t sizes[] = {900, 500, 600, 400, 450, 350, 300, 250, 280, 230};
  int i = 0;
  for (const auto& [batch, crop, hidden] : {std::array{4, 0, 32}, {2, 0, 32}, {1, 0, 32}, {1, 32, 32}, {1, 0, 16}})
    for (const bool recompute : {false, true})
      plans.push_back({batch, crop, {.hidden = hidden, .recompute = recompute}, sizes[i++] * 1000000});
  return plans;
}

}  // namespace

TEST_CASE("the largest batch that fits is chosen; else the error tells what would") {
  const auto plans = made_up();
  const MemoryPlan kept{.batch = 4, .crop = 0, .network = {.hidden = 32}},
      again{.batch = 4, .crop = 0, .network = {.hidden = 32, .recompute = true}};
  const auto batch = [&](const MemoryPlan& p, std::size_t limit) { return MemoryPlanner::choose(plans, p, limit).batch; };
  CHECK(batch(kept, 900000000) == 4);
  CHECK(batch(kept, 899999999) == 2);
  CHECK(batch(kept, 450000000) == 1);
  CHECK(batch(again, 500000000) == 4);
  CHECK(MemoryPlanner::choose(plans, again, 350000000).network.recompute);
  CHECK(test::message_of<OptionError>([&] { batch(kept, 360000000); }) ==
        "memory_limit = 360 MB: training.batch = 1 would take 450 MB; what would fit: training.batch = 1 network.recompute (350 "
        "MB), "
        "or training.batch = 1 training.crop = 32 (300 MB), or training.batch = 1 training.crop = 32 network.recompute (250 MB), "
        "or "
        "training.batch = 1 network.hidden = 16 (280 MB), or training.batch = 1 network.hidden = 16 network.recompute (230 MB)");
  CHECK(test::message_of<OptionError>([&] { batch(again, 1000000); }) ==
        "memory_limit = 1 MB: training.batch = 1 would take 350 MB; nothing that was tried fits");
}

TEST_CASE("the table marks what fits") {
  const auto printed = MemoryPlanner::table(made_up(), 400000000);
  CHECK_THAT(printed, Catch::Matchers::Contains("planned peak memory (* within 400 MB)"));
  CHECK_THAT(printed, Catch::Matchers::Contains("  whole      32        yes        400 MB *"));
  CHECK_THAT(printed, Catch::Matchers::Contains("  whole      32         no        600 MB \n"));
  CHECK(std::count(printed.begin(), printed.end(), '\n') == 11);
}

TEST_CASE("plans: batches down to one, then half the crop and half the width, each kept and computed again") {
  const auto grid = waves::make(3, 1, waves::Gaps::pixels).grid;
  const MemoryPlanner planner(grid, [](const MemoryPlan& p) {
    CHECK(p.bytes == 0);
    return static_cast<std::size_t>(p.batch * 100 + p.network.hidden);
  });
  const MemoryPlan from{.batch = 4, .crop = 40, .network = {.hidden = 16}};
  const auto plans = planner(from, true);
  REQUIRE(plans.size() == 10);
  for (std::size_t i = 0; i < 6; ++i) CHECK(plans[i].batch == 4 >> i / 2);
  CHECK((plans[6].crop == 20 && plans[6].batch == 1 && plans[6].network.hidden == 16));
  CHECK((plans[8].network.hidden == 8 && plans[8].crop == 40));
  CHECK(plans[9].network.recompute);
  CHECK(plans[8].bytes == 108);
  CHECK(planner(from, false).size() == 6);
  CHECK(planner(from, false)[0].batch == 4);
  CHECK(planner({.batch = 1, .crop = 0, .network = {.hidden = 16}}, true).size() == 4);  // too small a grid for half a crop
}

TEST_CASE("a real model: recomputation takes less, more members, samples and held-out values take more") {
  const auto data = make_dataset(waves::make(9, 2, waves::Gaps::pixels));
  const auto work = [](const EnsembleSettings& s) { return workload(s, 5, 1000, 90000); };
  CHECK(work({.members = 0}).members == MembersNeeded::most);
  CHECK(work({.members = 7}).batches == std::vector<std::size_t>{1, 5, 7});
  CHECK(work({.members = 7}).states == 0);
  CHECK(work({.samples = 40}).batches == std::vector<std::size_t>{1, 5, 32, 8, 10});
  CHECK(work({.samples = 40}).states == 32);
  const auto bytes_of = [&](const NetworkSettings& network, int batch, const EnsembleSettings& ensemble) {
    const auto device = std::make_shared<cpu::Device>(cpu::Device::Settings{.threads = 1, .arena_bytes = 0});
    const NoKernelsKept each_its_own;
    Model<AnyNetwork<cpu::Device>, mask::Pixels> model(data, NetworkFactory<cpu::Device>{network}, mask::Pixels::random_ratio(),
                                                       {.batch = batch, .scale = {1.0f, 1.0f}, .ensemble = {}, .marks = {}}, {},
                                                       {}, device);
    plan_memory(model, work({.samples = 40}));  // buffers and primitives exist from here on
    return plan_memory(model, work(ensemble));
  };
  const NetworkSettings small{.hidden = 4};
  CHECK(bytes_of(small, 2, {.samples = 40}) > bytes_of(small, 2, {.samples = 8}) + std::size_t{1000} * 30 * 8);
#ifndef LACUNA_ADDRESS_SANITIZER  // it keeps freed memory for a while, so what is resident is not what a plan takes
  for (const NetworkKind kind : {NetworkKind::unet, NetworkKind::space_time_unet, NetworkKind::fno}) {
    const NetworkSettings kept{.kind = kind, .hidden = 32}, again{.kind = kind, .hidden = 32, .recompute = true};
    CHECK(bytes_of(again, 16, {}) < bytes_of(kept, 16, {}));
  }
#endif
}
