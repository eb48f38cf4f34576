#pragma once

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

#include "lacuna/baseline/covariance.hpp"
#include "lacuna/baseline/neighbourhood.hpp"
#include "lacuna/core/parallel.hpp"
#include "lacuna/data/field.hpp"

namespace lacuna::baseline {

/// @brief Size of kriging's local systems.
struct KrigingSettings {
  int max_neighbours = 400;  ///< known cells in one system, at most
  /// A tile has at most this share of max_neighbours known cells near unknown ones: the rest surround it.
  double own_share = 0.45;
  int max_unknown = 4096;  ///< unknown cells of a tile, at most
};

/// @brief Simple kriging with local neighbourhoods. x_q = k_q^T (K + nugget I)^-1 x, for fields of zero mean.
///
/// A patch with at most max_neighbours known cells is solved exactly, as one dense system. A larger one is cut into tiles; each
/// uses the known cells that matter most to it (NeighbourSearch), so that cost is linear in area.
/// Interpolation is exact: known cells keep their values, whatever the nugget.
/// If a system is not positive definite its nugget is raised tenfold until it is.
/// Shapes: known (h,w), 1 = known | values, out (h,w,C)      dtype: float; the covariances come from doubles
/// NaN policy: values at unknown cells are never read; without a known cell the result is zero, the mean
/// Determinism: bit for bit, for any number of threads
/// Cost: per tile n^3/3 + 2 C n^2 + 2 C n cells operations with n neighbours      Source: Cressie, Statistics for Spatial Data,
/// 1993, 3.2
class Kriging {
 public:
  class Workspace;

  /// The grid is copied.
  Kriging(const data::Grid& grid, const Correlation& correlation, const KrigingSettings& settings = {})
      : grid_(std::make_shared<const data::Grid>(grid)),
        table_(std::make_shared<const CovarianceTable>(*grid_, correlation)),
        settings_(settings),
        aspects_(Distance(grid).aspects()) {
    require<OptionError>(settings.max_neighbours >= 1 && settings.own_share > 0 && settings.max_unknown >= 1, "kriging: at most ",
                         settings.max_neighbours, " neighbours, own share ", settings.own_share, ", at most ",
                         settings.max_unknown, " unknown cells; expected positive numbers");
    for (double& a : aspects_) a /= correlation.stretch;
  }

  const Correlation& correlation() const { return table_->settings(); }

  /// @brief Fills the unknown cells of `channels` planes that share a mask. out may be values.
  /// Throws: ShapeError if the patch does not lie in the grid.
  void predict(const data::Patch& patch, const std::uint8_t* known, const float* values, int channels, float* out,
               Workspace& workspace, int threads = 1) const;

  /// @brief The error to expect of predict() at each cell, as a fraction of the field's deviation: sqrt(1 + nugget - k_q^T (K +
  /// nugget I)^-1 k_q), at least the nugget's; 0 where known. out (h,w). The nugget is counted in: it is the error against an
  /// observation.
  /// Cost: per tile n^3/3 + n^2 cells operations.
  void deviation(const data::Patch& patch, const std::uint8_t* known, float* out, Workspace& workspace, int threads = 1) const;

  /// The same as the first with a workspace of its own.
  void predict(const data::Patch& patch, const std::uint8_t* known, const float* values, int channels, float* out,
               int threads = 1) const;

 private:
  struct Job;
  struct Room;

  KnownCells cells_of(const data::Patch& patch, const std::uint8_t* known) const;
  template <class Visit>
  void each_tile(Job& job, Workspace& workspace, int threads, const Visit& visit) const;
  /// The nugget of a system: also what keeps it positive definite.
  double least_nugget() const { return std::max(1e-5, table_->settings().nugget); }
  bool factorise(const Job& job, Room& room) const;
  void weigh(const Job& job, Room& room) const;
  void spread(const Job& job, const Tile& tile, Room& room) const;
  void deviate(const Job& job, const Tile& tile, Room& room) const;

  std::shared_ptr<const data::Grid> grid_;
  std::shared_ptr<const CovarianceTable> table_;
  KrigingSettings settings_;
  std::vector<double> aspects_;  // per row of the grid
};

/// What predict() was asked for.
struct Kriging::Job {
  data::Patch patch;
  KnownCells cells;
  const float* values;
  int channels;
  float* out;
  bool all;  // every known cell is a neighbour

