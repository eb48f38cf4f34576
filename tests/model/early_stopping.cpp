#include "lacuna/model/early_stopping.hpp"

#include <cmath>

#include "catch.hpp"

using lacuna::model::EarlyStopping;
using lacuna::model::TrainingState;

TEST_CASE("a training state survives text to the last digit, and damage is named") {
  TrainingState state{
      .seconds = 1.0 / 3.0, .last_evaluated = 2, .best = 0.1, .stale_evaluations = 3, .decay_from = -1, .decay_length = 5e-9};
  std::map<std::string, std::string> stored;
  state.save(stored);
  TrainingState other;
  other.load(stored, "state");
  CHECK(other.seconds == state.seconds);
  CHECK(other.best == state.best);
  CHECK(other.decay_from == -1);
  CHECK(other.decay_length == 5e-9);
  stored["misses"] = "many";
  CHECK_THROWS_WITH(other.load(stored, "state"), Catch::Matchers::Contains("misses is many"));
  stored.erase("misses");
  CHECK_THROWS_WITH(other.load(stored, "state"), Catch::Matchers::Contains("does not tell misses"));
}

namespace {

/// Looks every twentieth of a second of 600 until the rule has decided, the error at time t being error(t).
template <class Error>
TrainingState decided(const EarlyStopping& rule, const Error& error) {
  TrainingState state;
  for (double now = 0; !rule.decaying(state) && now < 700; now += 0.05)
    if (rule.due(state, now)) rule.update(state, now, error(now), now + 0.01);
  return state;
}

}  // namespace

TEST_CASE("training goes on while the withheld error falls, and ends after four looks without a fall of 1 %") {
  const EarlyStopping rule{.longest = 600};
  // Falls by 5 % a look (every 20 s) up to 200 s, then by 0.1 %.
  const auto state =
      decided(rule, [](double t) { return std::pow(0.95, std::min(t, 200.0) / 20) - 0.001 * std::max(0.0, t - 200) / 20; });
  CHECK(state.decay_from == Approx(280).margin(1.0));
  CHECK(state.decay_length == Approx(0.25 * state.decay_from + 5));
  CHECK(state.best == Approx(std::pow(0.95, 10)).epsilon(0.01));
  CHECK(rule.end(state) < 600);
}

TEST_CASE("one fall in time starts the count of looks anew") {
  const EarlyStopping rule{.longest = 600};
  const auto state = decided(rule, [](double t) { return t < 90 ? 1.0 : 0.9; });
  CHECK(state.decay_from == Approx(180).margin(1.0));  // 20: first, 40 60 80: misses, 100: fell, 120 140 160 180: misses
}

TEST_CASE("an error that never stops falling ends at the longest time") {
  const EarlyStopping rule{.longest = 600};
  const auto state = decided(rule, [](double t) { return std::exp(-t); });
  CHECK(state.decay_from == Approx(480).margin(0.2));
  CHECK(rule.end(state) == Approx(600).margin(6));
}

TEST_CASE("the learning rate stays up until the decision, then falls to zero in a straight line") {
  const EarlyStopping rule{.longest = 600};
  TrainingState state;
  CHECK(rule.rate(state, 500) == 1.0);
  CHECK(rule.due(state, 20.0));
  CHECK_FALSE(rule.due(state, 19.9));
  state.decay_from = 100;
  state.decay_length = 40;
  CHECK(rule.rate(state, 100) == 1.0);
  CHECK(rule.rate(state, 110) == Approx(0.75));
  CHECK(rule.rate(state, 150) == 0.0);
  CHECK_FALSE(rule.due(state, 599));
}

TEST_CASE("looks that take long leave as much time to train between them") {
  const EarlyStopping rule{.longest = 600};
  TrainingState state;
  rule.update(state, 20, 1.0, 70);
  CHECK_FALSE(rule.due(state, 89));
  CHECK(rule.due(state, 90));
}
