#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "lacuna/baseline/planes.hpp"
#include "lacuna/data/field.hpp"
#include "lacuna/mask/groups.hpp"

namespace lacuna::baseline {

/// @brief The spatial part of temporal consistency, a fill of one plane: the mean of the known cells within `reach` rows and
/// columns with weights exp(-d / decay), d being a known cell's own distance from the nearest unknown one; zero where there is
/// none.
///
/// These weights are those of the published experiments: a value counts less the deeper it lies inside what is known.
/// Cost: per unknown cell (2 reach + 1)^2 products
class WindowFill {
 public:
  static constexpr int reach = 5;       ///< cells
  static constexpr double decay = 5.0;  ///< cells

  WindowFill(const data::Grid& grid, const std::uint8_t* known)
      : height_(grid.height()),
        width_(grid.width()),
        periodic_(grid.periodic_x),
        weights_(static_cast<std::size_t>(grid.cells())) {
    const auto depth = depths(known);
    for (std::size_t i = 0; i < weights_.size(); ++i)
      if (known[i] != 0) weights_[i] = static_cast<float>(std::exp(-depth[i] / decay));
  }

  void operator()(const float* values, float* out) const {
    std::vector<float> filled(weights_.size(), 0.0f);
    for (int y = 0; y < height_; ++y)
      for (int x = 0; x < width_; ++x) {
        if (weights_[at(y, x)] > 0) {
          filled[at(y, x)] = values[at(y, x)];
          continue;
        }
        float sum = 0, total = 0;
        each_within_reach(y, x, [&](std::size_t i) {
          if (weights_[i] <= 0) return;
          sum += weights_[i] * values[i];
          total += weights_[i];
        });
        if (total > 0) filled[at(y, x)] = sum / total;
      }
    std::copy(filled.begin(), filled.end(), out);
  }

 private:
  std::size_t at(int y, int x) const {
    return static_cast<std::size_t>(y) * static_cast<std::size_t>(width_) + static_cast<std::size_t>(x);
  }

  /// visit(cell) for the cells within reach, each once.
  template <class Visit>
  void each_within_reach(int y, int x, const Visit& visit) const {
    const int left = periodic_ ? std::min(reach, (width_ - 1) / 2) : std::min(reach, x);
    const int right = periodic_ ? std::min(reach, width_ / 2) : std::min(reach, width_ - 1 - x);
    for (int row = std::max(0, y - reach); row <= std::min(height_ - 1, y + reach); ++row)
      for (int dx = -left; dx <= right; ++dx) visit(at(row, (x + dx + width_) % width_));
  }

  /// Distance in cells of each cell from the nearest unknown one, up to what a window can see of it.
  std::vector<double> depths(const std::uint8_t* known) const {
    constexpr int far = 8;  // at least reach * sqrt(2): an unknown cell further away has this one outside its window
    std::vector<int> along(weights_.size(), far);  // the same within a row
    for (int y = 0; y < height_; ++y) {
      const auto sweep = [&](int first, int step) {
        int d = far;
        for (int i = 0, x = first; i < (periodic_ ? 2 : 1) * width_; ++i, x = (x + step + width_) % width_) {
          d = known[at(y, x)] == 0 ? 0 : std::min(far, d + 1);
          along[at(y, x)] = std::min(along[at(y, x)], d);
        }
      };
      sweep(0, 1);
      sweep(width_ - 1, -1);
    }
    std::vector<double> depths(weights_.size());
    for (int y = 0; y < height_; ++y)
      for (int x = 0; x < width_; ++x) {
        int least = far * far;
        for (int row = std::max(0, y - far); row <= std::min(height_ - 1, y + far); ++row)
          least = std::min(least, along[at(row, x)] * along[at(row, x)] + (row - y) * (row - y));
        depths[at(y, x)] = std::sqrt(static_cast<double>(least));
      }
    return depths;
  }

  int height_, width_;
  bool periodic_;
  std::vector<float> weights_;  // 0: unknown
};

/// @brief Temporal consistency: where a value is missing, the previous frame's if it was observed, else the next frame's; where
/// neither was, WindowFill of the frame's own observations.
///
/// With a mask shared by the frames only the window acts.
/// Shapes: fields (T,H,W,V), normalised, NaN = not observed | masks (T,H,W,V), of their observed values | out (count,H,W,V), of
/// frames [first, first + count)      Determinism: bit for bit
/// Source: Huang et al., ACM Transactions on Graphics 35(6), 2016, doi:10.1145/2980179.2982398, as simplified in the published
/// experiments of arXiv:2509.20098
inline void temporal_consistency(const data::Fields& fields, const mask::Masks& masks, int first, int count, float* out) {
  fill_planes<WindowFill>(fields, masks, first, count, out);
  const std::size_t frame = fields.frame_size();
  for (int t = first; t < first + count; ++t)
    for (std::size_t i = frame * static_cast<std::size_t>(t); i < frame * static_cast<std::size_t>(t + 1); ++i, ++out) {
      if (!std::isnan(fields.values[i])) continue;
      if (t > 0 && !std::isnan(fields.values[i - frame]))
        *out = fields.values[i - frame];
      else if (t + 1 < fields.frames() && !std::isnan(fields.values[i + frame]))
        *out = fields.values[i + frame];
    }
}

}  // namespace lacuna::baseline
