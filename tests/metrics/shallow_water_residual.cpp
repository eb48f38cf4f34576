#include "lacuna/metrics/shallow_water_residual.hpp"

#include "../data/scratch.hpp"
#include "catch.hpp"
#include "lacuna/physics/sample_file.hpp"
#include "support/fill.hpp"

using namespace lacuna;
using metrics::shallow_water_residual;
using physics::Sample;
using physics::ShallowWater;
using physics::ShallowWaterScheme;

TEST_CASE("A wrong value in the middle of 3 x 3 cells, by hand") {
  const ShallowWaterScheme s{.gravity = 10, .depth = 100, .coriolis = 0.5, .spacing = 100, .step = 10};
  std::vector<double> values(3 * 2 * 9, 0.0);
  CHECK(shallow_water_residual(values, 2, 3, s) == 0);
  const auto set = [&](int variable, int frame, double value) {
    values[static_cast<std::size_t>((variable * 2 + frame) * 9 + 4)] = value;
  };
  set(0, 1, 3);  // h of the second frame: r = 3 / 10 in its own equation
  CHECK(shallow_water_residual(values, 2, 3, s) == Approx(0.09 / 3));
  set(0, 1, 0);
  set(1, 1, 2);  // u of the second frame: 2 / 10 in u, f u / 4 in v, H u / dx in h
  CHECK(shallow_water_residual(values, 2, 3, s) == Approx((0.04 + 0.25 * 0.25 + 4) / 3));
  set(1, 1, 0);
  set(2, 0, 2);  // v of the first frame: f v / 4 in u, 2 / 10 in v
  CHECK(shallow_water_residual(values, 2, 3, s) == Approx((0.25 * 0.25 + 0.04) / 3));
}

TEST_CASE("What the generator makes obeys the scheme to rounding, read back from a file too") {
  const ShallowWater set;
  const Scratch scratch;
  auto file = physics::SampleFile::open_or_create(scratch / "s.nc", set.description(), 3, 1);
  for (std::size_t i = 0; i < 3; ++i) file.write(i, set.make(1, i));
  for (std::size_t i = 0; i < 3; ++i) {
    const Sample s = file.read(i);
    const ShallowWaterScheme scheme = set.scheme(s.parameters[0], s.parameters[1]);
    CHECK(shallow_water_residual(s.values, 50, 32, scheme) < 1e-30);
    CHECK(shallow_water_residual(s.values, 50, 32, set.scheme(s.parameters[0] * 1.01, s.parameters[1])) > 1e-14);
    std::vector<double> rounded;
    for (const double x : s.values) rounded.push_back(static_cast<double>(static_cast<float>(x)));
    const double single = shallow_water_residual(rounded, 50, 32, scheme);
    CHECK((single > 1e-21 && single < 1e-17));
  }
}

TEST_CASE("NaN shows, and sizes are checked") {
  std::vector<double> values(3 * 2 * 9, 0.0);
  values[4] = test::nan<double>;
  CHECK(std::isnan(shallow_water_residual(values, 2, 3, {})));
  CHECK_THROWS_AS(shallow_water_residual(values, 1, 3, {}), ShapeError);
  const int too_large = GENERATE(4);  // not known to the compiler, which would warn of what the check prevents
  CHECK_THROWS_AS(shallow_water_residual(values, 2, too_large, {}), ShapeError);
}
