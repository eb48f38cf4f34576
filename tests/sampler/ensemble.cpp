#include "lacuna/sampler/ensemble.hpp"

#include <limits>
#include <vector>

#include "catch.hpp"
#include "lacuna/core/philox.hpp"

using lacuna::sampler::RunningMoments;

TEST_CASE("moments of a hand case") {
  RunningMoments moments(2);
  const float members[3][2] = {{1, 5}, {2, 5}, {6, 5}};
  for (const auto& member : members) moments.add([&](std::size_t i) { return member[i]; });
  CHECK(moments.count() == 3);
  CHECK(moments.mean()[0] == Approx(3.0));
  CHECK(moments.deviation(0) == Approx(std::sqrt(7.0)));
  CHECK(moments.deviation(1) == 0.0f);
}

TEST_CASE("one member has no spread") {
  RunningMoments moments(1);
  moments.add([](std::size_t) { return 4.0f; });
  CHECK(moments.mean()[0] == 4.0f);
  CHECK(moments.deviation(0) == 0.0f);
}

TEST_CASE("a large mean does not swallow the spread") {
  RunningMoments moments(1);
  double sum = 0, squares = 0;
  constexpr int members = 400;
  const auto key = lacuna::philox_key(1, lacuna::Purpose::noise);
  std::vector<double> all;
  for (int k = 0; k < members; ++k) {
    const float x = 1000.0f + lacuna::normals(lacuna::philox(key, 0, static_cast<std::uint64_t>(k)))[0];
    moments.add([x](std::size_t) { return x; });
    all.push_back(static_cast<double>(x));
    sum += static_cast<double>(x);
  }
  for (const double x : all) squares += (x - sum / members) * (x - sum / members);
  CHECK(static_cast<double>(moments.deviation(0)) == Approx(std::sqrt(squares / (members - 1))).epsilon(1e-3));
}

TEST_CASE("a member that is not a number shows in its element alone") {
  RunningMoments moments(2);
  moments.add([](std::size_t i) { return i == 0 ? std::numeric_limits<float>::quiet_NaN() : 1.0f; });
  moments.add([](std::size_t) { return 3.0f; });
  CHECK(std::isnan(moments.mean()[0]));
  CHECK(moments.mean()[1] == 2.0f);
}

TEST_CASE("reset starts anew") {
  RunningMoments moments(1);
  moments.add([](std::size_t) { return 9.0f; });
  moments.reset(3);
  CHECK(moments.count() == 0);
  CHECK(moments.mean().size() == 3);
  CHECK(moments.mean()[0] == 0.0f);
}
