#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <sstream>
#include <string>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/data/picture.hpp"

namespace lacuna::experiment {

/// @brief A plane (H, W) and what it is.
struct Panel {
  std::string label;
  std::vector<float> values;
};

/// @brief Words in lines that are no wider than `width` pixels in small letters, but for a word that is.
inline std::vector<std::string> wrapped(const std::string& words, int width) {
  std::vector<std::string> lines{""};
  std::istringstream rest(words);
  for (std::string word; rest >> word;) {
    const std::string longer = lines.back().empty() ? word : lines.back() + " " + word;
    if (lines.back().empty() || data::Canvas::text_width(longer, 1) <= width) {
      lines.back() = longer;
    } else {
      lines.push_back(word);
    }
  }
  return lines;
}

/// @brief Draws truth, observed and each method side by side, and under the methods their errors |filled - truth|, in the manner
/// of the paper's figures. Many methods make several such bands, each of which begins with truth and observed. One scale for the
/// fields, one for the errors. Throws: ShapeError if a plane has another size.
inline data::Canvas draw_comparison(const std::string& title, int height, int width, const std::vector<float>& truth,
                                    const std::vector<float>& observed, const std::vector<Panel>& methods) {
  using namespace data;
  using namespace data::picture;
  constexpr int most_in_a_band = 6, narrowest = 150, small_line = 12;
  const auto check = [&](const Panel& p) {
    require<ShapeError>(p.values.size() == static_cast<std::size_t>(height) * static_cast<std::size_t>(width),
                        "picture: ", p.label, " has ", p.values.size(), " cells, expected ", height, " x ", width);
  };
  const Panel first{"truth", truth}, second{"observed", observed};
  check(first);
  check(second);
  const int zoom = std::max(1, 192 / std::max(height, width)), count = static_cast<int>(methods.size());
  PanelSize size(height, width);
  size.width = width * zoom;
  size.height = height * zoom;
  const int slot = std::max(size.width, narrowest), step = slot + gap;
  std::vector<std::vector<float>> errors;
  std::vector<float> all;
  std::size_t label_lines = 1;
  for (const Panel& p : methods) {
    check(p);
    errors.push_back(p.values);
    for (std::size_t i = 0; i < truth.size(); ++i) errors.back()[i] = std::abs(p.values[i] - truth[i]);
    all.insert(all.end(), errors.back().begin(), errors.back().end());
    label_lines = std::max(label_lines, wrapped(p.label, slot).size());
  }
  const data::picture::Range range = robust_range(truth, 0.01, 0.99), error_range = {0, robust_range(all, 0.01, 0.99).high};
  Picture shape;
  shape.height = height;
  shape.width = width;
  const int bands = std::max(1, (count + most_in_a_band - 1) / most_in_a_band), across = 2 + std::min(count, most_in_a_band);
  const int labels = small_line * static_cast<int>(label_lines) + 4;
  const int band = labels + 2 * (size.height + gap), top = margin + line + 8, bar = margin + step * across;
  Canvas canvas(std::max(bar + bar_width + bar_label, margin + Canvas::text_width(title)) + margin,
                top + band * bands + margin - gap);
  canvas.write(margin, margin, title, ink);
  const auto draw = [&](const Panel& p, int x, int y) {
    const auto lines = wrapped(p.label, slot);
    for (std::size_t i = 0; i < lines.size(); ++i)
      canvas.write(x, y + labels - small_line * static_cast<int>(lines.size() - i), lines[i], ink, 1);
    draw_panel(canvas, x, y + labels, size, shape, p.values, truth, viridis, range);
  };
  for (int b = 0; b < bands; ++b) {
    const int y = top + band * b, below = y + labels + size.height + gap;
    draw(first, margin, y);
    draw(second, margin + step, y);
    for (int i = b * most_in_a_band; i < std::min(count, (b + 1) * most_in_a_band); ++i) {
      const int x = margin + step * (2 + i % most_in_a_band);
      draw(methods[static_cast<std::size_t>(i)], x, y);
      draw_panel(canvas, x, below, size, shape, errors[static_cast<std::size_t>(i)], truth, magma, error_range);
    }
    draw_bar(canvas, bar, y + labels, size.height, viridis, range);
    draw_bar(canvas, bar, below, size.height, magma, error_range);
  }
  return canvas;
}

}  // namespace lacuna::experiment
