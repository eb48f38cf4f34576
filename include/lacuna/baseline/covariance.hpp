#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "lacuna/baseline/distance.hpp"
#include "lacuna/core/error.hpp"
#include "lacuna/data/field.hpp"

namespace lacuna::baseline {

enum class CorrelationKind { exponential, matern32 };

/// @brief How values at two cells vary together, for a variable of unit variance.
struct Correlation {
  CorrelationKind kind = CorrelationKind::matern32;
  double length = 1;     ///< kilometres on a geographic grid, else the coordinates' unit
  double nugget = 0.01;  ///< variance of what is not shared with any other cell, over the variance of the rest
  double stretch = 1;    ///< correlations reach this many times further east and west than north and south

  bool operator==(const Correlation&) const = default;
};

/// @brief exp(-r) or (1 + sqrt(3) r) exp(-sqrt(3) r), r = distance / length >= 0.
inline double correlation(CorrelationKind kind, double r) {
  if (kind == CorrelationKind::exponential) return std::exp(-r);
  const double a = 1.7320508075688772 * r;
  return (1 + a) * std::exp(-a);
}

/// @brief Covariance between cells without the nugget; 1 at distance zero.
///
/// On the sphere distances are chords, which differ from great circles by 0.6 % at 2500 km: Matern functions of great-circle
/// distances are not positive definite, those of chords are. The stretch is a local metric at each cell, I + (s^2 - 1) e e^T with
/// e pointing east; two cells are compared in the mean A of their metrics: |S_a|^1/4 |S_b|^1/4 |A|^-1/2 rho(sqrt(d^T A^-1 d)),
/// which is positive definite too, and depends on the two rows and the difference of longitude only.
/// Source: Paciorek and Schervish, Environmetrics 17, 2006, doi:10.1002/env.785, eq. 2.
class Covariance {
 public:
  Covariance(const data::Grid& grid, const Correlation& c) : grid_(&grid), distance_(grid), c_(c) {
    require<OptionError>(c.length > 0 && c.stretch > 0 && c.nugget >= 0, "correlation: length ", c.length, ", stretch ",
                         c.stretch, ", nugget ", c.nugget, "; expected positive lengths and stretches, no negative nugget");
    if (!grid.geographic) return;
    for (const double y : grid.y) {
      sin_.push_back(std::sin(radians(y)));
      cos_.push_back(std::cos(radians(y)));
    }
  }

  double operator()(int ya, int xa, int yb, int xb) const { return between(ya, yb, distance_.column_difference(xa, xb)); }

  /// The same from the difference of the columns' coordinates.
  double between(int ya, int yb, double dx) const {
    const auto a = static_cast<std::size_t>(ya), b = static_cast<std::size_t>(yb);
    if (!grid_->geographic) return correlation(c_.kind, std::hypot(grid_->y[a] - grid_->y[b], dx / c_.stretch) / c_.length);
    return on_sphere(a, b, std::sin(radians(dx)), std::cos(radians(dx)));
  }

  /// On the sphere, from the sine and cosine of the difference of longitude.
  double on_sphere(std::size_t a, std::size_t b, double s, double c) const {
    const double north = sin_[a] - sin_[b], cos_a = cos_[a], cos_b = cos_[b], across = cos_a - cos_b;
    // |p_a - p_b|^2 without cancellation: 1 - c = s^2 / (1 + c) near zero.
    const double versine = c > 0 ? s * s / (1 + c) : 1 - c;
    double square = north * north + across * across + 2 * cos_a * cos_b * versine, factor = 1;
    if (c_.stretch != 1) {
      // With k = (s^2 - 1) / 2, A = I + k (e_a e_a^T + e_b e_b^T): determinant and inverse by Woodbury's identity.
      const double k = (c_.stretch * c_.stretch - 1) / 2, det = (1 + k) * (1 + k) - k * k * c * c;
      const double along_a = -cos_b * s, along_b = -cos_a * s;
      square -= k * ((1 + k) * (along_a * along_a + along_b * along_b) - 2 * k * c * along_a * along_b) / det;
      factor = c_.stretch / std::sqrt(det);
    }
    return factor * correlation(c_.kind, earth_radius * std::sqrt(std::max(0.0, square)) / c_.length);
  }

  const data::Grid& grid() const { return *grid_; }
  const Correlation& settings() const { return c_; }

