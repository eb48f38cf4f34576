#include "lacuna/validation/error_sums.hpp"

#include <vector>

#include "catch.hpp"

using lacuna::validation::ErrorSums;
using lacuna::validation::Score;

TEST_CASE("the best weight minimises the error and stays within 0 and 1") {
  ErrorSums sums;
  sums.add(2.0, 4.0);
  sums.add(-1.0, -2.0);
  CHECK(sums.best_weight() == Approx(0.5));
  CHECK(sums.squared_error(0.5) == Approx(0.0).margin(1e-12));
  CHECK(sums.squared_error(0.0) == Approx(5.0));
  ErrorSums opposed;
  opposed.add(1.0, -1.0);
  CHECK(opposed.best_weight() == 0.0);
  ErrorSums small;
  small.add(3.0, 1.0);
  CHECK(small.best_weight() == 1.0);
  CHECK(ErrorSums{}.best_weight() == 0.0);
}

TEST_CASE("the learned part never makes the held-out error worse") {
  Score score{std::vector<ErrorSums>(4)};
  score.kinds[0].add(1.0, 0.5);
  score.kinds[0].add(2.0, -0.1);
  score.kinds[1].add(0.5, -3.0);
  CHECK(score.nmse() <= score.nmse({0.0, 0.0, 0.0, 0.0}));
  CHECK(score.nmse({1.0, 1.0, 1.0, 1.0}) >= score.nmse());
  CHECK(Score{std::vector<ErrorSums>(2)}.nmse() == 0.0);
}

TEST_CASE("the score is the mean over values, not over variables") {
  Score score{std::vector<ErrorSums>(4)};
  score.kinds[0].add(1.0, 0.0);
  for (int i = 0; i < 3; ++i) score.kinds[1].add(3.0, 0.0);
  CHECK(score.nmse() == Approx(7.0));
}
