#include "lacuna/model/training.hpp"

#include "catch.hpp"

using namespace lacuna;
using model::TrainingRun;

namespace {

/// Counts the steps that it is asked for, and their rates.
struct Trainer {
  std::vector<double> rates;
  double step(double rate) { return rates.push_back(rate), 1.0 / static_cast<double>(rates.size()); }
  std::int64_t steps_done() const { return static_cast<std::int64_t>(rates.size()); }
};
double no_score() { return 1.0; }

}  // namespace

TEST_CASE("a number of steps is kept to, and every step is told of") {
  Trainer trainer;
  std::int64_t told = 0;
  TrainingRun run(trainer, {.steps = 5}, 1e-3, silent());
  run(no_score, [&](std::int64_t step) { CHECK(step == ++told); });
  CHECK(told == 5);
  CHECK(trainer.steps_done() == 5);
  run(no_score, [&](std::int64_t) { ++told; });  // nothing left to do
  CHECK(told == 5);
}

TEST_CASE("with a number of steps the rate depends on the step alone, whatever the clock says") {
  Trainer one, other;
  TrainingRun(one, {.steps = 50}, 1e-3, silent())(no_score, [](std::int64_t) {});
  TrainingRun slow(other, {.steps = 50, .minutes = 60}, 1e-3, silent());
  slow.resume({.seconds = 100});
  slow(no_score, [](std::int64_t) {});
  CHECK(one.rates == other.rates);
  CHECK(one.rates.back() < 0.1 * *std::max_element(one.rates.begin(), one.rates.end()));
}

TEST_CASE("a limit of time ends training, and time before a resume counts") {
  Trainer trainer;
  TrainingRun run(trainer, {.minutes = 1.0}, 1e-3, silent());
  run.resume({.seconds = 61.0});
  run(no_score, [](std::int64_t) {});
  CHECK(trainer.steps_done() == 0);
}

TEST_CASE("without a limit training ends when the held-out error stops falling") {
  Trainer trainer;
  int evaluations = 0;
  TrainingRun run(trainer, {.longest_minutes = 0.05}, 1e-3, silent());  // evaluates every tenth of a second
  run([&] { return ++evaluations < 3 ? 1.0 / evaluations : 0.5; }, [](std::int64_t) {});
  CHECK(evaluations >= 1);
  CHECK(trainer.steps_done() > 0);
}

TEST_CASE("a run that had ended is not trained again when resumed") {
  Trainer trainer;
  TrainingRun run(trainer, {}, 1e-3, silent());
  run.resume({.seconds = 200, .last_evaluated = 150, .best = 0.5, .stale_evaluations = 4, .decay_from = 150, .decay_length = 50});
  run(no_score, [](std::int64_t) {});
  CHECK(trainer.steps_done() == 0);
}
