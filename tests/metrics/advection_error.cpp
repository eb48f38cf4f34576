#include "lacuna/metrics/advection_error.hpp"

#include "catch.hpp"

using namespace lacuna;
using metrics::advection_error;

TEST_CASE("The true first frame, propagated, meets every frame; a wrong one keeps its error") {
  const physics::Advection set;
  const auto d = set.description();
  for (std::uint64_t i = 0; i < 5; ++i) {
    const auto s = set.make(2, i);
    const std::array<double, 2> a{s.parameters[0], s.parameters[1]};
    std::vector<double> first(s.values.begin(), s.values.begin() + 32 * 32);
    CHECK(advection_error(first, s.values, 32, a, d.time) < 1e-25);
    CHECK(advection_error(first, s.values, 32, {-a[0], a[1]}, d.time) > 1e-4);
    for (double& x : first) x += 0.5;  // a constant is moved onto itself
    CHECK(advection_error(first, s.values, 32, a, d.time) == Approx(0.25));
    for (double& x : first) x -= 0.5;
    first[77] += 3;  // a smooth solver would lose some of it; the shift keeps its square but for the highest wavenumber's sine
    CHECK(advection_error(first, s.values, 32, a, d.time) == Approx(9.0 / 1024).epsilon(0.05));
  }
}

TEST_CASE("Sizes are checked") {
  const std::vector<double> field(16), times{0, 1};
  CHECK_THROWS_AS(advection_error(field, field, 4, {0, 0}, times), ShapeError);
  CHECK_THROWS_AS(advection_error(field, std::vector<double>(18), 3, {0, 0}, times), ShapeError);
}
