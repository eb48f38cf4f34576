#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/physics/plane_fft.hpp"

namespace lacuna::physics {

/// @brief What drives and damps a two-dimensional incompressible flow on the periodic square [0, 2 pi]^2.
struct FlowSettings {
  int size = 128;                ///< grid points a side that the equations are solved on
  double viscosity = 1e-3;       ///< nu
  double drag = 0;               ///< mu of the linear drag -mu u
  double forcing = 0;            ///< amplitude A of the body force (A sin(k y), 0)
  int forcing_wavenumber = 4;    ///< k
  double courant = 2;            ///< largest time step x speed x largest wavenumber; the scheme is stable up to about 3.3
  double longest_step = 0.0125;  ///< largest time step, however slow the flow
};

/// @brief Energy of a flow per unit area and mass, and what changes it: d(energy)/dt = input - drag - dissipation.
struct EnergyBudget {
  double energy = 0;       ///< mean of |u|^2 / 2
  double enstrophy = 0;    ///< mean of omega^2 / 2
  double input = 0;        ///< mean of u . f
  double drag = 0;         ///< 2 mu energy
  double dissipation = 0;  ///< 2 nu enstrophy
};

/// @brief Pseudo-spectral solver of the vorticity equation
///   d omega/dt + u . grad omega = nu laplace omega - mu omega + curl f.
///
/// Vorticity omega = dv/dx - du/dy, velocity from its stream function: u = d psi/dy, v = -d psi/dx, omega = -laplace psi.
/// Space: Fourier modes with |wavenumber| <= (n - 1) / 3 on both axes; products are taken on the grid, where what aliases falls
/// outside of these modes and is cut off (the 2/3 rule, Orszag 1971). The mean vorticity is zero.
/// Time: the five-stage fourth-order Runge-Kutta scheme with two registers of Carpenter and Kennedy (NASA TM 109112, 1994) for
/// advection and forcing; viscosity and drag by Crank-Nicolson in each stage, so that second order is reached with them.
/// Units: any consistent. NaN: spreads to the whole field. Determinism: serial, fixed order. Throws: OptionError where a setting
/// cannot be used, ShapeError for a spectrum of another size, Error when the solution is no longer finite.
class VorticitySolver {
 public:
  explicit VorticitySolver(const FlowSettings& settings)
      : settings_(checked(settings)),
        fft_(settings.size, (settings.size - 1) / 3),
        vorticity_(settings.size),
        register_(settings.size),
        rate_(settings.size),
        transformed_(settings.size),
        velocity_(settings.size),
        gradient_(settings.size) {}

  const FlowSettings& settings() const { return settings_; }
  int size() const { return settings_.size; }
  /// Largest wavenumber of the solution on each axis.
  int band() const { return fft_.band(); }

  /// The state: Fourier coefficients of the vorticity, omega(x) = sum_k vorticity(k) exp(i k . x).
  const ComplexPlane& vorticity() const { return vorticity_; }
  /// Takes a state; modes outside the band and the mean are dropped.
  void set_vorticity(const ComplexPlane& spectrum) {
    require<ShapeError>(spectrum.re.size() == vorticity_.re.size(), "vorticity solver: the spectrum has ", spectrum.re.size(),
                        " modes, expected ", vorticity_.re.size());
    for_all_modes([&](std::size_t i, int ky, int kx) {
      const bool kept = std::max(std::abs(ky), std::abs(kx)) <= band() && (ky != 0 || kx != 0);
      vorticity_.re[i] = kept ? spectrum.re[i] : 0.0;
      vorticity_.im[i] = kept ? spectrum.im[i] : 0.0;
    });
  }
  void scale_vorticity(double factor) {
    for (double& x : vorticity_.re) x *= factor;
    for (double& x : vorticity_.im) x *= factor;
  }

  /// Vorticity on the grid, (n, n): row y at 2 pi y / n.
  const std::vector<double>& field() {
    fft_.to_space(vorticity_, velocity_);
    return velocity_.re;
  }
  /// Velocity on the grid: components along x (re) and y (im).
  const ComplexPlane& velocity() {
    velocity_on_grid();
    return velocity_;
  }
  /// Largest |u| on the grid.
  double largest_speed() {
    double best = 0;
    const ComplexPlane& u = velocity();
    for (std::size_t i = 0; i < u.re.size(); ++i) best = std::max(best, std::hypot(u.re[i], u.im[i]));
    return best;
  }

