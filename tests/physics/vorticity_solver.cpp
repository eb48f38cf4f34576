#include "lacuna/physics/vorticity_solver.hpp"

#include <complex>
#include <functional>
#include <numbers>

#include "catch.hpp"
#include "lacuna/physics/random_modes.hpp"
#include "support/compare.hpp"
#include "support/fill.hpp"

using namespace lacuna;
using namespace lacuna::physics;

namespace {

/// Fourier coefficients of f on the n x n points of [0, 2 pi)^2.
ComplexPlane modes_of(int n, const std::function<double(double, double)>& f) {
  ComplexPlane space(n), spectrum(n);
  for (int y = 0, i = 0; y < n; ++y)
    for (int x = 0; x < n; ++x, ++i)
      space.re[static_cast<std::size_t>(i)] = f(2 * std::numbers::pi * x / n, 2 * std::numbers::pi * y / n);
  PlaneFft(n).to_spectrum(space, spectrum);
  return spectrum;
}

double taylor_green(double x, double y) { return 2 * 3 * std::cos(3 * x) * std::cos(3 * y); }

/// A random flow of wavenumbers up to `band` with vorticity of order one.
ComplexPlane random_flow(int n, int band = 4) {
  return random_modes(
      n, band, [](double k) { return 1 / k; }, philox_key(4, Purpose::generate), 0);
}

double energy_of_difference(const ComplexPlane& a, const ComplexPlane& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.re.size(); ++i) sum += std::norm(std::complex(a.re[i] - b.re[i], a.im[i] - b.im[i]));
  return std::sqrt(sum);
}

/// The order at which halving the step brings a solution nearer to that of a quarter.
double order_in_time(const FlowSettings& settings, double step, int steps) {
  std::vector<ComplexPlane> ends;
  for (const int finer : {1, 2, 4}) {
    VorticitySolver solver(settings);
    solver.set_vorticity(random_flow(settings.size));
    solver.advance(steps * finer, step / finer);
    ends.push_back(solver.vorticity());
  }
  return std::log2(energy_of_difference(ends[0], ends[1]) / energy_of_difference(ends[1], ends[2]));
}

}  // namespace

TEST_CASE("Velocity of a shear flow: omega = -cos(2y) is u = sin(2y) / 2") {
  VorticitySolver solver({.size = 16});
  solver.set_vorticity(modes_of(16, [](double, double y) { return -std::cos(2 * y); }));
  const ComplexPlane& u = solver.velocity();
  for (int y = 0, i = 0; y < 16; ++y)
    for (int x = 0; x < 16; ++x, ++i) {
      CHECK(u.re[static_cast<std::size_t>(i)] == Approx(0.5 * std::sin(2 * 2 * std::numbers::pi * y / 16)).margin(1e-15));
      CHECK(u.im[static_cast<std::size_t>(i)] == Approx(0).margin(1e-15));
    }
  CHECK(solver.largest_speed() == Approx(0.5));
  const EnergyBudget b = solver.budget();
  CHECK(b.energy == Approx(1.0 / 16));    // mean of sin^2 / 8
  CHECK(b.enstrophy == Approx(1.0 / 4));  // mean of cos^2 / 2
  CHECK(b.input == 0);
}

TEST_CASE("The mean and modes outside the band are dropped") {
  VorticitySolver solver({.size = 16});
  REQUIRE(solver.band() == 5);
  solver.set_vorticity(modes_of(16, [](double x, double y) { return 3 + std::cos(6 * x) + std::cos(5 * y); }));
  CHECK(test::relative_difference(solver.field(), [] {
          std::vector<double> out;
          for (int y = 0; y < 16; ++y)
            for (int x = 0; x < 16; ++x) out.push_back(std::cos(5 * 2 * std::numbers::pi * y / 16));
          return out;
        }()) < 1e-14);
}

TEST_CASE("The Taylor-Green vortex decays by viscosity and drag as exp(-(2 k^2 nu + mu) t)") {
  constexpr int n = 32, k2 = 2 * 3 * 3;
  constexpr double nu = 0.01, mu = 0.1, time = 1;
  const auto error = [&](int steps) {
    VorticitySolver solver({.size = n, .viscosity = nu, .drag = mu});
    solver.set_vorticity(modes_of(n, taylor_green));
    solver.advance(steps, time / steps);
    const ComplexPlane exact =
        modes_of(n, [&](double x, double y) { return taylor_green(x, y) * std::exp(-(k2 * nu + mu) * time); });
    return energy_of_difference(solver.vorticity(), exact) / energy_of_difference(exact, ComplexPlane(n));
  };
  const double coarse = error(10), fine = error(20);
  CHECK(fine < 1e-5);
  CHECK(coarse / fine == Approx(4).margin(0.1));  // Crank-Nicolson
}

TEST_CASE("A forced flow from rest stays laminar and reaches its balance as 1 - exp(-(nu k^2 + mu) t)") {
  constexpr int n = 16;
  VorticitySolver solver({.size = n, .viscosity = 0.02, .drag = 0.1, .forcing = 1.5, .forcing_wavenumber = 3});
  solver.set_vorticity(ComplexPlane(n));
  solver.advance(200, 0.01);
  const double rate = 0.02 * 9 + 0.1, amplitude = -1.5 * 3 / rate * (1 - std::exp(-rate * 2));
  const ComplexPlane exact = modes_of(n, [&](double, double y) { return amplitude * std::cos(3 * y); });
  CHECK(energy_of_difference(solver.vorticity(), exact) < 1e-5 * std::abs(amplitude));
}

