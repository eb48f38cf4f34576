#include "lacuna/fill/learner.hpp"

#include "catch.hpp"
#include "waves.hpp"

using namespace lacuna;
using namespace lacuna::fill;
using baseline::BackgroundKind;

namespace {

struct Setting {
  data::Fields fields;
  train::Samples samples;
  cpu::Device device;
  Policy policy{mask::AnyPolicy{mask::Pixels::random_ratio()}, 0.0f};

  Setting() : fields(normalised()), samples(fields, {}, {}), device({.threads = 2}) {}
  static data::Fields normalised() {
    auto f = waves::make(24, 2, waves::Gaps::pixels);
    for (std::size_t i = 0; i < f.values.size(); ++i) f.values[i] = (f.values[i] - 5.0f) * (i % 2 == 0 ? 1.0f : 3.0f);
    return f;
  }
  Learner<> learner() { return {device, samples, policy, {.hidden = 4, .batch = 2}}; }
};

}  // namespace

TEST_CASE("the anomaly's scale is its deviation, per variable") {
  Setting s;
  const auto scale = anomaly_scale(s.samples, s.policy, 1, 2);
  REQUIRE(scale.size() == 2);
  CHECK(static_cast<double>(scale[0]) == Approx(std::sqrt(2.0)).epsilon(0.1));
  CHECK(static_cast<double>(scale[1]) == Approx(3.0 * std::sqrt(2.0)).epsilon(0.1));
  CHECK(scale == anomaly_scale(s.samples, s.policy, 1, 1));
}

TEST_CASE("a number of steps is kept to, and every step is told of") {
  Setting s;
  auto learner = s.learner();
  Progress progress;
  std::int64_t told = 0;
  TrainingRun run(learner, {.steps = 5}, progress);
  run([] { return 1.0; }, [&](std::int64_t step) { CHECK(step == ++told); });
  CHECK(told == 5);
  CHECK(learner.trainer().steps_done() == 5);
  run([] { return 1.0; }, [&](std::int64_t) { ++told; });  // nothing left to do
  CHECK(told == 5);
}

TEST_CASE("a limit of time ends training, and time before a resume counts") {
  Setting s;
  auto learner = s.learner();
  Progress progress;
  TrainingRun run(learner, {.minutes = 1.0}, progress);
  run.resume({.seconds = 61.0});
  run([] { return 1.0; }, [](std::int64_t) {});
  CHECK(learner.trainer().steps_done() == 0);
}

TEST_CASE("without a limit training ends when the withheld error stops falling") {
  Setting s;
  auto learner = s.learner();
  Progress progress;
  int looks = 0;
  TrainingRun run(learner, {.longest = 0.05}, progress);  // looks every tenth of a second
  run([&] { return ++looks < 3 ? 1.0 / looks : 0.5; }, [](std::int64_t) {});
  CHECK(looks >= 1);
  CHECK(learner.trainer().steps_done() > 0);
}

TEST_CASE("a run that had ended is not trained again when resumed") {
  Setting s;
  auto learner = s.learner();
  Progress progress;
  TrainingRun run(learner, {}, progress);
  run.resume({.seconds = 200, .looked = 150, .best = 0.5, .misses = 4, .decay_from = 150, .decay_length = 50});
  run([] { return 1.0; }, [](std::int64_t) {});
  CHECK(learner.trainer().steps_done() == 0);
}

TEST_CASE("the sampler sees the averaged weights") {
  Setting s;
  auto learner = s.learner();
  Progress progress;
  TrainingRun(learner, {.steps = 3}, progress)([] { return 1.0; }, [](std::int64_t) {});
  auto state = learner.trainer().state();
  const auto average = state.average;
  CHECK(average != learner.parameters().values());
  auto sampler = learner.sampler(s.samples);
  std::vector<sampler::Request> requests{{0, 0, self_context(s.samples, 0)}};
  std::vector<float> first, second;
  sampler(requests, [&](std::size_t, const sampler::Estimate& e) { first = e.anomaly; });
  state.average = learner.parameters().values();
  learner.trainer().restore(state);
  auto other = learner.sampler(s.samples);
  other(requests, [&](std::size_t, const sampler::Estimate& e) { second = e.anomaly; });
  CHECK(first != second);
}