  /// Advances by `duration` in equal steps, of which the flow's speed at the beginning decides how many.
  void advance(double duration) {
    double fastest = 0;  // |u| + |v|: what advection multiplies wavenumbers by, at most
    const ComplexPlane& u = velocity();
    for (std::size_t i = 0; i < u.re.size(); ++i) {
      const double here = std::abs(u.re[i]) + std::abs(u.im[i]);
      if (!(here <= fastest)) fastest = here;  // takes NaN
    }
    require(std::isfinite(fastest), "vorticity solver: the flow is no longer finite");
    const double step = std::min(settings_.longest_step, settings_.courant / std::max(1e-300, band() * fastest));
    const double steps = std::ceil(duration / step * (1 - 1e-12));
    require(steps < 1e9, "vorticity solver: a time of ", duration, " would take ", steps, " steps");
    advance(static_cast<int>(steps), duration / steps);
  }
  /// Takes `steps` steps of length `step`, whatever the speed.
  void advance(int steps, double step) {
    for (int i = 0; i < steps; ++i)
      for (std::size_t stage = 0; stage < feedback.size(); ++stage) advance_stage(stage, step);
  }

  EnergyBudget budget() const {
    EnergyBudget out;
    for_all_modes([&](std::size_t i, int ky, int kx) {
      if (ky == 0 && kx == 0) return;
      const double square = vorticity_.re[i] * vorticity_.re[i] + vorticity_.im[i] * vorticity_.im[i];
      const double k2 = static_cast<double>(ky * ky + kx * kx);
      out.energy += 0.5 * square / k2;
      out.enstrophy += 0.5 * square;
      if (forced(ky, kx)) out.input += curl_of_force() * vorticity_.re[i] / k2;
    });
    out.drag = 2 * settings_.drag * out.energy;
    out.dissipation = 2 * settings_.viscosity * out.enstrophy;
    return out;
  }

 private:
  // Carpenter and Kennedy's scheme: register = rate + feedback register; state += weight step register; stages begin at `times`.
  static constexpr std::array<double, 5> feedback{0.0, -567301805773.0 / 1357537059087.0, -2404267990393.0 / 2016746695238.0,
                                                  -3550918686646.0 / 2091501179385.0, -1275806237668.0 / 842570457699.0};
  static constexpr std::array<double, 5> weight{1432997174477.0 / 9575080441755.0, 5161836677717.0 / 13612068292357.0,
                                                1720146321549.0 / 2090206949498.0, 3134564353537.0 / 4481467310338.0,
                                                2277821191437.0 / 14882151754819.0};
  static constexpr std::array<double, 6> times{0.0,
                                               1432997174477.0 / 9575080441755.0,
                                               2526269341429.0 / 6820363962896.0,
                                               2006345519317.0 / 3224310063776.0,
                                               2802321613138.0 / 2924317926251.0,
                                               1.0};

  static FlowSettings checked(const FlowSettings& s) {
    require<OptionError>(s.size >= 8 && s.size <= 4096, "flow: size ", s.size, ", expected 8 to 4096");
    require<OptionError>(s.viscosity >= 0 && s.drag >= 0, "flow: viscosity ", s.viscosity, " and drag ", s.drag,
                         ", expected numbers not below zero");
    require<OptionError>(s.courant > 0 && s.courant <= 3 && s.longest_step > 0, "flow: Courant number ", s.courant,
                         " and longest step ", s.longest_step, ", expected above 0 (and the former at most 3)");
    require<OptionError>(s.forcing == 0 || (s.forcing_wavenumber >= 1 && s.forcing_wavenumber <= (s.size - 1) / 3),
                         "flow: forcing wavenumber ", s.forcing_wavenumber, ", expected 1 to ", (s.size - 1) / 3);
    return s;
  }

