#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "lacuna/data/field.hpp"

namespace lacuna::baseline {

/// @brief A cell of a patch, by its row and column there.
struct Cell {
  int y, x;
};

/// @brief Rows [y0, y1) and columns [x0, x1) of a patch that are filled together.
struct Tile {
  int y0, x0, y1, x1;
  int height() const { return y1 - y0; }
  int width() const { return x1 - x0; }
};

/// @brief Which cells of a patch are known, and what is asked of the known ones, for one mask.
struct KnownCells {
  int height, width;
  bool wraps;                 ///< the first column continues the last
  const std::uint8_t* known;  ///< (height, width), 1 = known

  bool operator()(int y, int x) const {
    return known[static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x)] != 0;
  }
};

/// @brief Cuts a patch into tiles that hold unknown cells, each few enough known cells next to unknown ones.
///
/// Tiles are halved across their longer side until at most `ring` of their known cells have an unknown one within two rows and
/// columns, and at most `unknown` cells are unknown; then they shrink to their unknown cells. Cost: linear in area.
class Tiling {
 public:
  const std::vector<Tile>& cut(const KnownCells& cells, int ring, int unknown) {
    cells_ = &cells;
    tiles_.clear();
    count_prefixes();
    split({0, 0, cells.height, cells.width}, ring, unknown);
    return tiles_;
  }

  /// Tile of all unknown cells, whatever their number.
  const std::vector<Tile>& whole(const KnownCells& cells) {
    cells_ = &cells;
    tiles_.clear();
    add_shrunk({0, 0, cells.height, cells.width});
    return tiles_;
  }

  /// Known cells with an unknown one within two rows and columns.
  int beside_unknown(const KnownCells& cells) {
    cells_ = &cells;
    count_prefixes();
    return prefix(cells.height, cells.width).ring;
  }

 private:
  struct Counts {
    std::int32_t ring = 0, unknown = 0;
  };
  static constexpr int near = 2;

  void count_prefixes() {
    const int h = cells_->height, w = cells_->width;
    beside_.assign(static_cast<std::size_t>(h) * static_cast<std::size_t>(w), 0);
    for (int y = 0; y < h; ++y) {
      int last = -near - 1;  // column of the last unknown cell on the left
      for (int x = 0; x < w + near; ++x) {
        if (x < w && !(*cells_)(y, x)) last = x;
        if (x >= near && last >= x - 2 * near) beside_[at(y, x - near)] = 1;
      }
    }
    prefix_.assign(static_cast<std::size_t>(h + 1) * static_cast<std::size_t>(w + 1), {});
    for (int y = 0; y < h; ++y) {
      Counts row;
      for (int x = 0; x < w; ++x) {
        bool ring = false;
        for (int j = std::max(0, y - near); j <= std::min(h - 1, y + near) && !ring; ++j) ring = beside_[at(j, x)] != 0;
        const bool known = (*cells_)(y, x);
        row.ring += known && ring;
        row.unknown += !known;
        const Counts above = prefix(y, x + 1);
        prefix(y + 1, x + 1) = {above.ring + row.ring, above.unknown + row.unknown};
      }
    }
  }

  void split(const Tile& t, int ring, int unknown) {
    const Counts a = prefix(t.y0, t.x0), b = prefix(t.y0, t.x1), c = prefix(t.y1, t.x0), d = prefix(t.y1, t.x1);
    const Counts n{d.ring - b.ring - c.ring + a.ring, d.unknown - b.unknown - c.unknown + a.unknown};
    if (n.unknown == 0) return;
    if ((n.ring <= ring && n.unknown <= unknown) || t.height() * t.width() <= 16) return add_shrunk(t);
    if (t.height() >= t.width()) {
      const int middle = (t.y0 + t.y1) / 2;
      split({t.y0, t.x0, middle, t.x1}, ring, unknown);
      split({middle, t.x0, t.y1, t.x1}, ring, unknown);
    } else {
      const int middle = (t.x0 + t.x1) / 2;
      split({t.y0, t.x0, t.y1, middle}, ring, unknown);
      split({t.y0, middle, t.y1, t.x1}, ring, unknown);
    }
  }

