#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "lacuna/core/error.hpp"

namespace lacuna::data {

/// @brief The horizontal grid of a data set: one coordinate per row and one per column.
struct Grid {
  std::vector<double> y, x;  ///< row and column coordinates: degrees north and east when geographic, else any unit
  bool geographic = false;   ///< distances are great-circle kilometres, else Euclidean in the coordinates' unit
  bool periodic_x = false;   ///< the last column's neighbour is the first (a full circle of longitude)

  int height() const { return static_cast<int>(y.size()); }
  int width() const { return static_cast<int>(x.size()); }
  int cells() const { return height() * width(); }
};

/// @brief A rectangle of a grid: rows y .. y + height - 1, columns x .. x + width - 1 (modulo the grid's width if periodic).
struct Patch {
  int y = 0, x = 0, height = 0, width = 0;
  bool operator==(const Patch&) const = default;
  constexpr int cells() const { return height * width; }
};

/// @brief The patch that is the whole grid.
inline Patch whole(const Grid& grid) { return {0, 0, grid.height(), grid.width()}; }

/// @brief Frames begin .. end - 1.
struct FrameRange {
  int begin = 0, end = 0;

  int size() const { return end - begin; }
  bool contains(int t) const { return t >= begin && t < end; }
  bool operator==(const FrameRange&) const = default;
};

/// @brief What two ranges share; {0, 0} if nothing.
inline FrameRange common(const FrameRange& a, const FrameRange& b) {
  const FrameRange both{std::max(a.begin, b.begin), std::min(a.end, b.end)};
  return both.size() > 0 ? both : FrameRange{};
}

/// @brief What the numbers of a variable stand for: value = offset + factor * number.
///
/// A float keeps 24 bits. Values that vary little beside their size, or that are larger or smaller than floats can be, lose their
/// signal in it; numbers centred and scaled in double keep it.
struct Affine {
  double offset = 0, factor = 1;  ///< in the variable's unit

  bool is_identity() const { return offset == 0 && factor == 1; }
  double value(float number) const {
    return is_identity() ? static_cast<double>(number) : offset + factor * static_cast<double>(number);
  }
  float number(double value) const { return static_cast<float>(is_identity() ? value : (value - offset) / factor); }
  bool operator==(const Affine&) const = default;
};

/// @brief Gappy variables on one grid over time, in memory: values (T, H, W, V) with V contiguous, NaN = not observed.
struct Fields {
  Grid grid;
  std::vector<std::string> names;  ///< V variable names
  std::vector<double> time;        ///< T time coordinates in the file's unit (frame numbers when the file has none)
  std::string time_units;          ///< CF units of `time` ("days since 1900-01-01"), empty if unknown
  std::vector<float> values;       ///< (T, H, W, V)
  std::vector<Affine> affine{};    ///< (V) what the values stand for; empty: for themselves

  int frames() const { return static_cast<int>(time.size()); }
  int variables() const { return static_cast<int>(names.size()); }
  std::size_t frame_size() const { return static_cast<std::size_t>(grid.cells()) * names.size(); }

  /// Index of variable v in row y, column x of frame t.
  std::size_t index(int t, int y, int x, int v) const {
    return ((static_cast<std::size_t>(t) * static_cast<std::size_t>(grid.height()) + static_cast<std::size_t>(y)) *
                static_cast<std::size_t>(grid.width()) +
            static_cast<std::size_t>(x)) *
               names.size() +
           static_cast<std::size_t>(v);
  }
  float at(int t, int y, int x, int v) const { return values[index(t, y, x, v)]; }
  float& at(int t, int y, int x, int v) { return values[index(t, y, x, v)]; }
  Affine affine_of(int v) const { return affine.empty() ? Affine{} : affine[static_cast<std::size_t>(v)]; }
  bool observed(int t, int y, int x, int v) const { return !std::isnan(at(t, y, x, v)); }
};

/// @brief A copy of some frames. Throws: ShapeError if the range leaves the fields or is empty.
inline Fields frames_of(const Fields& f, const FrameRange& range) {
  require<ShapeError>(range.begin >= 0 && range.size() >= 1 && range.end <= f.frames(), "frames ", range.begin, ":", range.end,
                      " of ", f.frames());
  const auto cut = [](const auto& from, std::size_t begin, std::size_t end) {
    return std::remove_cvref_t<decltype(from)>(from.begin() + static_cast<std::ptrdiff_t>(begin),
                                               from.begin() + static_cast<std::ptrdiff_t>(end));
  };
  const auto begin = static_cast<std::size_t>(range.begin), end = static_cast<std::size_t>(range.end);
  return {f.grid,  f.names, cut(f.time, begin, end), f.time_units, cut(f.values, begin * f.frame_size(), end * f.frame_size()),
          f.affine};
}

inline constexpr float not_observed = std::numeric_limits<float>::quiet_NaN();

/// @brief Throws ShapeError unless the sizes of values, coordinates and names agree.
inline void require_consistent(const Fields& f) {
  require<ShapeError>(f.frames() > 0 && f.variables() > 0 && f.grid.cells() > 0, "Fields: ", f.frames(), " frames (time) of ",
                      f.grid.height(), " x ", f.grid.width(), " cells (grid.y, grid.x) and ", f.variables(),
                      " variables (names), expected one or more of each");
  require<ShapeError>(f.values.size() == f.frame_size() * f.time.size(), "Fields: ", f.values.size(), " values, expected ",
                      f.frames(), " frames x ", f.grid.height(), " x ", f.grid.width(), " x ", f.variables(), " variables");
  require<ShapeError>(f.affine.empty() || f.affine.size() == f.names.size(), "Fields: affine of ", f.affine.size(),
                      " variables, expected none or ", f.variables());
}

}  // namespace lacuna::data
