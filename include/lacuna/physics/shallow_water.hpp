#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/core/philox.hpp"
#include "lacuna/physics/sample.hpp"

namespace lacuna::physics {

/// @brief The discrete linear shallow-water equations (equation 65a of the paper):
///   du/dt = f v - g dh/dx,  dv/dt = -f u - g dh/dy,  dh/dt = -H (du/dx + dv/dy),
/// h being the surface's height above rest, on an Arakawa C grid: h at the centre of cell (y, x), u on its face towards x + 1, v
/// on its face towards y + 1. Forward-backward in time: u from the old v and h, v from the new u and the old h, h from the new u
/// and v.
///
/// Each rate takes pointers to the cell's own entries of the planes, of which it reads neighbours; rows lie `row` apart.
/// Units: m, s. NaN: spreads to the cells that read it.
struct ShallowWaterScheme {
  double gravity = 9.81;   ///< g
  double depth = 100;      ///< H
  double coriolis = 2e-4;  ///< f, 1/s
  double spacing = 20e3;   ///< dx = dy
  double step = 200;       ///< dt

  double rate_u(const double* v, const double* h, std::ptrdiff_t row) const {
    const double across = 0.25 * (v[0] + v[1] + v[-row] + v[1 - row]);
    return coriolis * across - gravity * (h[1] - h[0]) / spacing;
  }
  double rate_v(const double* u, const double* h, std::ptrdiff_t row) const {
    const double across = 0.25 * (u[0] + u[row] + u[-1] + u[row - 1]);
    return -coriolis * across - gravity * (h[row] - h[0]) / spacing;
  }
  double rate_h(const double* u, const double* v, std::ptrdiff_t row) const {
    return -depth * (u[0] - u[-1] + v[0] - v[-row]) / spacing;
  }
};

/// @brief A closed basin of n x n cells: planes (n + 2, n + 2) with a rim of ghost cells; no flow through the walls.
class ShallowWaterBasin {
 public:
  explicit ShallowWaterBasin(int n) : n_(n), row_(n + 2) {
    require<OptionError>(n >= 3, "shallow water: ", n, " cells a side, expected at least 3");
    for (auto* plane : {&h, &u, &v}) plane->assign(static_cast<std::size_t>(row_ * row_), 0.0);
  }

  /// Index of cell (y, x), 0 <= y, x < n, in the planes.
  std::size_t at(int y, int x) const { return static_cast<std::size_t>((y + 1) * row_ + x + 1); }

  void advance(const ShallowWaterScheme& s) {
    // The faces at x = n - 1 (u) and y = n - 1 (v) are walls, as are those of the ghost cells before x = 0 and y = 0.
    for (int y = 0; y < n_; ++y)
      for (int x = 0; x < n_ - 1; ++x) u[at(y, x)] += s.step * s.rate_u(&v[at(y, x)], &h[at(y, x)], row_);
    for (int y = 0; y < n_ - 1; ++y)
      for (int x = 0; x < n_; ++x) v[at(y, x)] += s.step * s.rate_v(&u[at(y, x)], &h[at(y, x)], row_);
    for (int y = 0; y < n_; ++y)
      for (int x = 0; x < n_; ++x) h[at(y, x)] += s.step * s.rate_h(&u[at(y, x)], &v[at(y, x)], row_);
  }

  std::vector<double> h, u, v;

 private:
  int n_;
  std::ptrdiff_t row_;
};

/// @brief How the shallow-water set is drawn: gravity and depth uniform, 1 to 3 Gaussian humps of water at rest.
struct ShallowWaterSettings {
  int size = 32;                              ///< cells a side
  int frames = 50;                            ///< T: every step is a frame, the initial state the first
  double gravity_low = 5, gravity_high = 10;  ///< m/s^2
  double depth_low = 50, depth_high = 150;    ///< m
  int most_humps = 3;
  double width_low = 40e3, width_high = 150e3;  ///< standard deviation of a hump, m
  double height_low = 6, height_high = 8;       ///< m
  ShallowWaterScheme scheme{};                  ///< gravity and depth are drawn
};

/// @brief Generator of shallow-water flows: h (above rest), u and v on size x size cells, kept in double, so that the residual of
/// the scheme stays at rounding.
class ShallowWater {
 public:
  explicit ShallowWater(ShallowWaterSettings settings = {}) : settings_(settings) {
    const ShallowWaterSettings& s = settings_;
    require<OptionError>(s.size >= 3 && s.frames >= 2 && s.most_humps >= 1, "shallow water: ", s.size, " cells a side, ",
                         s.frames, " frames and up to ", s.most_humps, " humps, expected at least 3, 2 and 1");
    const double courant = s.scheme.step * std::sqrt(2 * s.gravity_high * s.depth_high) / s.scheme.spacing;
    require<OptionError>(courant > 0 && courant < 1, "shallow water: Courant number ", courant, ", expected between 0 and 1");
  }