  void add_shrunk(const Tile& t) {
    Tile s{t.y1, t.x1, t.y0, t.x0};
    for (int y = t.y0; y < t.y1; ++y)
      for (int x = t.x0; x < t.x1; ++x)
        if (!(*cells_)(y, x)) s = {std::min(s.y0, y), std::min(s.x0, x), std::max(s.y1, y + 1), std::max(s.x1, x + 1)};
    if (s.y0 < s.y1) tiles_.push_back(s);
  }

  std::size_t at(int y, int x) const {
    return static_cast<std::size_t>(y) * static_cast<std::size_t>(cells_->width) + static_cast<std::size_t>(x);
  }
  Counts& prefix(int y, int x) {
    return prefix_[static_cast<std::size_t>(y) * static_cast<std::size_t>(cells_->width + 1) + static_cast<std::size_t>(x)];
  }

  const KnownCells* cells_ = nullptr;
  std::vector<std::uint8_t> beside_;  // an unknown cell within `near` columns of the same row
  std::vector<Counts> prefix_;
  std::vector<Tile> tiles_;
};

/// @brief How much a known cell stands for its surroundings: level l if it is the first known cell, in Morton order, of the
/// aligned square of side 2^l that it lies in. A share of about 4^-l of densely known cells has level l or more.
inline void representative_levels(const KnownCells& cells, std::vector<std::uint8_t>& levels, int highest) {
  const int h = cells.height, w = cells.width;
  levels.assign(static_cast<std::size_t>(h) * static_cast<std::size_t>(w), 0);
  const auto at = [&](int y, int x) {
    return static_cast<std::size_t>(y) * static_cast<std::size_t>(w) + static_cast<std::size_t>(x);
  };
  // The representative of a square is the first of its quarters' ones: found again by its level in the top left of each quarter.
  std::vector<std::int32_t> current, next;
  int ch = h, cw = w;
  current.resize(at(h - 1, w - 1) + 1);
  for (std::size_t i = 0; i < current.size(); ++i) current[i] = cells.known[i] != 0 ? static_cast<std::int32_t>(i) : -1;
  for (int level = 1; level <= highest; ++level) {
    const int nh = (ch + 1) / 2, nw = (cw + 1) / 2;
    next.assign(static_cast<std::size_t>(nh) * static_cast<std::size_t>(nw), -1);
    for (int y = 0; y < nh; ++y)
      for (int x = 0; x < nw; ++x)
        for (int quarter = 3; quarter >= 0; --quarter) {
          const int cy = 2 * y + quarter / 2, cx = 2 * x + quarter % 2;
          if (cy >= ch || cx >= cw) continue;
          const std::int32_t r =
              current[static_cast<std::size_t>(cy) * static_cast<std::size_t>(cw) + static_cast<std::size_t>(cx)];
          if (r >= 0) next[static_cast<std::size_t>(y) * static_cast<std::size_t>(nw) + static_cast<std::size_t>(x)] = r;
        }
    for (const std::int32_t r : next)
      if (r >= 0) levels[static_cast<std::size_t>(r)] = static_cast<std::uint8_t>(level);
    current.swap(next);
    ch = nh;
    cw = nw;
  }
}

/// @brief Chooses the known cells that tell most about a tile's unknown ones.
///
/// A cell is preferred the nearer it is to an unknown cell of the tile and the more it represents: in order of distance / 2^level
/// (ties: row by row), so that a neighbourhood is dense near the gap and thins out away from it. Distances are chamfer distances
/// in rows, with columns of row y `aspects[y]` apart. Deterministic. Cost: linear in the window searched, which doubles its
/// margin until it holds four times the cells wanted.
class NeighbourSearch {
 public:
  void find(const KnownCells& cells, const std::vector<std::uint8_t>& levels, const Tile& tile, const double* aspects, int most,
            std::vector<Cell>& found) {
    set_window(cells, tile, aspects, most);
    measure(cells, tile, aspects);
    ranked_.clear();
    for (int y = 0; y < rows(); ++y)
      for (int x = 0; x < cols(); ++x) {
        const int py = top_ + y, px = column(cells, left_ + x);
        if (!cells(py, px)) continue;
        const std::size_t i = static_cast<std::size_t>(py) * static_cast<std::size_t>(cells.width) + static_cast<std::size_t>(px);
        ranked_.push_back({std::ldexp(distance_[at(y, x)], -levels[i]), {py, left_ + x}});
      }
    const auto first = [](const Ranked& a, const Ranked& b) {
      return a.key != b.key ? a.key < b.key : (a.cell.y != b.cell.y ? a.cell.y < b.cell.y : a.cell.x < b.cell.x);
    };
    if (ranked_.size() > static_cast<std::size_t>(most)) {
      std::nth_element(ranked_.begin(), ranked_.begin() + most, ranked_.end(), first);
      ranked_.resize(static_cast<std::size_t>(most));
    }
    // Row by row: neighbours of one row share a run of the covariance table.
    std::sort(ranked_.begin(), ranked_.end(),
              [](const Ranked& a, const Ranked& b) { return a.cell.y != b.cell.y ? a.cell.y < b.cell.y : a.cell.x < b.cell.x; });
    found.clear();
    for (const auto& r : ranked_) found.push_back(r.cell);
  }

