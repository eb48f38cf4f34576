#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "lacuna/data/picture.hpp"
#include "lacuna/result.hpp"

namespace lacuna::fill {

/// @brief Up to `count` frames in which values were filled: those with the most in equal stretches of the record.
inline std::vector<int> frames_to_show(const data::Fields& input, const data::Fields& filled, int variable, int count) {
  std::vector<int> frames;
  const int total = input.frames(), stretches = std::min(count, total);
  for (int i = 0; i < stretches; ++i) {
    int best = -1, most = 0;
    for (int t = total * i / stretches; t < total * (i + 1) / stretches; ++t) {
      int gaps = 0;
      for (int y = 0; y < input.grid.height(); ++y)
        for (int x = 0; x < input.grid.width(); ++x)
          gaps += !input.observed(t, y, x, variable) && filled.observed(t, y, x, variable) ? 1 : 0;
      if (gaps > most) {
        best = t;
        most = gaps;
      }
    }
    if (best >= 0) frames.push_back(best);
  }
  return frames;
}

/// @brief What a variable's panels show: its name, and what Fields::affine takes away from the values that are drawn.
inline std::string drawn_as(const data::Fields& fields, int variable) {
  const data::Affine affine = fields.affine_of(variable);
  std::string name = fields.names[static_cast<std::size_t>(variable)];
  if (affine.offset != 0) name += text(affine.offset < 0 ? " + " : " - ", std::abs(affine.offset));
  if (affine.factor != 1) name = text(affine.offset != 0 ? "(" + name + ")" : name, " / ", affine.factor);
  return name;
}

/// @brief Draws input, filled field and spread of the variables that had gaps, for a few frames. Throws DataError if the file
/// cannot be written.
inline void draw(const data::Fields& input, const Result& result, const std::string& path,
                 data::Existing existing = data::Existing::replaced) {
  data::Picture picture;
  picture.title = "lacuna-fill";
  picture.height = input.grid.height();
  picture.width = input.grid.width();
  picture.first_row_south = picture.height > 1 && input.grid.geographic && input.grid.y.back() > input.grid.y.front();
  int gappy = 0;
  for (int v = 0; v < input.variables(); ++v) gappy += frames_to_show(input, result.filled, v, 1).empty() ? 0 : 1;
  for (int v = 0; v < input.variables(); ++v) {
    auto frames = frames_to_show(input, result.filled, v, std::max(1, 4 / std::max(1, gappy)));
    if (gappy == 0) frames = {0};
    for (const int t : frames) {
      const auto plane = [&](const std::vector<float>& values) {
        return data::plane_of(values, input.grid.cells(), input.variables(), t, v);
      };
      const std::string name = drawn_as(input, v);
      picture.rows.push_back({.label = text(name, ", frame ", t),
                              .scale = name,
                              .input = plane(input.values),
                              .filled = plane(result.filled.values),
                              .spread = plane(result.spread)});
    }
  }
  data::write_picture(path, picture, existing);
}

}  // namespace lacuna::fill
