#pragma once

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "lacuna/baseline/covariance.hpp"
#include "lacuna/core/philox.hpp"
#include "lacuna/data/field.hpp"
#include "support/fill.hpp"

namespace lacuna::test {

/// The whole globe in cells of `step` degrees, cell centres off the poles.
inline data::Grid globe(double step) {
  data::Grid grid;
  grid.geographic = grid.periodic_x = true;
  for (double y = -90 + step / 2; y < 90; y += step) grid.y.push_back(y);
  for (double x = 0; x < 360; x += step) grid.x.push_back(x);
  return grid;
}

/// Unit cells of a plane.
inline data::Grid plane(int height, int width, bool periodic = false) {
  data::Grid grid;
  grid.periodic_x = periodic;
  for (int y = 0; y < height; ++y) grid.y.push_back(y);
  for (int x = 0; x < width; ++x) grid.x.push_back(x);
  return grid;
}

/// Cells known with probability `density`.
inline std::vector<std::uint8_t> random_mask(int cells, double density, std::uint64_t seed) {
  std::vector<std::uint8_t> mask;
  for (int i = 0; i < cells; ++i)
    mask.push_back(uniform(philox(philox_key(seed, Purpose::crop), 0, static_cast<std::uint64_t>(i))[0]) <
                   static_cast<float>(density));
  return mask;
}

/// A plane (h,w) filled in place; what is not known is NaN before.
template <class Fill>
std::vector<float> filled(const data::Grid& grid, const std::vector<std::uint8_t>& known, std::vector<float> values) {
  for (std::size_t i = 0; i < values.size(); ++i)
    if (known[i] == 0) values[i] = data::not_observed;
  Fill(grid, known.data())(values.data(), values.data());
  return values;
}

/// A few smooth waves over the columns' circle and the rows, different by `phase`.
inline float wave(const data::Grid& grid, int y, int x, double phase) {
  const double a = 6.283185307179586 * x / grid.width(), b = 3.0 * y / grid.height();
  return static_cast<float>(std::sin(2 * a + phase) * std::cos(b) + 0.5 * std::cos(3 * a - b + 2 * phase) +
                            0.3 * std::sin(2 * b + phase));
}

/// Waves (T,H,W,V) that drift with time, with gaps of a mask per window of three frames; density 1: complete.
inline data::Fields drifting(const data::Grid& grid, int frames, int variables, double density) {
  data::Fields f;
  f.grid = grid;
  for (int v = 0; v < variables; ++v) f.names.push_back(std::string(1, static_cast<char>('a' + v)));
  for (int t = 0; t < frames; ++t) {
    f.time.push_back(t);
    const auto mask = random_mask(grid.cells(), density, 100 + static_cast<std::uint64_t>(t / 3));
    for (int y = 0; y < grid.height(); ++y)
      for (int x = 0; x < grid.width(); ++x)
        for (int v = 0; v < variables; ++v)
          f.values.push_back(mask[static_cast<std::size_t>(y * grid.width() + x)] != 0 ? wave(grid, y, x, v + 0.1 * t)
                                                                                       : data::not_observed);
  }
  return f;
}

/// Independent Gaussian fields of mean zero with a correlation's covariance, its nugget included: (h w, fields).
inline Eigen::MatrixXd gaussian_fields(const data::Grid& grid, const baseline::Correlation& c, int fields, std::uint64_t seed) {
  const baseline::Covariance between(grid, c);
  const int cells = grid.cells(), width = grid.width();
  Eigen::MatrixXd covariance(cells, cells);
  for (int i = 0; i < cells; ++i)
    for (int j = 0; j < cells; ++j)
      covariance(i, j) = between(i / width, i % width, j / width, j % width) + (i == j ? c.nugget : 0.0);
  const auto white = normals<double>(static_cast<std::size_t>(cells) * static_cast<std::size_t>(fields), seed);
  return covariance.llt().matrixL() * Eigen::Map<const Eigen::MatrixXd>(white.data(), cells, fields);
}

}  // namespace lacuna::test
