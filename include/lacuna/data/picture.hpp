#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/data/picture_canvas.hpp"

namespace lacuna::data {

/// @brief One frame of one variable: planes (H, W), NaN = no value.
struct PictureRow {
  std::string label;  ///< for example "sst, 1996-01-05 12:00"
  std::string scale;  ///< rows of the same scale (a variable's name, say) share their colours
  std::vector<float> input, filled, spread;
};

/// @brief What write_picture draws.
struct Picture {
  std::string title;
  int height = 0, width = 0;     ///< H, W of every plane
  bool first_row_south = false;  ///< rows go northwards: drawn bottom up, so that north is up
  std::vector<PictureRow> rows;
};

/// @brief Frame t of variable v of values in the layout (T, cells, V).
inline std::vector<float> plane_of(std::span<const float> values, int cells, int variables, int t, int v) {
  std::vector<float> out(static_cast<std::size_t>(cells));
  const auto stride = static_cast<std::size_t>(variables);
  for (std::size_t c = 0; c < out.size(); ++c)
    out[c] = values[(static_cast<std::size_t>(t) * out.size() + c) * stride + static_cast<std::size_t>(v)];
  return out;
}

namespace picture {

inline constexpr Colour ink{40, 40, 40}, grey{205, 205, 205}, hatch{160, 160, 160};
inline constexpr int margin = 20, gap = 16, bar_width = 14, bar_label = 94, line = 22;

struct Range {
  double low = 0, high = 1;
  double position(float value) const { return (static_cast<double>(value) - low) / (high - low); }
};

/// The values between which the colours lie: percentiles `below` and `above`, so that single outliers do not wash out the rest.
inline Range robust_range(std::vector<float> values, double below, double above) {
  std::erase_if(values, [](float x) { return !std::isfinite(x); });
  if (values.empty()) return {};
  const auto percentile = [&](double fraction) {
    const auto n = static_cast<std::ptrdiff_t>(std::lround(fraction * static_cast<double>(values.size() - 1)));
    std::nth_element(values.begin(), values.begin() + n, values.end());
    return static_cast<double>(values[static_cast<std::size_t>(n)]);
  };
  Range out{percentile(below), percentile(above)};
  if (!(out.high - out.low > 1e-6 * std::abs(out.high))) {
    const double half = std::max(0.5 * std::abs(out.high) * 1e-3, std::numeric_limits<float>::min() * 1.0);
    out = {out.low - half, out.high + half};
  }
  return out;
}

/// A number with as many decimals as tell the ends of the range apart.
inline std::string number(double value, const Range& range) {
  char buffer[32] = {};
  const double span = range.high - range.low, largest = std::max(std::abs(range.low), std::abs(range.high));
  if (largest >= 1e6 || span < 1e-3) {
    std::snprintf(buffer, sizeof buffer, "%.3g", value);
  } else {
    std::snprintf(buffer, sizeof buffer, "%.*f", std::clamp(2 - static_cast<int>(std::floor(std::log10(span))), 0, 5), value);
  }
  return buffer;
}

/// Size of a panel on the canvas: whole pixels a cell for small grids, fewer pixels than cells for large ones.
struct PanelSize {
  int width, height;