  template <class Work>
  void for_all_modes(const Work& work) const {
    const int n = settings_.size;
    for (int y = 0, i = 0; y < n; ++y)
      for (int x = 0; x < n; ++x, ++i) work(static_cast<std::size_t>(i), wavenumber(y, n), wavenumber(x, n));
  }
  /// work(index, ky, kx) for the modes of the band.
  template <class Work>
  void for_modes(const Work& work) const {
    const int n = settings_.size, band = fft_.band();
    for (int ky = -band; ky <= band; ++ky) {
      const int row = (ky < 0 ? ky + n : ky) * n;
      for (int kx = 0; kx <= band; ++kx) work(static_cast<std::size_t>(row + kx), ky, kx);
      for (int kx = -band; kx < 0; ++kx) work(static_cast<std::size_t>(row + kx + n), ky, kx);
    }
  }

  bool forced(int ky, int kx) const { return settings_.forcing != 0 && kx == 0 && std::abs(ky) == settings_.forcing_wavenumber; }
  /// The curl of (A sin(k y), 0) is -A k cos(k y): -A k / 2 in each of its two modes.
  double curl_of_force() const { return -0.5 * settings_.forcing * settings_.forcing_wavenumber; }

  /// u + i v on the grid: with psi = omega / k^2 its spectrum is i k_y psi + i (-i k_x psi) = (k_x + i k_y) psi.
  void velocity_on_grid() {
    for_modes([&](std::size_t i, int ky, int kx) {
      const double over = ky == 0 && kx == 0 ? 0.0 : 1.0 / (ky * ky + kx * kx);
      transformed_.re[i] = (kx * vorticity_.re[i] - ky * vorticity_.im[i]) * over;
      transformed_.im[i] = (kx * vorticity_.im[i] + ky * vorticity_.re[i]) * over;
    });
    fft_.to_space(transformed_, velocity_);
  }
  /// omega_x + i omega_y on the grid: its spectrum is (i k_x - k_y) omega.
  void gradient_on_grid() {
    for_modes([&](std::size_t i, int ky, int kx) {
      transformed_.re[i] = -ky * vorticity_.re[i] - kx * vorticity_.im[i];
      transformed_.im[i] = kx * vorticity_.re[i] - ky * vorticity_.im[i];
    });
    fft_.to_space(transformed_, gradient_);
  }

  /// rate_ = -u . grad omega + curl f.
  void explicit_rate() {
    velocity_on_grid();
    gradient_on_grid();
    for (std::size_t i = 0; i < velocity_.re.size(); ++i) {
      velocity_.re[i] = -(velocity_.re[i] * gradient_.re[i] + velocity_.im[i] * gradient_.im[i]);
      velocity_.im[i] = 0;
    }
    fft_.to_spectrum(velocity_, rate_);
    rate_.re[0] = rate_.im[0] = 0;  // the mean of a divergence, but for rounding
    if (settings_.forcing == 0) return;
    const auto n = static_cast<std::size_t>(settings_.size), k = static_cast<std::size_t>(settings_.forcing_wavenumber);
    rate_.re[k * n] += curl_of_force();
    rate_.re[(n - k) * n] += curl_of_force();
  }

  void advance_stage(std::size_t stage, double step) {
    explicit_rate();
    const double half = 0.5 * step * (times[stage + 1] - times[stage]), a = feedback[stage], b = weight[stage] * step;
    for_modes([&](std::size_t i, int ky, int kx) {
      const double damping = half * (settings_.viscosity * (ky * ky + kx * kx) + settings_.drag);
      const double over = 1.0 / (1.0 + damping);
      register_.re[i] = rate_.re[i] + a * register_.re[i];
      register_.im[i] = rate_.im[i] + a * register_.im[i];
      vorticity_.re[i] = ((1.0 - damping) * vorticity_.re[i] + b * register_.re[i]) * over;
      vorticity_.im[i] = ((1.0 - damping) * vorticity_.im[i] + b * register_.im[i]) * over;
    });
  }

  FlowSettings settings_;
  PlaneFft fft_;
  ComplexPlane vorticity_, register_, rate_, transformed_, velocity_, gradient_;
};

}  // namespace lacuna::physics
