#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

#include "lacuna/core/error.hpp"

namespace lacuna::metrics {

/// @brief Mean squared errors of filled fields, over all positions and over those that were missing, summed over any number of
/// calls.
///
/// The paper's tables of Navier-Stokes and ERA5 give the mean over all positions, observed ones being exact: its value is the one
/// over missing positions times their share.
class SquaredErrors {
 public:
  /// Shapes: filled, truth (..., H, W) | observed (..., H, W), or shorter, a mask that repeats (one of (H, W) that all frames
  /// share), 1 = observed.
  /// NaN: positions whose truth is NaN are not scored; a filled value there is not read. Accumulator: double.
  /// Throws: ShapeError if sizes do not fit, DataError if a scored value of `filled` is not finite.
  template <class T, class U>
  void add(std::span<const T> filled, std::span<const U> truth, std::span<const std::uint8_t> observed) {
    require<ShapeError>(filled.size() == truth.size() && !observed.empty() && truth.size() % observed.size() == 0,
                        "squared error: ", filled.size(), " filled values, ", truth.size(), " true ones and a mask of ",
                        observed.size(), ", expected equal sizes and a mask that divides them");
    for (std::size_t i = 0; i < truth.size(); ++i) {
      if (std::isnan(truth[i])) continue;
      const double error = static_cast<double>(filled[i]) - static_cast<double>(truth[i]);
      require<DataError>(std::isfinite(error), "squared error: value ", i, " is ", filled[i], ", where the truth is ", truth[i]);
      const bool missing = observed[i % observed.size()] == 0;
      sum_ += error * error;
      ++count_;
      sum_missing_ += missing ? error * error : 0.0;
      count_missing_ += missing ? 1U : 0U;
    }
  }

  /// Mean over all scored positions. Throws DataError if there are none.
  double all() const { return mean(sum_, count_); }
  /// Mean over scored positions that were missing. Throws DataError if there are none.
  double missing() const { return mean(sum_missing_, count_missing_); }

 private:
  static double mean(double sum, std::size_t count) {
    require<DataError>(count > 0, "squared error: no position was scored");
    return sum / static_cast<double>(count);
  }

  double sum_ = 0, sum_missing_ = 0;
  std::size_t count_ = 0, count_missing_ = 0;
};

}  // namespace lacuna::metrics