TEST_CASE("Order in time: fourth without viscosity and drag, second with them") {
  CHECK(order_in_time({.size = 24, .viscosity = 0, .forcing = 1}, 0.1, 4) == Approx(4).margin(0.3));
  CHECK(order_in_time({.size = 24, .viscosity = 0.2, .drag = 0.3, .forcing = 1}, 0.02, 10) == Approx(2).margin(0.1));
}

TEST_CASE("Without viscosity, drag and forcing energy and enstrophy stay: products are free of aliasing") {
  // White vorticity up to the last mode of the band: aliased products would create energy at once.
  const int n = GENERATE(16, 18);
  VorticitySolver solver({.size = n, .viscosity = 0});
  solver.set_vorticity(random_flow(n, solver.band()));
  const EnergyBudget before = solver.budget();
  solver.advance(200, 0.01);
  const EnergyBudget after = solver.budget();
  CHECK(after.energy == Approx(before.energy).epsilon(1e-7));
  CHECK(after.enstrophy == Approx(before.enstrophy).epsilon(1e-7));
  CHECK(energy_of_difference(solver.vorticity(), random_flow(n, solver.band())) > 0.1);  // it did move
}

TEST_CASE("Within the band products are those of a finer grid") {
  const auto after_a_step = [](int n) {
    VorticitySolver solver({.size = n, .viscosity = 0});
    solver.set_vorticity(modes_of(n, [](double x, double y) { return std::cos(x) + std::cos(4 * y) + std::cos(5 * x + 5 * y); }));
    solver.advance(1, 1e-5);
    return solver.vorticity();
  };
  const ComplexPlane coarse = after_a_step(16), fine = after_a_step(48);
  // (5, 5) with itself, (4, 0) and (1, 0) makes modes beyond the band of 5, which 16 points alias into it unless they are cut
  // off. What the finer grid keeps of them acts back at second order in the step only.
  double made = 0;
  for (int ky = -5; ky <= 5; ++ky)
    for (int kx = -5; kx <= 5; ++kx) {
      const auto c = static_cast<std::size_t>((ky + 16) % 16 * 16 + (kx + 16) % 16);
      const auto f = static_cast<std::size_t>((ky + 48) % 48 * 48 + (kx + 48) % 48);
      INFO(ky << " " << kx);
      CHECK(std::abs(coarse.re[c] - fine.re[f]) < 1e-8);
      CHECK(std::abs(coarse.im[c] - fine.im[f]) < 1e-8);
      if (std::abs(ky) == 4 && std::abs(kx) == 1) made = std::max(made, std::hypot(coarse.re[c], coarse.im[c]));
    }
  CHECK(made > 1e-7);  // cos(x) and cos(4 y) make (1, 4)
}

TEST_CASE("The energy of the forced flow changes by input - drag - dissipation") {
  // The budget's trapezoidal integral over a time of one, less the change of energy, relative to the largest term.
  const auto gap = [](int steps) {
    VorticitySolver solver({.size = 32, .viscosity = 0.01, .drag = 0.1, .forcing = 1});
    solver.set_vorticity(random_flow(32));
    const double start = solver.budget().energy, step = 1.0 / steps;
    double integral = 0, largest = 0;
    for (int i = 0; i <= steps; ++i) {
      const EnergyBudget b = solver.budget();
      integral += (i == 0 || i == steps ? 0.5 : 1.0) * step * (b.input - b.drag - b.dissipation);
      for (const double part : {std::abs(b.input), b.drag, b.dissipation}) largest = std::max(largest, part);
      if (i < steps) solver.advance(1, step);
    }
    const double change = solver.budget().energy - start;
    CHECK(std::abs(change) > 0.1 * largest);
    return std::abs(integral - change) / largest;
  };
  const double coarse = gap(50), fine = gap(100);
  CHECK(fine < 5e-5);
  CHECK(coarse / fine == Approx(4).margin(0.2));  // second order: nothing is missing from the budget
}

TEST_CASE("advance(duration) keeps the Courant number and reaches the same flow as small steps") {
  const FlowSettings settings{.size = 32, .viscosity = 0.01};
  VorticitySolver chosen(settings), small(settings);
  for (auto* solver : {&chosen, &small}) {
    solver->set_vorticity(random_flow(32));
    solver->scale_vorticity(5 / solver->largest_speed());
  }
  for (int i = 0; i < 4; ++i) chosen.advance(0.05);
  small.advance(400, 0.2 / 400);
  CHECK(energy_of_difference(chosen.vorticity(), small.vorticity()) <
        2e-3 * energy_of_difference(small.vorticity(), ComplexPlane(32)));
}

TEST_CASE("Settings and sizes are checked; a solution that is lost is noticed") {
  CHECK_THROWS_AS(VorticitySolver({.size = 4}), OptionError);
  CHECK_THROWS_AS(VorticitySolver({.viscosity = -1}), OptionError);
  CHECK_THROWS_AS(VorticitySolver({.size = 12, .forcing = 1}), OptionError);
  CHECK_THROWS_AS(VorticitySolver({.courant = 4}), OptionError);
  VorticitySolver solver({.size = 16});
  CHECK_THROWS_AS(solver.set_vorticity(ComplexPlane(8)), ShapeError);
  ComplexPlane broken(16);
  broken.re[1] = test::nan<double>;
  solver.set_vorticity(broken);
  CHECK_THROWS_WITH(solver.advance(0.1), Catch::Matchers::Contains("no longer finite"));
}
