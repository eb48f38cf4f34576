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

TEST_CASE("the spread follows the ensemble where the ensemble tells the error, and is flat where it does not") {
  // Variable 0: errors are twice the members' deviation. Variable 1: as large everywhere. Variable 2: members agree.
  std::vector<EnsembleValue> values(600);
  std::vector<double> errors(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t v = i % 3;
    const double deviation = 0.5 + static_cast<double>(i) / 300.0, sign = i / 3 % 2 == 0 ? 1.0 : -1.0;
    values[i].at = i;
    values[i].kind = v;
    values[i].var_background = v == 2 ? 0.0 : deviation * deviation;
    errors[i] = sign * (v == 0 ? 2.0 * deviation : 3.0);
  }
  const auto models = fit_spread(values, errors, std::vector<double>(6, 0.0));
  CHECK(models[0].factor == Approx(2.0));
  CHECK(models[0].floor == Approx(0.0).margin(1e-9));
  CHECK(models[1].factor == Approx(0.0).margin(1e-9));
  CHECK(models[1].floor == Approx(3.0));
  CHECK(models[2].spread(0.0, 1.0) == Approx(3.0));
}

TEST_CASE("where the ensemble says nothing, the spread has the shape of the error that the background expects") {
  std::vector<EnsembleValue> values(200);
  std::vector<double> errors(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i].expected = 0.1 + static_cast<double>(i) / 100.0;
    errors[i] = (i % 2 == 0 ? 1.0 : -1.0) * 0.7 * values[i].expected;
  }
  const auto models = fit_spread(values, errors, {0.0, 0.0});
  CHECK(models[0].spread(0.0, 0.5) == Approx(0.35));
  CHECK(models[0].spread(0.0, 2.0) == Approx(1.4));
}

TEST_CASE("a spread without withheld values is the ensemble's own") {
  const auto models = fit_spread({}, {}, {0.5, 0.5});
  CHECK(models[0].spread(2.0, 1.0) == 2.0);
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

TEST_CASE("lost planes are calibrated apart, and what has no withheld values learns from its like") {
  // Two variables: gaps in planes (kinds 0, 1) have errors of 1, the lost planes of variable 1 (kind 3) errors of 5.
  std::vector<EnsembleValue> values(40);
  std::vector<double> errors(values.size());
  Score score{std::vector<ErrorSums>(4)};
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i].kind = i % 2 == 0 ? 0 : 3;
    values[i].var_background = 0.04;
    errors[i] = (i % 4 < 2 ? 1.0 : -1.0) * (i % 2 == 0 ? 1.0 : 5.0);
    score.kinds[values[i].kind].add(i % 2 == 0 ? 1.0 : -1.0, 1.0);
  }
  const auto models = fit_spread(values, errors, {0.0, 0.0, 0.0, 0.0});
  CHECK(models[0].spread(0.2, 1.0) == Approx(1.0));
  CHECK(models[1].spread(0.2, 1.0) == Approx(1.0));
  CHECK(models[2].spread(0.2, 1.0) == Approx(5.0));
  CHECK(models[3].spread(0.2, 1.0) == Approx(5.0));
  CHECK(score.best_weights() == std::vector<double>{1.0, 1.0, 0.0, 0.0});
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
