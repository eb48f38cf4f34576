#include "lacuna/physics/turbulence.hpp"

#include <set>

#include "catch.hpp"

using namespace lacuna;
using namespace lacuna::physics;

namespace {

/// Small enough for a test.
TurbulenceSettings small(TurbulenceSettings s) {
  s.flow.size = 32;
  s.flow.viscosity = 0.02;
  s.kept = 16;
  s.warm_up = 0.1;
  s.frames = 4;
  return s;
}

}  // namespace

TEST_CASE("The sets are those of the paper") {
  const TurbulenceSettings k = kolmogorov();
  CHECK(k.flow.viscosity == 1e-3);
  CHECK(k.flow.drag == 0.1);
  CHECK(k.flow.forcing == 1);
  CHECK(k.flow.forcing_wavenumber == 4);
  CHECK(k.peak_low == 4);
  CHECK(k.peak_high == 4);
  const auto d = Turbulence(k).description();
  CHECK(d.values() == 100 * 64 * 64);
  CHECK(d.time.front() == 4.5);
  CHECK(d.time[1] == Approx(4.555));
  CHECK(d.x[0] == Approx(0.5 * 2 * std::numbers::pi / 128));
  CHECK(decaying().flow.drag == 0);
  CHECK(decaying().flow.forcing == 0);
  CHECK(decaying().peak_high > decaying().peak_low);
}

TEST_CASE("The initial flow has its largest speed, and most of its energy near the peak") {
  const int peak = GENERATE(3, 6);
  VorticitySolver solver({.size = 96});
  double shells[32] = {};
  for (std::uint64_t sample = 0; sample < 20; ++sample) {
    set_random_flow(solver, peak, 5, philox_key(1, Purpose::generate), sample);
    CHECK(solver.largest_speed() == Approx(5));
    const ComplexPlane& w = solver.vorticity();
    for (int y = 0, i = 0; y < 96; ++y)
      for (int x = 0; x < 96; ++x, ++i) {
        const double k2 = std::pow(wavenumber(y, 96), 2) + std::pow(wavenumber(x, 96), 2);
        const auto at = static_cast<std::size_t>(i);
        if (k2 > 0 && k2 < 31 * 31) shells[std::lround(std::sqrt(k2))] += (w.re[at] * w.re[at] + w.im[at] * w.im[at]) / k2;
      }
  }
  const auto* top = std::max_element(std::begin(shells), std::end(shells));
  // Amplitudes follow the density over k, so the energy in a shell is its square over k: the peak lies below the density's own.
  CHECK(std::abs(static_cast<double>(top - shells) - 0.75 * peak) <= 1.5);
}

TEST_CASE("A sample is finite, moves, and depends on seed and index alone") {
  const Turbulence set(small(GENERATE(kolmogorov(), decaying())));
  const Sample s = set.make(1, 0);
  REQUIRE(s.values.size() == 4 * 16 * 16);
  for (const double x : s.values) CHECK(std::isfinite(x));
  double moved = 0, size = 0;
  for (std::size_t i = 0; i < 256; ++i) {
    moved += std::pow(s.values[3 * 256 + i] - s.values[i], 2);
    size += std::pow(s.values[i], 2);
  }
  CHECK(moved > 0.01 * size);
  CHECK(moved < 4 * size);
  CHECK(set.make(1, 0).values == s.values);
  CHECK(set.make(1, 1).values != s.values);
  CHECK(set.make(2, 0).values != s.values);
}

TEST_CASE("A finer grid solves the same flow") {
  const auto solved = [](int n) {
    VorticitySolver solver({.size = n, .viscosity = 0.02, .drag = 0.1, .forcing = 1});
    set_random_flow(solver, 4, 5, philox_key(1, Purpose::generate), 3);
    for (int i = 0; i < 4; ++i) solver.advance(0.05);
    return solver.vorticity();
  };
  const ComplexPlane coarse = solved(64), fine = solved(96);
  double difference = 0, size = 0;
  for (int ky = -12; ky <= 12; ++ky)
    for (int kx = -12; kx <= 12; ++kx) {
      const auto c = static_cast<std::size_t>((ky + 64) % 64 * 64 + (kx + 64) % 64);
      const auto f = static_cast<std::size_t>((ky + 96) % 96 * 96 + (kx + 96) % 96);
      difference += std::pow(coarse.re[c] - fine.re[f], 2) + std::pow(coarse.im[c] - fine.im[f], 2);
      size += std::pow(fine.re[f], 2) + std::pow(fine.im[f], 2);
    }
  CHECK(std::sqrt(difference / size) < 0.02);  // the largest speed, by which both are scaled, is found on grids that differ
}

TEST_CASE("Peak wavenumbers of decaying flows take all their values") {
  TurbulenceSettings s = small(decaying());
  s.warm_up = 0;
  s.frames = 1;
  const Turbulence set(s);
  std::set<double> seen;
  for (std::uint64_t i = 0; i < 60; ++i) seen.insert(set.make(1, i).parameters[0]);
  CHECK(seen == std::set<double>{3, 4, 5, 6, 7, 8});
}

TEST_CASE("Turbulence: settings are checked") {
  TurbulenceSettings s = kolmogorov(32);
  CHECK_THROWS_AS(Turbulence(s), OptionError);  // 64 cells cannot be kept of 32
  s.kept = 32;
  s.frames = 0;
  CHECK_THROWS_AS(Turbulence(s), OptionError);
  s.frames = 1;
  s.peak_low = 5;
  CHECK_THROWS_AS(Turbulence(s), OptionError);
}
