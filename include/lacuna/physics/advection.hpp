#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <cstdint>
#include <numbers>
#include <span>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/core/philox.hpp"
#include "lacuna/physics/plane_fft.hpp"
#include "lacuna/physics/random_modes.hpp"
#include "lacuna/physics/sample.hpp"

namespace lacuna::physics {

/// @brief Solves du/dt + a . grad u = 0 on the periodic square of n x n points with sides of length `length`, by the shift
/// theorem: u(x, t) = u0(x - a t), exact for every field of wavenumbers below n/2. Of the wavenumber n/2 itself, whose sine a
/// grid cannot show, the cosine is kept. Shapes: initial (n, n) | velocity a = (x, y) | result (T, n, n) at the T times. NaN:
/// spreads to everything. Throws ShapeError unless `initial` is n x n.
inline std::vector<double> advect(std::span<const double> initial, int n, std::array<double, 2> velocity, double length,
                                  std::span<const double> times) {
  PlaneFft fft(n);
  ComplexPlane space(n), spectrum(n), moved(n);
  require<ShapeError>(initial.size() == space.re.size(), "advect: the initial field has ", initial.size(), " values, expected ",
                      n, " x ", n);
  std::copy(initial.begin(), initial.end(), space.re.begin());
  fft.to_spectrum(space, spectrum);
  std::vector<std::complex<double>> turn[2];
  std::vector<double> out;
  out.reserve(times.size() * initial.size());
  for (const double t : times) {
    for (std::size_t axis = 0; axis < 2; ++axis) {
      turn[axis].clear();
      for (int i = 0; i < n; ++i) {
        const double angle = -2 * std::numbers::pi * wavenumber(i, n) * velocity[axis] * t / length;
        turn[axis].emplace_back(std::cos(angle), 2 * i == n ? 0.0 : std::sin(angle));
      }
    }
    for (std::size_t y = 0, i = 0; y < turn[1].size(); ++y)
      for (std::size_t x = 0; x < turn[0].size(); ++x, ++i) {
        const std::complex<double> mode = std::complex(spectrum.re[i], spectrum.im[i]) * turn[0][x] * turn[1][y];
        moved.re[i] = mode.real();
        moved.im[i] = mode.imag();
      }
    fft.to_space(moved, space);
    out.insert(out.end(), space.re.begin(), space.re.end());
  }
  return out;
}

/// @brief Advection of a smooth random field over the periodic square [-1, 1]^2 (equation 65b of the paper, in two dimensions).
struct AdvectionSettings {
  int size = 32;    ///< n
  int frames = 50;  ///< T, from time 0 to `duration` in equal steps
  double duration = 1;
  int band = 5;  ///< the initial field has wavevectors of at most this length (in cycles per domain)
};

/// @brief Generator of advected fields: a random initial field whose amplitudes fall as k^-2, scaled to a largest magnitude of 1
/// on the grid, moved with a velocity drawn uniformly from [-1, 1)^2.
class Advection {
 public:
  static constexpr double length = 2;

  explicit Advection(AdvectionSettings settings = {}) : settings_(settings) {
    const AdvectionSettings& s = settings_;
    require<OptionError>(s.band >= 1 && s.size > 2 * s.band, "advection: size ", s.size, ", expected above ", 2 * s.band,
                         " for wavenumbers up to ", s.band);
    require<OptionError>(s.frames >= 2 && s.duration > 0, "advection: ", s.frames, " frames over ", s.duration,
                         ", expected at least 2 and a duration above 0");
  }

  const AdvectionSettings& settings() const { return settings_; }

  Description description() const {
    Description d{.name = "advection", .title = "Linear advection of a periodic field", .time_units = "1", .length_units = "1"};
    d.variables = {{"u", "1", "advected scalar"}};
    d.parameters = {{"velocity_x", "1", "velocity along x"}, {"velocity_y", "1", "velocity along y"}};
    for (int t = 0; t < settings_.frames; ++t) d.time.push_back(settings_.duration * t / (settings_.frames - 1));
    for (int i = 0; i < settings_.size; ++i) d.x.push_back(-1 + length * i / settings_.size);
    d.y = d.x;
    d.settings = {{"band", settings_.band}};
    return d;
  }

  Sample make(std::uint64_t seed, std::uint64_t index) const {
    const PhiloxKey key = philox_key(seed, Purpose::generate);
    const auto words = philox(key, index, ~std::uint64_t{0});
    const auto draw = [](std::uint32_t word) { return 2 * static_cast<double>(uniform(word)) - 1; };
    const int n = settings_.size, band = settings_.band;
    const auto amplitude = [band](double k) { return k > band ? 0.0 : 1 / (k * k); };
    const ComplexPlane modes = random_modes(n, band, amplitude, key, index);
    ComplexPlane space(n);
    PlaneFft(n, band).to_space(modes, space);
    double largest = 0;
    for (const double u : space.re) largest = std::max(largest, std::abs(u));
    for (double& u : space.re) u /= largest;
    Sample out{.parameters = {draw(words[0]), draw(words[1])}};
    out.values = advect(space.re, n, {out.parameters[0], out.parameters[1]}, length, description().time);
    return out;
  }

 private:
  AdvectionSettings settings_;
};

static_assert(Generator<Advection>);

}  // namespace lacuna::physics
