#include "lacuna/model/calibration.hpp"

#include "catch.hpp"
#include "support/waves.hpp"

using namespace lacuna;
using namespace lacuna::model;
using Kind = MeanContexts;

namespace {

double normal(std::uint64_t sample, std::uint64_t k = 0) {
  return static_cast<double>(normals(philox(philox_key(3, Purpose::noise), sample, k))[0]);
}

/// Windows of three frames with a few withheld values each, all of kind 0.
EnsembleValues values_in(const train::Samples& samples, int per_window, int members) {
  EnsembleValues all;
  all.members = members;
  for (std::size_t w = 0; w < samples.starts().size(); ++w)
    for (int i = 0; i < per_window; ++i) {
      EnsembleValue v;
      v.at = samples.fields().frame_size() * static_cast<std::size_t>(samples.starts()[w]) + static_cast<std::size_t>(7 * i);
      v.window = static_cast<int>(w);
      all.values.push_back(v);
    }
  return all;
}

/// Members scatter by `between` about a centre, the truth by `beyond` about the same; every member is kept.
void draw(EnsembleValues& all, double between, double beyond) {
  for (std::size_t i = 0; i < all.values.size(); ++i) {
    auto& v = all.values[i];
    v.truth = beyond * normal(i);
    v.kept = static_cast<std::ptrdiff_t>(i);
    for (int k = 0; k < all.members; ++k) {
      const double x = between * normal(i, static_cast<std::uint64_t>(k + 1));
      add_member(v, x, 0.0, k + 1);
      all.member_background.push_back(static_cast<float>(x));
      all.member_anomaly.push_back(0.0f);
    }
    v.var_background /= all.members - 1;
    v.all_background = 3.0;  // the mask itself is a bad context here
  }
}

data::Fields series(int frames) { return waves::make(frames, 1, waves::Gaps::pixels); }

}  // namespace

TEST_CASE("of each kind of gap the folds share no window, and both have some") {
  const auto fields = series(24);
  const train::Samples samples(fields, {}, {});
  auto all = values_in(samples, 5, 3);
  for (auto& v : all.values)  // lost planes in the first windows alone
    if (v.window < 2 && v.at % 2 == 1) v.kind = 1;
  const auto folds = two_folds(all.values, 3);
  for (std::size_t kind = 0; kind < 2; ++kind) {
    int last_of_first = -1, first_of_second = 1000;
    for (std::size_t i = 0; i < folds.size(); ++i) {
      if (all.values[i].kind != kind) continue;
      if (folds[i] == 0)
        last_of_first = std::max(last_of_first, all.values[i].window);
      else
        first_of_second = std::min(first_of_second, all.values[i].window);
    }
    CHECK(last_of_first >= 0);
    CHECK(first_of_second < 1000);
    CHECK(last_of_first < first_of_second);
  }
}

TEST_CASE("a single window is cut in half, and nothing stays nothing") {
  const auto fields = series(3);
  const train::Samples samples(fields, {}, {});
  const auto all = values_in(samples, 6, 3);
  CHECK(two_folds(all.values, 2) == std::vector<std::uint8_t>{0, 0, 0, 1, 1, 1});
  CHECK(two_folds({}, 2).empty());
}

TEST_CASE("the better contexts of the mean are taken, unless they are given") {
  const auto fields = series(24);
  const train::Samples samples(fields, {}, {});
  auto all = values_in(samples, 50, 5);
  draw(all, 0.1, 1.0);
  CHECK_FALSE(fit_calibration(all.values, 5, Kind::automatic, 2).all);
  CHECK_FALSE(fit_calibration(all.values, 5, Kind::policy, 2).all);
  const auto all_observed = fit_calibration(all.values, 5, Kind::all, 2);
  CHECK(all_observed.all);
  CHECK(all_observed.nmse > 5.0);
  CHECK(all_observed.members == 5);
  for (auto& v : all.values) v.all_background = v.truth;
  CHECK(fit_calibration(all.values, 5, Kind::automatic, 2).all);
}

TEST_CASE("a spread fitted to one half of the windows covers the other as it says; members that agree too much do not") {
  const auto fields = series(48);
  const train::Samples samples(fields, {}, {});
  auto all = values_in(samples, 400, 8);
  draw(all, 0.3, 1.0);
  const auto trust = cross_validate(all, Kind::automatic, 2);
  CHECK(trust.spread.count() == all.values.size());
  CHECK(trust.ensemble.count() == all.values.size());
  CHECK(trust.spread.coverage(0) == Approx(0.5).margin(0.02));  // 6400 values: standard error 0.6 %
  CHECK(trust.spread.coverage(1) == Approx(0.9).margin(0.015));
  CHECK(trust.spread.scale() == Approx(1.0).epsilon(0.04));
  CHECK(trust.ensemble.coverage(0.9) == Approx(0.6964).margin(0.015));  // 1 - 0.9 * integral of phi(x) Phi(x / 0.3)^8
  CHECK(trust.ensemble.ranks().front() > 2.0 * static_cast<double>(all.values.size()) / 9);
  CHECK(trust.spread.crps() < trust.ensemble.crps());
}

