#include "lacuna/settings.hpp"

#include <limits>

#include "catch.hpp"
#include "support/probe.hpp"

using namespace lacuna;

TEST_CASE("defaults are valid; what cannot work is named by its setting") {
  CHECK_NOTHROW(validate(Settings{}));
  const auto message = [](const auto& change) {
    Settings s;
    change(s);
    return test::message_of<OptionError>([&] { validate(s); });
  };
  using Catch::Matchers::StartsWith;
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THAT(message([](auto& s) { s.holdout.share = 0; }), StartsWith("holdout.share = 0: expected"));
  CHECK_THAT(message([](auto& s) { s.training.budget.steps = -1; }), StartsWith("training.budget.steps = -1: expected"));
  CHECK_THAT(message([=](auto& s) { s.training.budget.minutes = nan; }), StartsWith("training.budget.minutes = nan"));
  CHECK_THAT(message([](auto& s) { s.training.batch = -1; }), StartsWith("training.batch = -1"));
  CHECK_THAT(message([](auto& s) { s.training.learning_rate = 0; }), StartsWith("training.learning_rate = 0"));
  CHECK_THAT(message([=](auto& s) { s.training.checkpoint.save_every = nan; }), StartsWith("training.checkpoint.save_every"));
  CHECK_THAT(message([](auto& s) { s.ensemble.ratio = 0; }), StartsWith("ensemble.ratio = 0"));
  CHECK_THAT(message([](auto& s) { s.ensemble.sampling_steps = 0; }), StartsWith("ensemble.sampling_steps = 0"));
  CHECK_THAT(message([](auto& s) { s.policy.ratio = 0.5; }), StartsWith("policy.ratio = 0.5: has no meaning"));
}

TEST_CASE("frames to learn from: all, or a part that the data have") {
  CHECK(frames_to_learn({}, 9) == data::FrameRange{0, 9});
  CHECK(frames_to_learn({2, 5}, 9) == data::FrameRange{2, 5});
  CHECK_THROWS_WITH(frames_to_learn({2, 10}, 9), Catch::Matchers::Contains("training_frames = 2:10: expected FIRST:END"));
}

TEST_CASE("a budget without limits is open, and its seconds are the longest time") {
  CHECK(Budget{}.open());
  CHECK(Budget{}.seconds() == 600);
  CHECK_FALSE(Budget{.steps = 1}.open());
  CHECK(Budget{.minutes = 2}.seconds() == 120);
}