 private:
  const data::Grid* grid_;
  Distance distance_;
  Correlation c_;
  std::vector<double> sin_, cos_;  // of the rows' latitudes
};

/// @brief Covariances of a grid with equally spaced columns, tabulated by (row, row, column difference).
///
/// A table holds the nearest row and column differences that fit `budget` bytes; what lies beyond, and grids with unequal
/// columns, are computed when asked for. Refers to the grid given, which must outlive it. Cost: 4 H^2 W bytes at most for a
/// periodic grid's differences of either sign (72 x 144: 3 MB).
class CovarianceTable {
 public:
  explicit CovarianceTable(const data::Grid& grid, const Correlation& c, std::size_t budget = std::size_t{48} << 20)
      : exact_(grid, c), height_(grid.height()), width_(grid.width()) {
    if (!regular_columns(grid)) return;
    same_rows_ = !grid.geographic && regular_rows(grid);
    rows_ = height_;
    reach_ = width_ - 1;
    while (floats() * sizeof(float) > budget && (rows_ > 1 || reach_ > 1)) {
      if (rows_ * 4 > reach_ && rows_ > 1)
        rows_ = (rows_ + 1) / 2;
      else
        reach_ = (reach_ + 1) / 2;
    }
    tabulate();
  }

  const Correlation& settings() const { return exact_.settings(); }

  float operator()(int ya, int xa, int yb, int xb) const {
    const int dx = xb - xa;
    if (tabulated(ya, yb) && dx >= -reach_ && dx <= reach_) return centre(ya, yb)[dx];
    return static_cast<float>(exact_(ya, modulo(xa), yb, modulo(xb)));
  }

  /// Covariances of cell a with `count` cells of row yb from column xb on; columns of periodic grids may exceed the width.
  /// Points into the table, or into `scratch` (count floats), which it then fills.
  const float* run(int ya, int xa, int yb, int xb, int count, float* scratch) const {
    const int dx = xb - xa;
    if (tabulated(ya, yb) && dx >= -reach_ && dx + count - 1 <= reach_) return centre(ya, yb) + dx;
    for (int i = 0; i < count; ++i) scratch[i] = (*this)(ya, xa, yb, xb + i);
    return scratch;
  }

 private:
  std::size_t stride() const { return 2 * static_cast<std::size_t>(reach_) + 1; }
  std::size_t floats() const {
    return static_cast<std::size_t>(same_rows_ ? 1 : height_) * static_cast<std::size_t>(rows_) * stride();
  }
  bool tabulated(int ya, int yb) const { return std::abs(ya - yb) < rows_; }
  int modulo(int x) const { return (x % width_ + width_) % width_; }
  const float* centre(int ya, int yb) const {
    const auto first = static_cast<std::size_t>(same_rows_ ? 0 : std::min(ya, yb));
    const auto apart = static_cast<std::size_t>(std::abs(ya - yb));
    return table_.data() + (first * static_cast<std::size_t>(rows_) + apart) * stride() + reach_;
  }

  void tabulate() {
    table_.assign(floats(), 0.0f);
    const data::Grid& grid = exact_.grid();
    const double step = width_ > 1 ? (grid.x.back() - grid.x.front()) / static_cast<double>(width_ - 1) : 1;
    const double period = Distance::period_of(grid);
    std::vector<double> east, sine, cosine;  // of the column differences
    for (int dx = 0; dx <= reach_; ++dx) {
      east.push_back(period > 0 ? std::remainder(step * dx, period) : step * dx);
      sine.push_back(std::sin(radians(east.back())));
      cosine.push_back(std::cos(radians(east.back())));
    }
    for (int first = 0; first < (same_rows_ ? 1 : height_); ++first)
      for (int apart = 0; apart < rows_ && first + apart < height_; ++apart) {
        const auto a = static_cast<std::size_t>(first), n = static_cast<std::size_t>(apart);
        float* at = table_.data() + (a * static_cast<std::size_t>(rows_) + n) * stride() + reach_;
        for (int dx = 0; dx <= reach_; ++dx) {
          const auto i = static_cast<std::size_t>(dx);
          if (period > 0 && dx > width_ / 2)
            at[dx] = at[width_ - dx];
          else if (grid.geographic)
            at[dx] = static_cast<float>(exact_.on_sphere(a, a + n, sine[i], cosine[i]));
          else
            at[dx] = static_cast<float>(exact_.between(first, first + apart, east[i]));
          at[-dx] = at[dx];
        }
      }
  }

  Covariance exact_;
  int height_, width_, rows_ = 0, reach_ = 0;
  bool same_rows_ = false;
  std::vector<float> table_;
};

}  // namespace lacuna::baseline
