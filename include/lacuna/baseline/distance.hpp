#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "lacuna/data/field.hpp"

namespace lacuna::baseline {

/// @brief Mean radius of the Earth in kilometres.
inline constexpr double earth_radius = 6371.0;

inline double radians(double degrees) { return degrees * 3.14159265358979323846 / 180.0; }

/// @brief Distance between the cells of a grid: great-circle kilometres on a geographic grid, else Euclidean in the
/// coordinates' unit, across the seam where that is shorter on a periodic grid.
class Distance {
 public:
  explicit Distance(const data::Grid& grid) : grid_(&grid), period_(period_of(grid)) {}

  double operator()(int ya, int xa, int yb, int xb) const {
    const double dx = column_difference(xa, xb), ya_ = row(ya), yb_ = row(yb);
    if (!grid_->geographic) return std::hypot(ya_ - yb_, dx);
    const double north = std::sin(radians(ya_ - yb_) / 2), east = std::sin(radians(dx) / 2);
    const double h = north * north + std::cos(radians(ya_)) * std::cos(radians(yb_)) * east * east;
    return 2 * earth_radius * std::asin(std::min(1.0, std::sqrt(h)));
  }

  /// x of column b minus x of column a, by the shorter way round on a periodic grid.
  double column_difference(int xa, int xb) const {
    const double dx = grid_->x[static_cast<std::size_t>(xb)] - grid_->x[static_cast<std::size_t>(xa)];
    return period_ > 0 ? std::remainder(dx, period_) : dx;
  }

  /// Median distance between rows: the unit in which lengths are searched.
  double spacing() const {
    std::vector<double> steps;
    for (std::size_t i = 1; i < grid_->y.size(); ++i) steps.push_back(std::abs(grid_->y[i] - grid_->y[i - 1]));
    if (steps.empty())
      for (std::size_t i = 1; i < grid_->x.size(); ++i) steps.push_back(std::abs(grid_->x[i] - grid_->x[i - 1]));
    if (steps.empty()) return 1;
    std::nth_element(steps.begin(), steps.begin() + static_cast<std::ptrdiff_t>(steps.size() / 2), steps.end());
    const double step = steps[steps.size() / 2];
    return step > 0 ? (grid_->geographic ? radians(step) * earth_radius : step) : 1;
  }

  /// Distance between neighbours along a row over that between rows (at least 0.05: the poles), per row.
  std::vector<double> aspects() const {
    const std::size_t n = grid_->x.size();
    const double step = n > 1 ? std::abs(grid_->x[n - 1] - grid_->x[0]) / static_cast<double>(n - 1) : 1;
    std::vector<double> aspects;
    for (const double y : grid_->y) {
      const double east = grid_->geographic ? radians(step) * earth_radius * std::cos(radians(y)) : step;
      aspects.push_back(std::clamp(east / spacing(), 0.05, 20.0));
    }
    return aspects;
  }

  /// Length of the circle in the coordinate's unit; 0 if the grid is not periodic. Columns are then equally spaced.
  static double period_of(const data::Grid& grid) {
    if (!grid.periodic_x || grid.x.size() < 2) return 0;
    if (grid.geographic) return 360;
    const double n = static_cast<double>(grid.x.size());
    return std::abs(grid.x.back() - grid.x.front()) * n / (n - 1);
  }

 private:
  double row(int y) const { return grid_->y[static_cast<std::size_t>(y)]; }

  const data::Grid* grid_;
  double period_;
};

/// @brief Whether all columns are equally spaced (to 1e-3 of the spacing, as coordinates stored in float are).
inline bool regular_columns(const data::Grid& grid) {
  const std::size_t n = grid.x.size();
  if (n < 3) return true;
  const double step = (grid.x[n - 1] - grid.x[0]) / static_cast<double>(n - 1);
  for (std::size_t i = 1; i < n; ++i)
    if (std::abs(grid.x[i] - grid.x[i - 1] - step) > 1e-3 * std::abs(step)) return false;
  return true;
}

/// @brief Whether all rows are equally spaced, like regular_columns().
inline bool regular_rows(const data::Grid& grid) {
  const std::size_t n = grid.y.size();
  if (n < 3) return true;
  const double step = (grid.y[n - 1] - grid.y[0]) / static_cast<double>(n - 1);
  for (std::size_t i = 1; i < n; ++i)
    if (std::abs(grid.y[i] - grid.y[i - 1] - step) > 1e-3 * std::abs(step)) return false;
  return true;
}

}  // namespace lacuna::baseline
