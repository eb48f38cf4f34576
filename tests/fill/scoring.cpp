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

TEST_CASE("gaps in planes with observations and in lost planes are kinds of their own") {
  auto f = waves::make(90, 1, waves::Gaps::pixels);
  for (int i = 0; i < 144; ++i) f.at(40, i / 12, i % 12, 0) = lacuna::data::not_observed;
  const lacuna::train::Samples samples(f, {}, {lacuna::baseline::BackgroundKind::none, f, {}, {}});
  CHECK(kind_of_gap(samples, 13, f.index(1, 3, 3, 0)) == 1);
  CHECK(kind_of_gap(samples, 13, f.index(0, 3, 3, 0)) == 0);
}

TEST_CASE("where windows overlap, a withheld value is counted in the first that is scored") {
  const auto f = waves::make(12, 1, waves::Gaps::pixels);
  const lacuna::data::WindowSettings sliding{.length = 3, .stride = 1};
  std::vector<std::uint8_t> mask(f.values.size(), 0);
  for (int t = 0; t < 12; ++t) mask[f.index(t, 5, 5, 0)] = 1;
  const lacuna::train::Samples samples(f, sliding, {lacuna::baseline::BackgroundKind::none, f, sliding, {}});
  const std::vector<float> truth(f.values.size(), 0.0f);
  const auto windows = lacuna::baseline::windows_to_score({f, truth, mask, sliding});
  std::vector<int> frames;
  for (const auto& value : withheld_values(samples, {truth, mask}, windows))
    frames.push_back(static_cast<int>(value.at / f.frame_size()));
  std::vector<int> each(12);
  for (int t = 0; t < 12; ++t) each[static_cast<std::size_t>(t)] = t;
  CHECK(frames == each);
}