  std::size_t at(int y, int x) const {
    return (static_cast<std::size_t>(y) * static_cast<std::size_t>(patch.width) +
            static_cast<std::size_t>(NeighbourSearch::column(cells, x))) *
           static_cast<std::size_t>(channels);
  }
};

/// Buffers of one thread.
struct Kriging::Room {
  NeighbourSearch search;
  std::vector<Cell> neighbours;
  std::vector<float> matrix, weights, scratch, sums;
};

/// @brief Buffers of predict(), kept from call to call so that they are allocated once. One call at a time.
class Kriging::Workspace {
  friend class Kriging;
  Tiling tiling_;
  std::vector<std::uint8_t> levels_;
  std::vector<Room> rooms_;
};

inline void Kriging::predict(const data::Patch& patch, const std::uint8_t* known, const float* values, int channels, float* out,
                             int threads) const {
  Workspace workspace;
  predict(patch, known, values, channels, out, workspace, threads);
}

inline void Kriging::predict(const data::Patch& patch, const std::uint8_t* known, const float* values, int channels, float* out,
                             Workspace& workspace, int threads) const {
  Job job{patch, cells_of(patch, known), values, channels, out, false};
  const auto c = static_cast<std::size_t>(channels);
  for (std::size_t i = 0; i < static_cast<std::size_t>(patch.cells()); ++i)
    for (std::size_t j = i * c; j < (i + 1) * c; ++j) out[j] = known[i] != 0 ? values[j] : 0.0f;
  each_tile(job, workspace, threads, [&](const Tile& tile, Room& room) {
    weigh(job, room);
    spread(job, tile, room);
  });
}

inline void Kriging::deviation(const data::Patch& patch, const std::uint8_t* known, float* out, Workspace& workspace,
                               int threads) const {
  Job job{patch, cells_of(patch, known), nullptr, 1, out, false};
  const auto unknown = static_cast<float>(std::sqrt(1.0 + table_->settings().nugget));
  for (std::size_t i = 0; i < static_cast<std::size_t>(patch.cells()); ++i) out[i] = known[i] != 0 ? 0.0f : unknown;
  each_tile(job, workspace, threads, [&](const Tile& tile, Room& room) {
    if (factorise(job, room)) deviate(job, tile, room);
  });
}

inline KnownCells Kriging::cells_of(const data::Patch& patch, const std::uint8_t* known) const {
  const int width = grid_->width();
  require<ShapeError>(patch.y >= 0 && patch.height >= 1 && patch.y + patch.height <= grid_->height() && patch.width >= 1 &&
                          patch.width <= width && patch.x >= 0 &&
                          (grid_->periodic_x ? patch.x < width : patch.x + patch.width <= width),
                      "Kriging: patch of ", patch.height, " x ", patch.width, " cells at (", patch.y, ", ", patch.x,
                      ") does not lie in a grid of ", grid_->height(), " x ", width);
  return {patch.height, patch.width, grid_->periodic_x && patch.width == width, known};
}

/// Cuts the patch into tiles, if it must, finds the neighbours of each and calls visit(tile, room).
template <class Visit>
void Kriging::each_tile(Job& job, Workspace& workspace, int threads, const Visit& visit) const {
  const auto& patch = job.patch;
  const auto* known = job.cells.known;
  const auto count = std::count_if(known, known + patch.cells(), [](std::uint8_t k) { return k != 0; });
  if (count == 0 || count == patch.cells()) return;
  job.all = count <= settings_.max_neighbours;
  const auto& tiles = job.all ? workspace.tiling_.whole(job.cells)
                              : workspace.tiling_.cut(job.cells, static_cast<int>(settings_.max_neighbours * settings_.own_share),
                                                      settings_.max_unknown);
  if (!job.all) representative_levels(job.cells, workspace.levels_, 5);
  const int parts = std::max(1, std::min(threads, static_cast<int>(tiles.size())));
  workspace.rooms_.resize(std::max(workspace.rooms_.size(), static_cast<std::size_t>(parts)));
  parallel_for(parts, parts, [&](int part) {
    Room& room = workspace.rooms_[static_cast<std::size_t>(part)];
    for (std::size_t i = static_cast<std::size_t>(part); i < tiles.size(); i += static_cast<std::size_t>(parts)) {
      if (job.all) {
        room.neighbours.clear();
        for (int y = 0; y < patch.height; ++y)
          for (int x = 0; x < patch.width; ++x)
            if (job.cells(y, x)) room.neighbours.push_back({y, x});
      } else {
        room.search.find(job.cells, workspace.levels_, tiles[i], aspects_.data() + patch.y, settings_.max_neighbours,
                         room.neighbours);
      }
      if (!room.neighbours.empty()) visit(tiles[i], room);
    }
  });
}

/// Leaves the lower Cholesky factor of K + nugget I in room.matrix. False if it cannot be factorised.
inline bool Kriging::factorise(const Job& job, Room& room) const {
  const auto n = static_cast<Eigen::Index>(room.neighbours.size());
  room.matrix.resize(room.neighbours.size() * room.neighbours.size());
  Eigen::Map<Eigen::MatrixXf> matrix(room.matrix.data(), n, n);
  const LibraryThreads serial(1);  // Eigen would split products by threads of its own, and sum in another order
  double nugget = least_nugget();
  for (int attempt = 0; attempt < 10; ++attempt, nugget *= 10) {
    for (Eigen::Index j = 0; j < n; ++j) {
      const Cell b = room.neighbours[static_cast<std::size_t>(j)];
      float* column = room.matrix.data() + j * n;
      for (Eigen::Index i = j; i < n; ++i) {
        const Cell a = room.neighbours[static_cast<std::size_t>(i)];
        column[i] = (*table_)(job.patch.y + b.y, job.patch.x + b.x, job.patch.y + a.y, job.patch.x + a.x);
      }
      column[j] += static_cast<float>(nugget);
    }
    if (Eigen::LLT<Eigen::Ref<Eigen::MatrixXf>>(matrix).info() == Eigen::Success) return true;
  }
  return false;
}

/// Puts (K + nugget I)^-1 of the neighbours' values into room.weights, column-major (n, C).
inline void Kriging::weigh(const Job& job, Room& room) const {
  const std::size_t n = room.neighbours.size(), c = static_cast<std::size_t>(job.channels);
  room.weights.resize(n * c);
  for (std::size_t i = 0; i < n; ++i) {
    const float* from = job.values + job.at(room.neighbours[i].y, room.neighbours[i].x);
    for (std::size_t k = 0; k < c; ++k) room.weights[k * n + i] = from[k];
  }
  const auto rows = static_cast<Eigen::Index>(n);
  Eigen::Map<Eigen::MatrixXf> weights(room.weights.data(), rows, job.channels);
  if (!factorise(job, room)) {
    weights.setZero();
    return;
  }
  const LibraryThreads serial(1);
  const Eigen::Map<const Eigen::MatrixXf> factor(room.matrix.data(), rows, rows);
  factor.triangularView<Eigen::Lower>().solveInPlace(weights);
  factor.triangularView<Eigen::Lower>().adjoint().solveInPlace(weights);
}

/// Sums covariance times weight over the neighbours, four at a time, for each row of the tile.
inline void Kriging::spread(const Job& job, const Tile& tile, Room& room) const {
  const int width = tile.width();
  const std::size_t n = room.neighbours.size(), w = static_cast<std::size_t>(width);
  room.scratch.resize(4 * w);
  for (int y = tile.y0; y < tile.y1; ++y) {
    room.sums.assign(w * static_cast<std::size_t>(job.channels), 0.0f);
    for (std::size_t i = 0; i < n; i += 4) {
      const float* runs[4];
      for (std::size_t k = 0; k < 4; ++k) {
        const Cell a = room.neighbours[std::min(i + k, n - 1)];
        runs[k] = table_->run(job.patch.y + a.y, job.patch.x + a.x, job.patch.y + y, job.patch.x + tile.x0, width,
                              room.scratch.data() + k * w);
      }
      for (int c = 0; c < job.channels; ++c) {
        const float* weight = room.weights.data() + static_cast<std::size_t>(c) * n + i;
        const float w0 = weight[0], w1 = i + 1 < n ? weight[1] : 0.0f, w2 = i + 2 < n ? weight[2] : 0.0f,
                    w3 = i + 3 < n ? weight[3] : 0.0f;
        float* sums = room.sums.data() + static_cast<std::size_t>(c) * w;
        for (std::size_t x = 0; x < w; ++x) sums[x] += (w0 * runs[0][x] + w1 * runs[1][x]) + (w2 * runs[2][x] + w3 * runs[3][x]);
      }
    }
    for (int x = tile.x0; x < tile.x1; ++x) {
      if (job.cells(y, x)) continue;
      float* to = job.out + job.at(y, x);
      for (int c = 0; c < job.channels; ++c)
        to[c] = room.sums[static_cast<std::size_t>(c) * w + static_cast<std::size_t>(x - tile.x0)];
    }
  }
}

/// The deviation of each row of the tile: the squared length of L^-1 k_q is what the neighbours explain.
inline void Kriging::deviate(const Job& job, const Tile& tile, Room& room) const {
  const std::size_t n = room.neighbours.size(), w = static_cast<std::size_t>(tile.width());
  const auto rows = static_cast<Eigen::Index>(n);
  const LibraryThreads serial(1);
  const Eigen::Map<const Eigen::MatrixXf> factor(room.matrix.data(), rows, rows);
  const double nugget = least_nugget();
  room.scratch.resize(w);
  room.weights.resize(n * w);  // (n, width) of a row's covariances
  Eigen::Map<Eigen::MatrixXf> covariances(room.weights.data(), rows, tile.width());
  for (int y = tile.y0; y < tile.y1; ++y) {
    for (std::size_t i = 0; i < n; ++i) {
      const Cell a = room.neighbours[i];
      const float* run = table_->run(job.patch.y + a.y, job.patch.x + a.x, job.patch.y + y, job.patch.x + tile.x0, tile.width(),
                                     room.scratch.data());
      for (std::size_t x = 0; x < w; ++x) room.weights[x * n + i] = run[x];
    }
    factor.triangularView<Eigen::Lower>().solveInPlace(covariances);
    for (int x = tile.x0; x < tile.x1; ++x) {
      if (job.cells(y, x)) continue;
      const double explained = static_cast<double>(covariances.col(x - tile.x0).squaredNorm());
      job.out[job.at(y, x)] = static_cast<float>(std::sqrt(std::max(nugget, 1.0 + nugget - explained)));
    }
  }
}

}  // namespace lacuna::baseline
