#include "lacuna/model/spread.hpp"

#include "catch.hpp"

using namespace lacuna::model;

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
    values[i].kriging_std = 0.1 + static_cast<double>(i) / 100.0;
    errors[i] = (i % 2 == 0 ? 1.0 : -1.0) * 0.7 * values[i].kriging_std;
  }
  const auto models = fit_spread(values, errors, {0.0, 0.0});
  CHECK(models[0].spread(0.0, 0.5) == Approx(0.35));
  CHECK(models[0].spread(0.0, 2.0) == Approx(1.4));
}

TEST_CASE("a spread without withheld values is the ensemble's own") {
  const auto models = fit_spread({}, {}, {0.5, 0.5});
  CHECK(models[0].spread(2.0, 1.0) == 2.0);
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