  /// Column of the patch that column x, perhaps beyond a seam, stands for.
  static int column(const KnownCells& cells, int x) { return cells.wraps ? (x % cells.width + cells.width) % cells.width : x; }

 private:
  struct Ranked {
    float key;
    Cell cell;
  };

  int rows() const { return bottom_ - top_; }
  int cols() const { return right_ - left_; }
  std::size_t at(int y, int x) const {
    return static_cast<std::size_t>(y) * static_cast<std::size_t>(cols()) + static_cast<std::size_t>(x);
  }

  void set_window(const KnownCells& cells, const Tile& tile, const double* aspects, int most) {
    const double aspect = std::min(1.0, aspects[(tile.y0 + tile.y1) / 2 < cells.height ? (tile.y0 + tile.y1) / 2 : tile.y0]);
    for (int margin = 4;; margin *= 2) {
      const int sideways = static_cast<int>(std::ceil(margin / aspect));
      top_ = std::max(0, tile.y0 - margin);
      bottom_ = std::min(cells.height, tile.y1 + margin);
      left_ = tile.x0 - sideways;
      right_ = tile.x1 + sideways;
      if (!cells.wraps) {
        left_ = std::max(0, left_);
        right_ = std::min(cells.width, right_);
      } else if (right_ - left_ > cells.width) {
        left_ = (tile.x0 + tile.x1 - cells.width) / 2;  // once round, the tile in the middle
        right_ = left_ + cells.width;
      }
      if (rows() >= cells.height && cols() >= cells.width) return;
      int count = 0;
      for (int y = top_; y < bottom_; ++y)
        for (int x = left_; x < right_; ++x) count += cells(y, column(cells, x));
      if (count >= 4 * most) return;
    }
  }

  /// Two sweeps that carry the distance to the nearest unknown cell of the tile from cell to cell.
  void measure(const KnownCells& cells, const Tile& tile, const double* aspects) {
    distance_.assign(static_cast<std::size_t>(rows()) * static_cast<std::size_t>(cols()), std::numeric_limits<float>::max());
    for (int y = tile.y0; y < tile.y1; ++y)
      for (int x = tile.x0; x < tile.x1; ++x)
        if (!cells(y, x)) distance_[at(y - top_, x - left_)] = 0;
    for (int pass = 0; pass < 2; ++pass) {
      const int step = pass == 0 ? 1 : -1;
      for (int y = pass == 0 ? 0 : rows() - 1; y >= 0 && y < rows(); y += step) {
        const auto across = static_cast<float>(aspects[top_ + y]);
        const float slant = std::sqrt(1 + across * across);
        const bool has_before = pass == 0 ? y > 0 : y + 1 < rows();
        for (int x = 0; x < cols() && has_before; ++x) {
          float d = std::min(distance_[at(y, x)], distance_[at(y - step, x)] + 1);
          if (x > 0) d = std::min(d, distance_[at(y - step, x - 1)] + slant);
          if (x + 1 < cols()) d = std::min(d, distance_[at(y - step, x + 1)] + slant);
          distance_[at(y, x)] = d;
        }
        for (int x = 1; x < cols(); ++x) distance_[at(y, x)] = std::min(distance_[at(y, x)], distance_[at(y, x - 1)] + across);
        for (int x = cols() - 2; x >= 0; --x)
          distance_[at(y, x)] = std::min(distance_[at(y, x)], distance_[at(y, x + 1)] + across);
      }
    }
  }

  int top_ = 0, bottom_ = 0, left_ = 0, right_ = 0;  // the window in the patch; columns may lie beyond a seam
  std::vector<float> distance_;
  std::vector<Ranked> ranked_;
};

}  // namespace lacuna::baseline
