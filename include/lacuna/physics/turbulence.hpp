#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/core/philox.hpp"
#include "lacuna/physics/random_modes.hpp"
#include "lacuna/physics/resample.hpp"
#include "lacuna/physics/sample.hpp"
#include "lacuna/physics/vorticity_solver.hpp"

namespace lacuna::physics {

/// @brief A set of two-dimensional turbulent flows: how they begin, are solved and kept. Defaults: forced Kolmogorov flow.
struct TurbulenceSettings {
  std::string name = "kolmogorov", title = "Forced two-dimensional Kolmogorov flow";
  FlowSettings flow{.drag = 0.1, .forcing = 1};
  int kept = 64;                    ///< cells a side that are kept, by bilinear interpolation
  double warm_up = 4.5;             ///< time before the first frame
  double frame_step = 0.055;        ///< time between frames
  int frames = 100;                 ///< T
  int peak_low = 4, peak_high = 4;  ///< the initial velocity peaks at a wavenumber drawn from peak_low, ..., peak_high
  double initial_speed = 5;         ///< largest |u| at the beginning
  double unit = 38;                 ///< vorticity is kept in this unit
};

/// @brief Flow that sin(4 y) drives along x against a linear drag: the "Navier-Stokes" set of the paper's tables.
inline TurbulenceSettings kolmogorov(int size = 128) {
  TurbulenceSettings s;
  s.flow.size = size;
  return s;
}
/// @brief Isotropic turbulence that decays by viscosity alone, from initial fields with various peak wavenumbers.
inline TurbulenceSettings decaying(int size = 128) {
  return {.name = "decaying",
          .title = "Decaying isotropic turbulence in two dimensions",
          .flow = {.size = size},
          .peak_low = 3,
          .peak_high = 8};
}

/// @brief Initial vorticity: the curl of white noise in velocity, projected to be free of divergence and filtered by a log-normal
/// density with its mode at wavenumber `peak` and variance 1/4 in log k, over the circle's length k; largest |u| = `speed`.
/// Source: the initial fields of jax-cfd (Kochkov et al., PNAS 2021, doi:10.1073/pnas.2101784118).
inline void set_random_flow(VorticitySolver& solver, double peak, double speed, PhiloxKey key, std::uint64_t sample) {
  constexpr double variance = 0.25;
  const double centre = std::log(peak) + variance;
  const auto velocity = [&](double k) {
    const double away = std::log(k) - centre;
    return std::exp(-away * away / (2 * variance)) / (k * k);
  };
  // The part of a white velocity across k has one amplitude, and its curl that times k.
  solver.set_vorticity(random_modes(
      solver.size(), solver.band(), [&](double k) { return k * velocity(k); }, key, sample));
  solver.scale_vorticity(speed / solver.largest_speed());
}

/// @brief Generator of turbulent flows: vorticity / unit on `kept` x `kept` cells, `frames` frames from time `warm_up` on.
class Turbulence {
 public:
  explicit Turbulence(TurbulenceSettings settings) : settings_(std::move(settings)) {
    const TurbulenceSettings& s = settings_;
    require<OptionError>(s.kept >= 1 && s.kept <= s.flow.size, s.name, ": ", s.kept, " kept cells a side, expected 1 to ",
                         s.flow.size);
    require<OptionError>(s.frames >= 1 && s.frame_step > 0 && s.warm_up >= 0, s.name, ": ", s.frames, " frames of ", s.frame_step,
                         " from ", s.warm_up, " on, expected at least one, above 0 and not below 0");
    require<OptionError>(s.peak_low >= 1 && s.peak_low <= s.peak_high && s.unit > 0, s.name, ": peak wavenumbers ", s.peak_low,
                         " to ", s.peak_high, " and unit ", s.unit, ", expected from 1 upwards and above 0");
    VorticitySolver(FlowSettings(s.flow));  // throws where the flow cannot be solved
  }

  const TurbulenceSettings& settings() const { return settings_; }

  Description description() const {
    const TurbulenceSettings& s = settings_;
    Description d{.name = s.name, .title = s.title, .time_units = "1", .length_units = "1"};
    d.variables = {{"vorticity", text(s.unit), text("vorticity divided by ", s.unit)}};
    d.parameters = {{"peak_wavenumber", "1", "wavenumber at which the initial velocity peaks"}};
    for (int t = 0; t < s.frames; ++t) d.time.push_back(s.warm_up + t * s.frame_step);
    for (int i = 0; i < s.kept; ++i) d.x.push_back(2 * std::numbers::pi / s.flow.size * cell_centre(i, s.kept, s.flow.size));
    d.y = d.x;
    d.settings = {{"solved_size", s.flow.size},
                  {"viscosity", s.flow.viscosity},
                  {"drag", s.flow.drag},
                  {"forcing", s.flow.forcing},
                  {"forcing_wavenumber", s.flow.forcing_wavenumber},
                  {"courant_number", s.flow.courant},
                  {"longest_step", s.flow.longest_step},
                  {"initial_speed", s.initial_speed},
                  {"lowest_peak", s.peak_low},
                  {"highest_peak", s.peak_high}};
    return d;
  }

  Sample make(std::uint64_t seed, std::uint64_t index) const {
    const TurbulenceSettings& s = settings_;
    const PhiloxKey key = philox_key(seed, Purpose::generate);
    // The modes' positions have k_y >= 0 in their upper half, so all ones are free.
    const int peak = s.peak_low + uniform_below(philox(key, index, ~std::uint64_t{0})[0], s.peak_high - s.peak_low + 1);
    VorticitySolver solver(s.flow);
    set_random_flow(solver, peak, s.initial_speed, key, index);
    // In pieces, since each chooses its time step by the speed at its beginning.
    const int pieces = static_cast<int>(std::ceil(s.warm_up / s.frame_step * (1 - 1e-12)));
    for (int i = 0; i < pieces; ++i) solver.advance(s.warm_up / pieces);
    Sample out{.parameters = {static_cast<double>(peak)}};
    for (int t = 0; t < s.frames; ++t) {
      if (t > 0) solver.advance(s.frame_step);
      for (const double omega : resample_bilinear(solver.field(), s.flow.size, s.kept)) out.values.push_back(omega / s.unit);
    }
    return out;
  }

 private:
  TurbulenceSettings settings_;
};

static_assert(Generator<Turbulence>);

}  // namespace lacuna::physics
