#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

#include "lacuna/baseline/delaunay.hpp"
#include "lacuna/baseline/interpolation.hpp"
#include "lacuna/data/field.hpp"

namespace lacuna::baseline {

/// @brief Linear interpolation in the triangles of a Delaunay triangulation of the known cells; made for a mask like
/// interpolation.hpp's fills.
///
/// A cell inside the hull of the known ones gets the mean of its triangle's corners by barycentric weights, in rows and columns;
/// a cell outside the hull gets the nearest known value (NearestFill). On a periodic grid known cells are repeated to the left
/// and to the right, so that triangles cross the seam. If all known cells lie on one line, cells between two of them are
/// interpolated along it.
/// NaN policy: values at unknown cells are never read; a plane without a known cell becomes zero     Determinism: bit for bit
/// Cost: a triangulation of the known cells beside unknown ones once a mask (three times as many on a periodic grid), then three
/// products a cell
class LinearFill {
 public:
  LinearFill(const data::Grid& grid, const std::uint8_t* known)
      : width_(grid.width()), terms_(static_cast<std::size_t>(grid.cells()), Terms{{-1, -1, -1}, {0, 0, 0}}) {
    const int laps = grid.periodic_x ? 1 : 0;
    std::vector<LatticePoint> points;
    for (int y = 0; y < grid.height(); ++y)
      for (int x = -laps * width_; x < (1 + laps) * width_; ++x)
        if (known[cell({y, x})] != 0 && !surrounded(grid, known, y, (x + width_) % width_)) points.push_back({y, x});
    const Delaunay mesh(std::move(points));
    const auto triangles = mesh.triangles();
    for (const auto& t : triangles)
      cover({mesh.points()[static_cast<std::size_t>(t[0])], mesh.points()[static_cast<std::size_t>(t[1])],
             mesh.points()[static_cast<std::size_t>(t[2])]});
    for (std::size_t i = 1; i < mesh.points().size() && triangles.empty(); ++i) cover(mesh.points()[i - 1], mesh.points()[i]);
    bool outside = false;
    for (std::size_t i = 0; i < terms_.size(); ++i) {
      if (known[i] != 0) terms_[i] = {{static_cast<int>(i), -1, -1}, {1, 0, 0}};
      outside |= terms_[i].cells[0] < 0;
    }
    if (!outside) return;
    const auto nearest = NearestFill(grid, known).source();
    for (std::size_t i = 0; i < terms_.size(); ++i)
      if (terms_[i].cells[0] < 0) terms_[i] = {{nearest[i], -1, -1}, {1, 0, 0}};
  }

  void operator()(const float* values, float* out) const {
    std::vector<float> filled(terms_.size(), 0.0f);
    for (std::size_t i = 0; i < terms_.size(); ++i)
      for (std::size_t k = 0; k < 3 && terms_[i].cells[k] >= 0; ++k)
        filled[i] += terms_[i].weights[k] * values[static_cast<std::size_t>(terms_[i].cells[k])];
    std::copy(filled.begin(), filled.end(), out);
  }

 private:
  /// Known cells and their weights; -1: none.
  struct Terms {
    std::array<int, 3> cells;
    std::array<float, 3> weights;
  };
  using Triangle = std::array<LatticePoint, 3>;

  /// Number of the grid's cell at a lattice point, which may lie a lap to the left or to the right.
  std::size_t cell(const LatticePoint& p) const {
    return static_cast<std::size_t>(p.y) * static_cast<std::size_t>(width_) + static_cast<std::size_t>((p.x + width_) % width_);
  }

  /// Whether the four neighbours of a cell are known, too (beyond the edge of the grid: as if). A circle through it that holds
  /// none of them has half a cell's diagonal as its radius at most, so no triangle with an unknown cell has it as a corner.
  static bool surrounded(const data::Grid& grid, const std::uint8_t* known, int y, int x) {
    const int h = grid.height(), w = grid.width();
    const auto at = [&](int row, int column) {
      if (row < 0 || row >= h || (!grid.periodic_x && (column < 0 || column >= w))) return true;
      return known[static_cast<std::size_t>(row * w + (column + w) % w)] != 0;
    };
    return at(y - 1, x) && at(y + 1, x) && at(y, x - 1) && at(y, x + 1);
  }

  /// Weights of all lattice points in a triangle, its edges counted in.
  void cover(const Triangle& t) {
    const auto [left, right] = std::minmax({t[0].x, t[1].x, t[2].x});
    if (right < 0 || left >= width_) return;
    const auto [bottom, top] = std::minmax({t[0].y, t[1].y, t[2].y});
    const auto total = static_cast<float>(twice_area(t[0], t[1], t[2]));
    for (int y = bottom; y <= top; ++y) {
      const auto [begin, end] = row_of(t, y);
      for (int x = begin; x <= end; ++x) {
        const LatticePoint p{y, x};
        Terms terms;
        for (std::size_t k = 0; k < 3; ++k) {
          terms.cells[k] = static_cast<int>(cell(t[k]));
          terms.weights[k] = static_cast<float>(twice_area(t[(k + 1) % 3], t[(k + 2) % 3], p)) / total;
        }
        terms_[cell(p)] = terms;
      }
    }
  }

  /// First and last column of the grid in row y that lie in the triangle.
  std::pair<int, int> row_of(const Triangle& t, int y) const {
    std::int64_t begin = 0, end = width_ - 1;
    for (std::size_t k = 0; k < 3; ++k) {
      const LatticePoint &a = t[k], &b = t[(k + 1) % 3];
      // twice_area(a, b, (y, x)) = level - rise x must not be negative.
      const std::int64_t rise = b.y - a.y, level = std::int64_t{b.x - a.x} * (y - a.y) + rise * a.x;
      if (rise > 0)
        end = std::min(end, floor_of_ratio(level, rise));
      else if (rise < 0)
        begin = std::max(begin, -floor_of_ratio(level, -rise));
      else if (level < 0)
        end = -1;
    }
    return {static_cast<int>(begin), static_cast<int>(end)};
  }
  static std::int64_t floor_of_ratio(std::int64_t a, std::int64_t positive) { return a / positive - (a % positive < 0 ? 1 : 0); }

  /// Weights of the lattice points between two.
  void cover(const LatticePoint& a, const LatticePoint& b) {
    const int steps = std::gcd(b.y - a.y, b.x - a.x);
    for (int i = 1; i < steps; ++i) {
      const LatticePoint p{a.y + (b.y - a.y) / steps * i, a.x + (b.x - a.x) / steps * i};
      if (p.x < 0 || p.x >= width_) continue;
      const float along = static_cast<float>(i) / static_cast<float>(steps);
      terms_[cell(p)] = {{static_cast<int>(cell(a)), static_cast<int>(cell(b)), -1}, {1.0f - along, along, 0}};
    }
  }

  int width_;
  std::vector<Terms> terms_;  // per cell
};

}  // namespace lacuna::baseline