  PanelSize(int rows, int columns) {
    const int longest = std::max(rows, columns), largest = longest > 100 ? 400 : 320;
    if (longest <= largest) {
      const int zoom = largest / longest;
      width = columns * zoom;
      height = rows * zoom;
    } else {
      const double zoom = static_cast<double>(largest) / longest;
      width = std::max(1, static_cast<int>(columns * zoom));
      height = std::max(1, static_cast<int>(rows * zoom));
    }
  }
};

/// Draws a plane; cells without a value are grey, hatched where `filled` has one (a gap that was filled).
inline void draw_panel(Canvas& canvas, int x0, int y0, const PanelSize& size, const Picture& p, const std::vector<float>& plane,
                       const std::vector<float>& filled, const ColourMap& map, const Range& range) {
  for (int y = 0; y < size.height; ++y) {
    const int shown = static_cast<int>(static_cast<long long>(y) * p.height / size.height);
    const int row = p.first_row_south ? p.height - 1 - shown : shown;
    for (int x = 0; x < size.width; ++x) {
      const int column = static_cast<int>(static_cast<long long>(x) * p.width / size.width);
      const std::size_t cell =
          static_cast<std::size_t>(row) * static_cast<std::size_t>(p.width) + static_cast<std::size_t>(column);
      Colour c = grey;
      if (!std::isnan(plane[cell])) {
        c = colour_at(map, range.position(plane[cell]));
      } else if (!std::isnan(filled[cell]) && (x + y) % 6 < 2) {
        c = hatch;
      }
      canvas.set(x0 + x, y0 + y, c);
    }
  }
  canvas.frame(x0, y0, size.width, size.height, ink);
}

/// Draws a vertical colour bar with its largest value at the top.
inline void draw_bar(Canvas& canvas, int x, int y, int height, const ColourMap& map, const Range& range) {
  for (int i = 0; i < height; ++i) {
    canvas.fill(x, y + i, bar_width, 1, colour_at(map, 1.0 - static_cast<double>(i) / std::max(1, height - 1)));
  }
  canvas.frame(x, y, bar_width, height, ink);
  canvas.write(x + bar_width + 7, y, number(range.high, range), ink);
  if (height >= 80)
    canvas.write(x + bar_width + 7, y + height / 2 - glyph_height, number((range.low + range.high) / 2, range), ink);
  canvas.write(x + bar_width + 7, y + height - 2 * glyph_height, number(range.low, range), ink);
}

inline void require_planes(const Picture& p) {
  require<ShapeError>(p.height > 0 && p.width > 0 && !p.rows.empty(), "picture: ", p.rows.size(), " rows of planes ", p.height,
                      " x ", p.width);
  const std::size_t cells = static_cast<std::size_t>(p.height) * static_cast<std::size_t>(p.width);
  for (const PictureRow& row : p.rows) {
    require<ShapeError>(row.input.size() == cells && row.filled.size() == cells && row.spread.size() == cells, "picture: row ",
                        row.label, " has planes of ", row.input.size(), ", ", row.filled.size(), " and ", row.spread.size(),
                        " values, expected ", p.height, " x ", p.width);
  }
}

/// All values of the rows that share a scale.
inline std::vector<float> values_of(const Picture& p, const std::string& scale, bool spread) {
  std::vector<float> out;
  for (const PictureRow& row : p.rows) {
    if (row.scale != scale) continue;
    if (spread) {
      out.insert(out.end(), row.spread.begin(), row.spread.end());
    } else {
      out.insert(out.end(), row.input.begin(), row.input.end());
      out.insert(out.end(), row.filled.begin(), row.filled.end());
    }
  }
  return out;
}

}  // namespace picture

/// @brief Draws each row as input (gaps hatched), filled field and spread, side by side, with a colour bar for the field and one
/// for the spread. Colours run between the percentiles 1 and 99 of what a scale's rows hold; the spread's from 0 to
/// percentile 99. Throws: ShapeError if a plane has another size.
inline Canvas draw_picture(const Picture& p) {
  using namespace picture;
  require_planes(p);
  const PanelSize size(p.height, p.width);
  const int bar = gap / 2 + bar_width + bar_label;
  const int x_input = margin, x_filled = x_input + size.width + gap, x_spread = x_filled + size.width + bar + gap;
  const int top = margin + (p.title.empty() ? 0 : line + 8) + line, step = line + size.height + gap;
  const int width = std::max(x_spread + size.width + bar, margin + Canvas::text_width(p.title)) + margin;
  Canvas canvas(width, top + step * static_cast<int>(p.rows.size()) + margin - gap);
  if (!p.title.empty()) canvas.write(margin, margin, p.title, ink);
  canvas.write(x_input, top - line, "input", ink);
  canvas.write(x_filled, top - line, "filled", ink);
  canvas.write(x_spread, top - line, "spread", ink);
  for (std::size_t r = 0; r < p.rows.size(); ++r) {
    const PictureRow& row = p.rows[r];
    const int y = top + step * static_cast<int>(r) + line;
    const Range range = robust_range(values_of(p, row.scale, false), 0.01, 0.99);
    Range spread = robust_range(values_of(p, row.scale, true), 0.0, 0.99);
    spread.low = 0;
    if (!(spread.high > 0)) spread.high = 1;
    canvas.write(margin, y - line + 2, row.label, ink);
    draw_panel(canvas, x_input, y, size, p, row.input, row.filled, viridis, range);
    draw_panel(canvas, x_filled, y, size, p, row.filled, row.filled, viridis, range);
    draw_panel(canvas, x_spread, y, size, p, row.spread, row.spread, magma, spread);
    draw_bar(canvas, x_filled + size.width + gap / 2, y, size.height, viridis, range);
    draw_bar(canvas, x_spread + size.width + gap / 2, y, size.height, magma, spread);
  }
  return canvas;
}

/// @brief Draws the picture (see draw_picture) into a PNG file, which replaces an existing one whole or not at all.
/// Throws: ShapeError if a plane has another size; DataError if the file cannot be written.
inline void write_picture(const std::string& path, const Picture& picture, Existing existing = Existing::replaced) {
  draw_picture(picture).save(path, existing);
}

}  // namespace lacuna::data
