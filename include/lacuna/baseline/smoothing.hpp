#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace lacuna::baseline {

/// @brief Convolution of planes (h, w) with a normalised Gaussian of `width` cells, cut off at four widths.
///
/// Columns wrap if `periodic`; beyond other edges lie zeros, so that smoothed sums over smoothed counts are means of what is
/// there. A width below a fifth of a cell leaves planes as they are. Cost: linear in area and width.
class GaussianFilter {
 public:
  GaussianFilter(int height, int width, bool periodic, double sigma) : h_(height), w_(width), periodic_(periodic) {
    radius_ = sigma < 0.2 ? 0 : static_cast<int>(4 * sigma + 0.5);
    double sum = 0;
    for (int i = -radius_; i <= radius_; ++i) sum += std::exp(radius_ == 0 ? 0.0 : -0.5 * i * i / (sigma * sigma));
    for (int i = 0; i <= radius_; ++i)
      taps_.push_back(static_cast<float>(std::exp(radius_ == 0 ? 0.0 : -0.5 * i * i / (sigma * sigma)) / sum));
    padded_.resize(static_cast<std::size_t>(w_ + 2 * radius_));
    rows_.resize(static_cast<std::size_t>(h_) * static_cast<std::size_t>(w_));
  }

  /// out = filtered in; they must not overlap unless they are equal.
  void operator()(const float* in, float* out) {
    if (radius_ == 0) {
      if (in != out) std::copy(in, in + rows_.size(), out);
      return;
    }
    const auto w = static_cast<std::size_t>(w_), r = static_cast<std::size_t>(radius_);
    for (int y = 0; y < h_; ++y) {
      pad(in + static_cast<std::size_t>(y) * w);
      const float* centre = padded_.data() + r;
      float* row = rows_.data() + static_cast<std::size_t>(y) * w;
      for (std::size_t x = 0; x < w; ++x) row[x] = taps_[0] * centre[x];
      for (std::size_t i = 1; i <= r; ++i) {
        const float tap = taps_[i];
        const float *left = centre - i, *right = centre + i;
        for (std::size_t x = 0; x < w; ++x) row[x] += tap * (left[x] + right[x]);
      }
    }
    for (int y = 0; y < h_; ++y) {
      float* to = out + static_cast<std::size_t>(y) * w;
      std::fill(to, to + w, 0.0f);
      for (int j = std::max(0, y - radius_); j <= std::min(h_ - 1, y + radius_); ++j) {
        const float tap = taps_[static_cast<std::size_t>(std::abs(j - y))];
        const float* row = rows_.data() + static_cast<std::size_t>(j) * w;
        for (std::size_t x = 0; x < w; ++x) to[x] += tap * row[x];
      }
    }
  }

 private:
  void pad(const float* row) {
    for (int i = 0; i < w_ + 2 * radius_; ++i) {
      int x = i - radius_;
      if (periodic_) x = (x % w_ + w_) % w_;
      padded_[static_cast<std::size_t>(i)] = x >= 0 && x < w_ ? row[x] : 0.0f;
    }
  }

  int h_, w_;
  bool periodic_;
  int radius_ = 0;
  std::vector<float> taps_, padded_, rows_;
};

}  // namespace lacuna::baseline
