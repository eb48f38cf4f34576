#include "lacuna/fill/scoring.hpp"

#include "catch.hpp"
#include "waves.hpp"

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
  Score score{std::vector<ErrorSums>(4)};
  score.kinds[0].add(1.0, 0.5);
  score.kinds[0].add(2.0, -0.1);
  score.kinds[1].add(0.5, -3.0);
  CHECK(score.nmse() <= score.background_nmse());
  CHECK(score.nmse({1.0, 1.0, 1.0, 1.0}) >= score.nmse());
  CHECK(Score{std::vector<ErrorSums>(2)}.nmse() == 0.0);
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
  Score score{std::vector<ErrorSums>(4)};
  score.kinds[0].add(1.0, 0.0);
  for (int i = 0; i < 3; ++i) score.kinds[1].add(3.0, 0.0);
  CHECK(score.nmse() == Approx(7.0));
}

TEST_CASE("the windows that are scored show every kind of gap that is withheld") {
  auto f = waves::make(90, 1, waves::Gaps::pixels);
  std::vector<std::uint8_t> withheld(f.values.size(), 0);
  for (int t = 0; t < 90; ++t) withheld[f.index(t, 5, 5, 0)] = 1;
  for (int y = 0; y < 12; ++y)
    for (int x = 0; x < 12; ++x) {  // frame 40, in window 13, is withheld whole
      withheld[f.index(40, y, x, 0)] = f.observed(40, y, x, 0) ? 1 : 0;
      f.at(40, y, x, 0) = lacuna::data::not_observed;
    }
  const lacuna::train::Samples samples(f, {}, {lacuna::baseline::BackgroundKind::none, f, {}, {}});
  CHECK(kind_of_gap(samples, 13, f.index(1, 3, 3, 0)) == 1);
  CHECK(kind_of_gap(samples, 13, f.index(0, 3, 3, 0)) == 0);
  const auto windows = windows_to_score(samples, withheld, 4);
  CHECK(windows.size() <= 5);
  CHECK(std::find(windows.begin(), windows.end(), 13) != windows.end());
}
