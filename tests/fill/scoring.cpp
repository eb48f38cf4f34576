#include "lacuna/fill/scoring.hpp"

#include "catch.hpp"

using namespace lacuna::fill;

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

TEST_CASE("the learned part never makes the withheld error worse") {
  Score score{std::vector<ErrorSums>(2)};
  score.variables[0].add(1.0, 0.5);
  score.variables[0].add(2.0, -0.1);
  score.variables[1].add(0.5, -3.0);
  CHECK(score.nmse() <= score.background_nmse());
  CHECK(score.nmse({1.0, 1.0}) >= score.nmse());
  CHECK(Score{std::vector<ErrorSums>(1)}.nmse() == 0.0);
}

TEST_CASE("spread factors match the ensemble's spread to the error") {
  // Values of variable 0 have member variance 1, of variable 1 none.
  std::vector<EnsembleValue> values(8);
  Score score{std::vector<ErrorSums>(2)};
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i].at = i;
    values[i].var_background = i % 2 == 0 ? 1.0 : 0.0;
    score.variables[i % 2].add(3.0, 0.0);
  }
  const auto factors = spread_factors(values, score, {0.0, 0.0});
  CHECK(factors[0] == Approx(3.0));
  CHECK(factors[1] == 1.0);
}

TEST_CASE("the variance of background plus weighted anomaly counts their covariance") {
  EnsembleValue value;
  value.var_background = 1.0;
  value.var_anomaly = 4.0;
  value.covariance = -2.0;
  CHECK(value.variance(0.5) == Approx(0.0).margin(1e-12));
  CHECK(value.variance(1.0) == Approx(1.0));
}

TEST_CASE("the score is the mean over values, not over variables") {
  Score score{std::vector<ErrorSums>(2)};
  score.variables[0].add(1.0, 0.0);
  for (int i = 0; i < 3; ++i) score.variables[1].add(3.0, 0.0);
  CHECK(score.nmse() == Approx(7.0));
}
