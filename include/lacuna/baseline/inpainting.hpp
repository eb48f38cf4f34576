#pragma once

#include <algorithm>
#include <cstdint>
#include <opencv2/photo.hpp>
#include <vector>

#include "lacuna/baseline/interpolation.hpp"
#include "lacuna/data/field.hpp"

namespace lacuna::baseline {

/// @brief Inpainting of one plane by OpenCV; a fill made for a mask like interpolation.hpp's. Needs OpenCV (target
/// lacuna::opencv).
///
/// cv::inpaint lets values under the mask and, for Telea, the units act on the result. So gaps start as the mean of the known
/// cells, and known values are mapped to 0 ... 255 in float: nothing is rounded to eight bits. A periodic grid is inpainted with
/// half a lap more on either side. Known cells keep their values; a plane without any becomes zero.
/// Determinism: bit for bit      Cost: one pass of cv::inpaint a plane
template <int algorithm>
class Inpainting {
 public:
  static constexpr double radius = 3;  ///< cells, of the neighbourhood that each gap is filled from

  Inpainting(const data::Grid& grid, const std::uint8_t* known)
      : mean_(grid, known),
        known_(known, known + grid.cells()),
        height_(grid.height()),
        width_(grid.width()),
        margin_(grid.periodic_x ? (grid.width() + 1) / 2 : 0) {}

  void operator()(const float* values, float* out) const {
    std::vector<float> filled(known_.size());
    mean_(values, filled.data());
    const auto [least, most] = std::minmax_element(filled.begin(), filled.end());
    const float low = *least, range = *most - low;
    if (range > 0) {
      cv::Mat image(height_, width_ + 2 * margin_, CV_32FC1), gaps(image.size(), CV_8UC1), result;
      for (int y = 0; y < height_; ++y)
        for (int x = 0; x < image.cols; ++x) {
          const std::size_t i = cell(y, x);
          image.at<float>(y, x) = (filled[i] - low) / range * 255.0f;
          gaps.at<std::uint8_t>(y, x) = known_[i] != 0 ? 0 : 255;
        }
      cv::inpaint(image, gaps, result, radius, algorithm);
      for (int y = 0; y < height_; ++y)
        for (int x = margin_; x < margin_ + width_; ++x) {
          const std::size_t i = cell(y, x);
          if (known_[i] == 0) filled[i] = result.at<float>(y, x) / 255.0f * range + low;
        }
    }
    std::copy(filled.begin(), filled.end(), out);
  }

 private:
  std::size_t cell(int y, int x) const {
    return static_cast<std::size_t>(y) * static_cast<std::size_t>(width_) +
           static_cast<std::size_t>((x - margin_ + width_) % width_);
  }

  MeanFill mean_;
  std::vector<std::uint8_t> known_;
  int height_, width_, margin_;
};

/// @brief Fast marching. Source: Telea, J. Graphics Tools 9(1), 2004, doi:10.1080/10867651.2004.10487596.
using TeleaFill = Inpainting<cv::INPAINT_TELEA>;
/// @brief Isophotes carried into the gap as a fluid would. Source: Bertalmio, Bertozzi and Sapiro, CVPR 2001,
/// doi:10.1109/CVPR.2001.990497.
using NavierStokesFill = Inpainting<cv::INPAINT_NS>;

}  // namespace lacuna::baseline
