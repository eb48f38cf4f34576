#include "lacuna/physics/shallow_water.hpp"

#include <algorithm>
#include <numbers>

#include "catch.hpp"

using namespace lacuna;
using namespace lacuna::physics;

namespace {

/// A basin's energy: sum of (H (u^2 + v^2) + g h^2) / 2 over cells.
double energy(const ShallowWaterBasin& b, const ShallowWaterScheme& s, int n) {
  double sum = 0;
  for (int y = 0; y < n; ++y)
    for (int x = 0; x < n; ++x) {
      const auto i = b.at(y, x);
      sum += 0.5 * (s.depth * (b.u[i] * b.u[i] + b.v[i] * b.v[i]) + s.gravity * b.h[i] * b.h[i]);
    }
  return sum;
}

double volume(const ShallowWaterBasin& b, int n) {
  double sum = 0;
  for (int y = 0; y < n; ++y)
    for (int x = 0; x < n; ++x) sum += b.h[b.at(y, x)];
  return sum;
}

}  // namespace

TEST_CASE("One step of a single raised cell, by hand") {
  constexpr int n = 3;
  ShallowWaterBasin b(n);
  b.h[b.at(1, 1)] = 1;
  const ShallowWaterScheme s{.gravity = 10, .depth = 100, .coriolis = 0.01, .spacing = 1000, .step = 10};
  b.advance(s);
  // u: g dh/dx dt = 10 / 1000 * 10 = 0.1 away from the hump.
  CHECK(b.u[b.at(1, 1)] == Approx(0.1));
  CHECK(b.u[b.at(1, 0)] == Approx(-0.1));
  CHECK(b.u[b.at(0, 1)] == 0);
  // v: the same and -f dt times the mean of four new u: of (u(1,1) + u(2,1) + u(1,0) + u(2,0)) / 4 = 0.
  CHECK(b.v[b.at(1, 1)] == Approx(0.1));
  CHECK(b.v[b.at(0, 1)] == Approx(-0.1));
  CHECK(b.v[b.at(1, 0)] == Approx(-0.1 * 0.25 * -0.1));  // beside the hump: u(1,0) alone
  // h: -H dt / dx (0.1 + 0.1 + 0.1 + 0.1) = -0.4 of the hump.
  CHECK(b.h[b.at(1, 1)] == Approx(0.6));
  // No flow through the walls.
  for (int i = 0; i < n; ++i) {
    CHECK(b.u[b.at(i, n - 1)] == 0);
    CHECK(b.v[b.at(n - 1, i)] == 0);
  }
}

TEST_CASE("Volume is conserved, energy bounded") {
  constexpr int n = 16;
  ShallowWaterBasin b(n);
  for (int y = 0; y < n; ++y)
    for (int x = 0; x < n; ++x) b.h[b.at(y, x)] = std::exp(-0.1 * ((x - 5) * (x - 5) + (y - 9) * (y - 9)));
  const ShallowWaterScheme s{.gravity = 9, .depth = 140};
  const double water = volume(b, n), start = energy(b, s, n);
  for (int t = 0; t < 2000; ++t) {
    b.advance(s);
    REQUIRE(energy(b, s, n) < 1.5 * start);  // forward-backward conserves a form that differs by the order of dt
  }
  CHECK(energy(b, s, n) > 0.6 * start);
  CHECK(volume(b, n) == Approx(water).epsilon(1e-12));
}

TEST_CASE("A standing wave without rotation has the frequency of the scheme's dispersion relation") {
  constexpr int n = 20;
  ShallowWaterBasin b(n);
  const double k = std::numbers::pi / n;  // the longest wave between two walls, in cells
  for (int y = 0; y < n; ++y)
    for (int x = 0; x < n; ++x) b.h[b.at(y, x)] = std::cos(k * (x + 0.5));
  const ShallowWaterScheme s{.gravity = 8, .depth = 120, .coriolis = 0};
  // sin(omega dt / 2) = sqrt(gH) dt / dx sin(k dx / 2); h alone obeys the two-step form, so h_n = cos(omega (n + 1/2) dt) /
  // cos(omega dt / 2).
  const double omega = 2 * std::asin(std::sqrt(s.gravity * s.depth) * s.step / s.spacing * std::sin(0.5 * k));
  for (int t = 1; t <= 100; ++t) {
    b.advance(s);
    const double expected = std::cos(omega * (t + 0.5)) / std::cos(0.5 * omega);
    for (int x = 0; x < n; ++x) CHECK(b.h[b.at(7, x)] == Approx(expected * std::cos(k * (x + 0.5))).margin(1e-11));
  }
}

TEST_CASE("A sample: water at rest, one to three humps, parameters in their ranges") {
  const ShallowWater set;
  const auto d = set.description();
  constexpr std::size_t plane = 32 * 32, frames = 50;
  double low = 1e9, high = 0;
  for (std::uint64_t i = 0; i < 20; ++i) {
    const Sample s = set.make(2, i);
    REQUIRE(s.values.size() == d.values());
    REQUIRE(s.parameters.size() == 2);
    CHECK((s.parameters[0] >= 5 && s.parameters[0] < 10));
    CHECK((s.parameters[1] >= 50 && s.parameters[1] < 150));
    low = std::min(low, s.parameters[1]);
    high = std::max(high, s.parameters[1]);
    for (const std::size_t v : {1U, 2U}) {
      const double* first = s.values.data() + v * frames * plane;
      CHECK(std::all_of(first, first + plane, [](double x) { return x == 0; }));
      CHECK(std::any_of(first + plane, first + 2 * plane, [](double x) { return x != 0; }));
    }
    const double top = *std::max_element(s.values.begin(), s.values.begin() + plane);
    CHECK((top > 1 && top < 24));
  }
  CHECK(low < 80);
  CHECK(high > 120);
  CHECK(set.make(2, 0).values == set.make(2, 0).values);
  CHECK(set.make(2, 0).values != set.make(2, 1).values);
  CHECK(set.make(2, 0).values != set.make(3, 0).values);
}

TEST_CASE("Shallow water: settings are checked") {
  CHECK_THROWS_AS(ShallowWater({.size = 2}), OptionError);
  CHECK_THROWS_AS(ShallowWater({.scheme = {.step = 600}}), OptionError);
  CHECK_THROWS_AS(ShallowWaterBasin(2), OptionError);
}
