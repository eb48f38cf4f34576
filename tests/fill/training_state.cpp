#include "lacuna/fill/training_state.hpp"

#include "catch.hpp"

using lacuna::fill::TrainingState;

TEST_CASE("a training state survives text to the last digit, and damage is named") {
  TrainingState state{.seconds = 1.0 / 3.0, .looked = 2, .best = 0.1, .misses = 3, .decay_from = -1, .decay_length = 5e-9};
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