  const ShallowWaterSettings& settings() const { return settings_; }

  Description description() const {
    const ShallowWaterSettings& s = settings_;
    Description d{.name = "shallow-water",
                  .title = "Linear shallow water in a closed rotating basin",
                  .time_units = "s",
                  .length_units = "m",
                  .double_precision = true};
    d.variables = {{"h", "m", "height of the surface above rest, at cell centres"},
                   {"u", "m s-1", "velocity along x, at the face half a cell towards larger x"},
                   {"v", "m s-1", "velocity along y, at the face half a cell towards larger y"}};
    d.parameters = {{"gravity", "m s-2", "gravitational acceleration"}, {"depth", "m", "depth at rest"}};
    for (int t = 0; t < s.frames; ++t) d.time.push_back(t * s.scheme.step);
    for (int i = 0; i < s.size; ++i) d.x.push_back((i + 0.5) * s.scheme.spacing);
    d.y = d.x;
    d.settings = {{"coriolis", s.scheme.coriolis},   {"spacing", s.scheme.spacing},       {"time_step", s.scheme.step},
                  {"lowest_gravity", s.gravity_low}, {"highest_gravity", s.gravity_high}, {"lowest_depth", s.depth_low},
                  {"highest_depth", s.depth_high},   {"most_humps", s.most_humps},        {"lowest_width", s.width_low},
                  {"highest_width", s.width_high},   {"lowest_height", s.height_low},     {"highest_height", s.height_high}};
    return d;
  }

  /// The scheme of a sample with these parameters.
  ShallowWaterScheme scheme(double gravity, double depth) const {
    ShallowWaterScheme s = settings_.scheme;
    s.gravity = gravity;
    s.depth = depth;
    return s;
  }

  Sample make(std::uint64_t seed, std::uint64_t index) const {
    const PhiloxKey key = philox_key(seed, Purpose::generate);
    const auto first = philox(key, index, 0);
    const double gravity = between(first[0], settings_.gravity_low, settings_.gravity_high);
    const double depth = between(first[1], settings_.depth_low, settings_.depth_high);
    const int humps = 1 + uniform_below(first[2], settings_.most_humps);
    ShallowWaterBasin basin(settings_.size);
    for (int i = 1; i <= humps; ++i) add_hump(philox(key, index, static_cast<std::uint64_t>(i)), basin);
    const int n = settings_.size;
    const std::size_t plane = static_cast<std::size_t>(n) * static_cast<std::size_t>(n);
    Sample out{.values = std::vector<double>(3 * static_cast<std::size_t>(settings_.frames) * plane),
               .parameters = {gravity, depth}};
    for (int t = 0; t < settings_.frames; ++t) {
      if (t > 0) basin.advance(scheme(gravity, depth));
      std::size_t v = 0;
      for (const auto* values : {&basin.h, &basin.u, &basin.v}) {
        auto* to = out.values.data() + (v++ * static_cast<std::size_t>(settings_.frames) + static_cast<std::size_t>(t)) * plane;
        for (int y = 0; y < n; ++y)
          for (int x = 0; x < n; ++x) *to++ = (*values)[basin.at(y, x)];
      }
    }
    return out;
  }

 private:
  static double between(std::uint32_t word, double low, double high) {
    return low + (high - low) * static_cast<double>(uniform(word));
  }
  void add_hump(const PhiloxBlock& words, ShallowWaterBasin& basin) const {
    const ShallowWaterSettings& s = settings_;
    const double x0 = between(words[0], 0, s.size), y0 = between(words[1], 0, s.size);  // in cells
    const double width = between(words[2], s.width_low, s.width_high) / s.scheme.spacing;
    const double height = between(words[3], s.height_low, s.height_high);
    for (int y = 0; y < s.size; ++y)
      for (int x = 0; x < s.size; ++x) {
        const double dx = (x + 0.5 - x0) / width, dy = (y + 0.5 - y0) / width;
        basin.h[basin.at(y, x)] += height * std::exp(-0.5 * (dx * dx + dy * dy));
      }
  }

  ShallowWaterSettings settings_;
};

static_assert(Generator<ShallowWater>);

}  // namespace lacuna::physics