TEST_CASE("scores are honest: errors that grow from the first half to the second are not covered") {
  const auto fields = series(48);
  const train::Samples samples(fields, {}, {});
  auto all = values_in(samples, 400, 4);
  draw(all, 0.1, 1.0);
  for (auto& v : all.values) v.truth *= v.window < 8 ? 0.2 : 1.0;
  const auto trust = cross_validate(all, Kind::automatic, 2);
  CHECK(trust.spread.coverage(1) < 0.75);  // all but none of the wide half, all of the narrow one
  CHECK(trust.spread.coverage(1) > 0.55);
}

TEST_CASE("the error that is reported is of values that nothing was fitted to") {
  // A learned part that is right in the first half and wrong in the second: each half's weight is the other's mistake.
  const auto fields = series(48);
  const train::Samples samples(fields, {}, {});
  auto all = values_in(samples, 100, 4);
  for (std::size_t i = 0; i < all.values.size(); ++i) {
    auto& v = all.values[i];
    v.truth = normal(i);
    v.all_anomaly = v.window < 8 ? v.truth : -v.truth;
  }
  const double fitted = fit_calibration(all.values, 4, Kind::all, 2).nmse;
  const auto trust = cross_validate(all, Kind::all, 2);
  double squares = 0, second = 0;
  for (const auto& v : all.values) {
    squares += v.truth * v.truth;
    second += v.window < 8 ? 0.0 : v.truth * v.truth;
  }
  CHECK(fitted <= squares / 1600 + 1e-12);
  // Weight 0 from the second half: the first is left as it is; weight 1 from the first: the second is twice as wrong.
  CHECK(trust.spread.mse() == Approx((squares - second + 4 * second) / 1600));
}

TEST_CASE("members needed: for the mean by Theorem 2, and none of it where the mask itself is the context") {
  const auto fields = series(96);
  const train::Samples samples(fields, {}, {});
  auto all = values_in(samples, 400, 10);
  draw(all, 0.5, 1.0);  // error of K members: 1 + 0.25 / K; a fiftieth of 1 from K = 12.5 on
  auto c = fit_calibration(all.values, 10, Kind::policy, 2);
  CHECK(members_needed(all, c).mean == Approx(12.5).epsilon(0.06));
  c.all = true;
  CHECK(members_needed(all, c).mean == 0);
}

TEST_CASE("members needed: as many as the share of the spread that follows them asks for") {
  const auto fields = series(24);
  const train::Samples samples(fields, {}, {});
  auto all = values_in(samples, 50, 10);
  draw(all, 0.5, 1.0);
  Calibration c{.all = true, .members = 10, .weights = {0, 0}, .spread = {{2.0, 0.0}, {}}};
  CHECK(members_needed(all, c).spread == Approx(13.5));
  CHECK(members_needed(all, c).count() == 14);
  c.spread[0] = {0.0, 1.0};  // the members are not listened to
  CHECK(members_needed(all, c).spread == 0);
  CHECK(members_needed(all, c).count() == MembersNeeded::least);
}

TEST_CASE("the loss of a spread from few members is what the number of members is chosen by") {
  // A normal law whose variance is that of K of its own draws, against the law itself.
  constexpr int members = 14;
  constexpr std::uint64_t trials = 40000;
  double loss = 0;
  for (std::uint64_t i = 0; i < trials; ++i) {
    double sum = 0, squares = 0;
    for (std::uint64_t k = 0; k < members; ++k) {
      const double x = normal(i, k);
      sum += x;
      squares += x * x;
    }
    const double spread = std::sqrt((squares - sum * sum / members) / (members - 1));
    // The expected score of N(0, s^2) on N(0, 1).
    const double score =
        std::sqrt(2.0 / std::acos(-1.0)) * std::sqrt(1.0 + spread * spread) - spread / std::sqrt(std::acos(-1.0));
    loss += (score * std::sqrt(std::acos(-1.0)) - 1.0) / trials;
  }
  CHECK(loss == Approx(1.0 / (8.0 * (members - 1))).epsilon(0.15));
}
