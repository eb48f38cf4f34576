#include "lacuna/physics/advection.hpp"

#include <functional>

#include "catch.hpp"
#include "support/compare.hpp"
#include "support/fill.hpp"

using namespace lacuna;
using namespace lacuna::physics;

namespace {

constexpr double pi = std::numbers::pi;

/// f on the n x n points of [-1, 1)^2.
std::vector<double> on_grid(int n, const std::function<double(double, double)>& f) {
  std::vector<double> out;
  for (int y = 0; y < n; ++y)
    for (int x = 0; x < n; ++x) out.push_back(f(-1 + 2.0 * x / n, -1 + 2.0 * y / n));
  return out;
}

std::span<const double> frame(const Sample& s, int t, int n) {
  const auto cells = static_cast<std::size_t>(n * n);
  return std::span(s.values).subspan(static_cast<std::size_t>(t) * cells, cells);
}

}  // namespace

TEST_CASE("A shift by whole cells moves the values of any field") {
  constexpr int n = 6;
  const auto start = test::normals<double>(n * n, 1);
  const auto moved = advect(start, n, {1, -2}, n, std::vector<double>{1, 2});  // one cell along x, minus two along y
  for (int t = 1; t <= 2; ++t)
    for (int y = 0; y < n; ++y)
      for (int x = 0; x < n; ++x)
        CHECK(moved[static_cast<std::size_t>((t - 1) * n * n + y * n + x)] ==
              Approx(start[static_cast<std::size_t>((y + 2 * t) % n * n + (x - t + n) % n)]).margin(1e-13));
}

TEST_CASE("A smooth field is moved exactly, between the grid points too") {
  const int n = GENERATE(11, 16);
  const auto f = [](double x, double y) { return std::sin(pi * (2 * x - y)) + 0.5 * std::cos(pi * (x + 3 * y)) + 0.25; };
  const std::array<double, 2> a{0.37, -0.81};
  const std::vector<double> times{0, 0.123, 1, 17};
  const auto moved = advect(on_grid(n, f), n, a, 2, times);
  for (std::size_t t = 0; t < times.size(); ++t) {
    const auto expected = on_grid(n, [&](double x, double y) { return f(x - a[0] * times[t], y - a[1] * times[t]); });
    const std::vector<double> given(moved.begin() + static_cast<std::ptrdiff_t>(t) * n * n,
                                    moved.begin() + static_cast<std::ptrdiff_t>(t + 1) * n * n);
    CHECK(test::relative_difference(given, expected) < 1e-13);
  }
}

TEST_CASE("The real field stays real: the highest wavenumber keeps its cosine") {
  constexpr int n = 8;
  const auto checks = on_grid(n, [](double x, double) { return std::cos(4 * pi * (x + 1)); });
  const auto moved = advect(checks, n, {1, 0}, 2, std::vector<double>{1.0 / 12});
  for (std::size_t i = 0; i < moved.size(); ++i) CHECK(moved[i] == Approx(0.5 * checks[i]).margin(1e-14));
}

TEST_CASE("A sample is a field within [-1, 1] that moves with its velocity, and every frame tells the first") {
  const Advection set;
  const Sample s = set.make(3, 5);
  const auto d = set.description();
  REQUIRE(s.values.size() == d.values());
  REQUIRE(d.time.size() == 50);
  CHECK(d.time.back() == 1);
  REQUIRE(s.parameters.size() == 2);
  double largest = 0;
  for (const double u : frame(s, 0, 32)) largest = std::max(largest, std::abs(u));
  CHECK(largest == Approx(1).epsilon(1e-12));
  for (const double a : s.parameters) CHECK(std::abs(a) <= 1);
  for (const int t : {1, 20, 49}) {
    const auto back = advect(frame(s, t, 32), 32, {s.parameters[0], s.parameters[1]}, 2,
                             std::vector<double>{-d.time[static_cast<std::size_t>(t)]});
    CHECK(test::relative_difference(back, std::vector<double>(frame(s, 0, 32).begin(), frame(s, 0, 32).end())) < 1e-12);
  }
}

TEST_CASE("The initial field has wavenumbers up to five, falling as k^-2") {
  const Advection set({.size = 16, .frames = 2});
  constexpr int n = 16;
  PlaneFft fft(n);
  ComplexPlane space(n), spectrum(n);
  double power[2] = {0, 0};
  for (std::uint64_t i = 0; i < 200; ++i) {
    const Sample s = set.make(1, i);
    std::copy_n(s.values.begin(), n * n, space.re.begin());
    fft.to_spectrum(space, spectrum);
    double outside = 0;
    for (int y = 0, at = 0; y < n; ++y)
      for (int x = 0; x < n; ++x, ++at) {
        const double k = std::hypot(wavenumber(x, n), wavenumber(y, n));
        if (k > 5 || k == 0) outside = std::max(outside, std::abs(spectrum.re[static_cast<std::size_t>(at)]));
      }
    CHECK(outside < 1e-15);
    for (const int k : {1, 4}) {
      const auto at = static_cast<std::size_t>(k);
      power[k / 4] += spectrum.re[at] * spectrum.re[at] + spectrum.im[at] * spectrum.im[at];
    }
  }
  CHECK(std::log2(power[0] / power[1]) == Approx(8).margin(0.7));  // (4^2)^2 = 2^8; four standard errors of 200 samples
}

TEST_CASE("Samples depend on seed and index") {
  const Advection set({.size = 12, .frames = 2});
  CHECK(set.make(1, 2).values == set.make(1, 2).values);
  CHECK(set.make(1, 2).values != set.make(1, 3).values);
  CHECK(set.make(1, 2).values != set.make(2, 2).values);
}

TEST_CASE("Advection: settings are checked") {
  CHECK_THROWS_AS(Advection({.size = 10}), OptionError);
  CHECK_THROWS_AS(Advection({.frames = 1}), OptionError);
  CHECK_THROWS_AS(advect(std::vector<double>(15), 4, {0, 0}, 2, std::vector<double>{0}), ShapeError);
}
