#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "lacuna/data/picture.hpp"

namespace lacuna::experiment {

/// @brief A plane (H, W) and what it is.
struct Panel {
  std::string label;
  std::vector<float> values;
};

/// @brief Draws truth, observed and each method in a row, and under the methods their errors |filled - truth|, in the manner of
/// the paper's figures. One scale for the fields, one for the errors. Throws: ShapeError if a plane has another size.
inline data::Canvas draw_comparison(const std::string& title, int height, int width, const std::vector<float>& truth,
                                    const std::vector<float>& observed, const std::vector<Panel>& methods) {
  using namespace data;
  using namespace data::picture;
  Picture shape;
  shape.height = height;
  shape.width = width;
  std::vector<Panel> fields{{"truth", truth}, {"observed", observed}}, errors;
  fields.insert(fields.end(), methods.begin(), methods.end());
  for (const Panel& p : fields)
    require<ShapeError>(p.values.size() == static_cast<std::size_t>(height) * static_cast<std::size_t>(width),
                        "picture: ", p.label, " has ", p.values.size(), " cells, expected ", height, " x ", width);
  std::vector<float> all;
  for (const Panel& p : methods) {
    Panel error{"error", p.values};
    for (std::size_t i = 0; i < truth.size(); ++i) error.values[i] = std::abs(p.values[i] - truth[i]);
    all.insert(all.end(), error.values.begin(), error.values.end());
    errors.push_back(std::move(error));
  }
  const data::picture::Range range = robust_range(truth, 0.01, 0.99), error_range = {0, robust_range(all, 0.01, 0.99).high};
  const int zoom = std::max(1, 192 / std::max(height, width));
  PanelSize size(height, width);
  size.width = width * zoom;
  size.height = height * zoom;
  const int step = std::max(size.width, 150) + gap, top = margin + line + 8 + line, below = top + size.height + gap;
  Canvas canvas(margin + step * static_cast<int>(fields.size()) + bar_width + bar_label + margin, below + size.height + margin);
  canvas.write(margin, margin, title, ink);
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const int x = margin + step * static_cast<int>(i);
    canvas.write(x, top - line + 8, fields[i].label, ink, 1);
    draw_panel(canvas, x, top, size, shape, fields[i].values, truth, viridis, range);
    if (i >= 2) draw_panel(canvas, x, below, size, shape, errors[i - 2].values, truth, magma, error_range);
  }
  const int bar = margin + step * static_cast<int>(fields.size());
  draw_bar(canvas, bar, top, size.height, viridis, range);
  draw_bar(canvas, bar, below, size.height, magma, error_range);
  return canvas;
}

}  // namespace lacuna::experiment
