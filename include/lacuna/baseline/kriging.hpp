#pragma once

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <algorithm>
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

  /// The same with a workspace of its own.
  void predict(const data::Patch& patch, const std::uint8_t* known, const float* values, int channels, float* out,
               int threads = 1) const;

 private:
  struct Job;
  struct Room;

  void solve(const Job& job, const Tile& tile, Room& room) const;
  void factorise(const Job& job, Room& room) const;
  void spread(const Job& job, const Tile& tile, Room& room) const;

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
  const int width = grid_->width();
  require<ShapeError>(patch.y >= 0 && patch.height >= 1 && patch.y + patch.height <= grid_->height() && patch.width >= 1 &&
                          patch.width <= width && patch.x >= 0 &&
                          (grid_->periodic_x ? patch.x < width : patch.x + patch.width <= width),
                      "Kriging: patch of ", patch.height, " x ", patch.width, " cells at (", patch.y, ", ", patch.x,
                      ") does not lie in a grid of ", grid_->height(), " x ", width);
  const bool wraps = grid_->periodic_x && patch.width == width;
  Job job{patch, {patch.height, patch.width, wraps, known}, values, channels, out, false};
  int count = 0;
  const auto c = static_cast<std::size_t>(channels);
  for (std::size_t i = 0; i < static_cast<std::size_t>(patch.cells()); ++i) {
    count += known[i] != 0;
    for (std::size_t j = i * c; j < (i + 1) * c; ++j) out[j] = known[i] != 0 ? values[j] : 0.0f;
  }
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
      solve(job, tiles[i], room);
    }
  });
}

inline void Kriging::solve(const Job& job, const Tile& tile, Room& room) const {
  const std::size_t n = room.neighbours.size(), c = static_cast<std::size_t>(job.channels);
  if (n == 0) return;
  room.weights.resize(n * c);  // column-major (n, C)
  for (std::size_t i = 0; i < n; ++i) {
    const float* from = job.values + job.at(room.neighbours[i].y, room.neighbours[i].x);
    for (std::size_t k = 0; k < c; ++k) room.weights[k * n + i] = from[k];
  }
  factorise(job, room);
  spread(job, tile, room);
}

/// Replaces the neighbours' values in room.weights by (K + nugget I)^-1 of them.
inline void Kriging::factorise(const Job& job, Room& room) const {
  const auto n = static_cast<Eigen::Index>(room.neighbours.size());
  room.matrix.resize(room.neighbours.size() * room.neighbours.size());
  Eigen::Map<Eigen::MatrixXf> matrix(room.matrix.data(), n, n), weights(room.weights.data(), n, job.channels);
  const LibraryThreads serial(1);  // Eigen would split products by threads of its own, and sum in another order
  double nugget = std::max(1e-5, table_->settings().nugget);
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
    Eigen::LLT<Eigen::Ref<Eigen::MatrixXf>> cholesky(matrix);
    if (cholesky.info() != Eigen::Success) continue;
    cholesky.solveInPlace(weights);
    return;
  }
  weights.setZero();
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

}  // namespace lacuna::baseline
