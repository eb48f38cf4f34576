#include "lacuna/sampler/ensemble.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "catch.hpp"
#include "support/compare.hpp"
#include "support/fill.hpp"
#include "support/tolerances.hpp"

using lacuna::sampler::Member;
using lacuna::sampler::RunningMoments;

namespace {

/// Members whose values are all background.
void add(RunningMoments& moments, const std::vector<float>& values) {
  const std::vector<float> none(values.size(), 0.0f);
  moments.add({values.data(), none.data(), none.data()});
}

}  // namespace

TEST_CASE("moments of a hand case") {
  RunningMoments moments(2);
  for (const float first : {1.0f, 2.0f, 6.0f}) add(moments, {first, 5.0f});
  CHECK(moments.count() == 3);
  CHECK(moments.mean()[0] == Approx(3.0));
  CHECK(moments.deviation(0) == Approx(std::sqrt(7.0)));
  CHECK(moments.deviation(1) == 0.0f);
}

TEST_CASE("a member is its background and the weighted anomaly") {
  RunningMoments moments(2);
  const float background[] = {1.0f, 2.0f}, anomaly[] = {10.0f, 20.0f}, weight[] = {0.0f, 0.5f};
  moments.add({background, anomaly, weight});
  CHECK(moments.mean() == std::vector<float>{1.0f, 12.0f});
}

TEST_CASE("one member has no spread") {
  RunningMoments moments(1);
  add(moments, {4.0f});
  CHECK(moments.mean()[0] == 4.0f);
  CHECK(moments.deviation(0) == 0.0f);
}

TEST_CASE("a large mean does not swallow the spread") {
  RunningMoments moments(1);
  auto members = lacuna::test::normals<float>(400, 1);
  double sum = 0, squares = 0;
  for (float& x : members) {
    x += 1000.0f;
    add(moments, {x});
    sum += static_cast<double>(x);
  }
  const double n = static_cast<double>(members.size()), mean = sum / n;
  for (const float x : members) squares += (static_cast<double>(x) - mean) * (static_cast<double>(x) - mean);
  CHECK(static_cast<double>(moments.deviation(0)) == Approx(std::sqrt(squares / (n - 1))).epsilon(1e-3));
}

TEST_CASE("the vector update agrees with the plain one, to its end and no further") {
  using namespace lacuna;
  for (const std::size_t size : {1u, 15u, 16u, 77u}) {
    test::Guarded<float> mean(test::normals<float>(size, 1)), squares(test::normals<float>(size, 2));
    auto plain_mean = mean.content(), plain_squares = squares.content();
    const auto background = test::normals<float>(size, 3), anomaly = test::normals<float>(size, 4),
               weight = test::normals<float>(size, 5);
    const Member member{background.data(), anomaly.data(), weight.data()};
    sampler::add_member(member, 0.25f, mean.data(), squares.data(), size);
    sampler::add_member_plain(member, 0.25f, plain_mean.data(), plain_squares.data(), size);
    CHECK((mean.intact() && squares.intact()));
    CHECK(test::relative_difference(mean.content(), plain_mean) < test::tolerance::vector_against_plain);
    CHECK(test::relative_difference(squares.content(), plain_squares) < test::tolerance::vector_against_plain);
  }
}

TEST_CASE("a member that is not a number shows in its element alone") {
  RunningMoments moments(2);
  add(moments, {std::numeric_limits<float>::quiet_NaN(), 1.0f});
  add(moments, {3.0f, 3.0f});
  CHECK(std::isnan(moments.mean()[0]));
  CHECK(moments.mean()[1] == 2.0f);
}

TEST_CASE("reset starts anew") {
  RunningMoments moments(1);
  add(moments, {9.0f});
  moments.reset(3);
  CHECK(moments.count() == 0);
  CHECK(moments.mean().size() == 3);
  CHECK(moments.mean()[0] == 0.0f);
}
