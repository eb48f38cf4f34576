#pragma once

#include <Eigen/SparseCholesky>
#include <Eigen/SparseCore>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "lacuna/baseline/distance.hpp"
#include "lacuna/data/field.hpp"

namespace lacuna::baseline {

/// @brief Plain fills of one plane (h, w) of a grid, to compare with.
///
/// A fill is made for a mask, known (h,w), 1 = known, and then applied to any number of planes: fill(values, out), out (h,w) may
/// be values. Known cells keep their values; values at unknown cells are never read; a plane without a known cell becomes zero.
/// All are deterministic.
class MeanFill {
 public:
  /// The mean of the known cells.
  MeanFill(const data::Grid& grid, const std::uint8_t* known) : known_(known, known + grid.cells()) {}

  void operator()(const float* values, float* out) const {
    double sum = 0, count = 0;
    for (std::size_t i = 0; i < known_.size(); ++i)
      if (known_[i] != 0) {
        sum += static_cast<double>(values[i]);
        count += 1;
      }
    const auto mean = static_cast<float>(count > 0 ? sum / count : 0);
    for (std::size_t i = 0; i < known_.size(); ++i) out[i] = known_[i] != 0 ? values[i] : mean;
  }

 private:
  std::vector<std::uint8_t> known_;
};

/// @brief The value of the nearest known cell (great circle or Euclidean; of equals the one in the nearest row, then above, then
/// on the left). Cost: per unknown cell two distances in each row that is near enough.
class NearestFill {
 public:
  NearestFill(const data::Grid& grid, const std::uint8_t* known) {
    const int h = grid.height(), w = grid.width();
    const Distance distance(grid);
    const double row_unit = grid.geographic ? radians(1) * earth_radius : 1;
    const auto at = [w](int y, int x) {
      return static_cast<std::size_t>(y) * static_cast<std::size_t>(w) + static_cast<std::size_t>(x);
    };
    std::vector<int> before(static_cast<std::size_t>(grid.cells())), after(before.size());
    for (int y = 0; y < h; ++y)
      next_known(known + at(y, 0), w, grid.periodic_x, before.data() + at(y, 0), after.data() + at(y, 0));
    source_.resize(before.size());
    for (int y = 0; y < h; ++y)
      for (int x = 0; x < w; ++x) {
        source_[at(y, x)] = known[at(y, x)] != 0 ? y * w + x : -1;
        if (known[at(y, x)] != 0) continue;
        double best = std::numeric_limits<double>::infinity();
        const auto try_row = [&](int row) {
          const double apart = std::abs(grid.y[static_cast<std::size_t>(row)] - grid.y[static_cast<std::size_t>(y)]) * row_unit;
          if (apart > best) return false;
          for (const int column : {before[at(row, x)], after[at(row, x)]}) {
            if (column < 0) continue;
            const double d = distance(y, x, row, column);
            if (d < best) {
              best = d;
              source_[at(y, x)] = row * w + column;
            }
          }
          return true;
        };
        bool up = true, down = true;
        for (int step = 0; step < h && (up || down); ++step) {
          if (up) up = y - step >= 0 && try_row(y - step);
          if (down && step > 0) down = y + step < h && try_row(y + step);
        }
      }
  }

  void operator()(const float* values, float* out) const {
    std::vector<float> filled(source_.size());
    for (std::size_t i = 0; i < filled.size(); ++i)
      filled[i] = source_[i] >= 0 ? values[static_cast<std::size_t>(source_[i])] : 0.0f;
    std::copy(filled.begin(), filled.end(), out);
  }

  /// For each cell the known one whose value it takes; -1: none is known.
  const std::vector<int>& source() const { return source_; }

 private:
  /// For each column the nearest known one at or before it and at or after it; -1: none.
  static void next_known(const std::uint8_t* known, int w, bool periodic, int* before, int* after) {
    int left = -1, right = -1;
    for (int lap = periodic ? 0 : 1; lap < 2; ++lap) {
      for (int x = 0; x < w; ++x) before[x] = left = known[x] != 0 ? x : left;
      for (int x = w - 1; x >= 0; --x) after[x] = right = known[x] != 0 ? x : right;
    }
  }

  std::vector<int> source_;
};

/// @brief The harmonic fill: each unknown cell is the mean of its neighbours (4 in the middle of the grid, across the seam if
/// periodic). Cost: a sparse Cholesky factorisation of the unknown cells, once a mask.
class LaplaceFill {
 public:
  LaplaceFill(const data::Grid& grid, const std::uint8_t* known) : index_(static_cast<std::size_t>(grid.cells()), -1) {
    const int h = grid.height(), w = grid.width();
    for (std::size_t i = 0; i < index_.size(); ++i)
      if (known[i] == 0) index_[i] = unknown_++;
    if (unknown_ == 0 || static_cast<std::size_t>(unknown_) == index_.size()) return;
    std::vector<Eigen::Triplet<double>> entries;
    for (int y = 0; y < h; ++y)
      for (int x = 0; x < w; ++x) {
        const int i = index_[static_cast<std::size_t>(y * w + x)];
        if (i < 0) continue;
        double degree = 0;
        for (const auto& [dy, dx] : {std::pair{0, 1}, {0, -1}, {1, 0}, {-1, 0}}) {
          const int ny = y + dy, nx = grid.periodic_x ? (x + dx + w) % w : x + dx;
          if (ny < 0 || ny >= h || nx < 0 || nx >= w || (ny == y && nx == x)) continue;
          degree += 1;
          const auto n = static_cast<std::size_t>(ny * w + nx);
          if (index_[n] < 0)
            sides_.emplace_back(i, n);
          else
            entries.emplace_back(i, index_[n], -1.0);
        }
        entries.emplace_back(i, i, degree);
      }
    Eigen::SparseMatrix<double> matrix(unknown_, unknown_);
    matrix.setFromTriplets(entries.begin(), entries.end());
    factor_.compute(matrix);
  }

  void operator()(const float* values, float* out) const {
    Eigen::VectorXd right = Eigen::VectorXd::Zero(unknown_);
    for (const auto& [row, cell] : sides_) right[row] += static_cast<double>(values[cell]);
    if (!sides_.empty()) right = factor_.solve(right).eval();
    for (std::size_t i = 0; i < index_.size(); ++i) out[i] = index_[i] < 0 ? values[i] : static_cast<float>(right[index_[i]]);
  }

 private:
  std::vector<int> index_;                          // of the unknown cells; -1: known
  std::vector<std::pair<int, std::size_t>> sides_;  // unknown cell's index, known neighbour
  int unknown_ = 0;
  Eigen::SimplicialLDLT<Eigen::SparseMatrix<double>> factor_;
};

}  // namespace lacuna::baseline
