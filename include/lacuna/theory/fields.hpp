#pragma once

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/core/philox.hpp"
#include "lacuna/data/field.hpp"
#include "lacuna/theory/gaussian.hpp"

namespace lacuna::theory {

/// @brief A Gaussian random field on a grid: mean 0, variance 1, covariance exp(-distance / length), distances in cells.
///
/// What an incomplete sample says about the rest is closed form (law()), so a network that was trained on nothing but incomplete
/// samples can be held against the best that is possible. Throws: OptionError for a length that is not positive.
class ExponentialField {
 public:
  ExponentialField(int height, int width, double length)
      : grid_(cells(height, width)), law_(Eigen::VectorXd::Zero(height * width), covariance(grid_, length)) {}

  const data::Grid& grid() const { return grid_; }
  const Gaussian& law() const { return law_; }

  /// @brief Complete samples, one a frame: values (count, H, W, 1).
  data::Fields draw(int count, std::uint64_t seed) const {
    constexpr int at_once = 64;
    const Eigen::MatrixXd root = law_.covariance().llt().matrixL();
    const auto key = philox_key(seed, Purpose::initial);
    data::Fields out{grid_, {"field"}, {}, {}, {}};
    out.values.reserve(static_cast<std::size_t>(law_.size()) * static_cast<std::size_t>(count));
    for (int first = 0; first < count; first += at_once) {
      Eigen::MatrixXd normals(law_.size(), std::min(at_once, count - first));
      for (int i = 0; i < normals.cols(); ++i) {
        normals.col(i) = standard_normal(law_.size(), key, static_cast<std::uint64_t>(first + i));
        out.time.push_back(first + i);
      }
      const Eigen::MatrixXd x = root.triangularView<Eigen::Lower>() * normals;
      for (const double value : x.reshaped()) out.values.push_back(static_cast<float>(value));
    }
    return out;
  }

 private:
  static data::Grid cells(int height, int width) {
    data::Grid grid;
    for (int y = 0; y < height; ++y) grid.y.push_back(y);
    for (int x = 0; x < width; ++x) grid.x.push_back(x);
    return grid;
  }
  static Eigen::MatrixXd covariance(const data::Grid& grid, double length) {
    require<OptionError>(length > 0, "ExponentialField: a length of ", length, "; expected a positive one");
    const int n = grid.cells(), width = grid.width();
    Eigen::MatrixXd c(n, n);
    for (int i = 0; i < n; ++i)
      for (int j = 0; j < n; ++j) c(i, j) = std::exp(-std::hypot(i / width - j / width, i % width - j % width) / length);
    return c;
  }

  data::Grid grid_;
  Gaussian law_;
};

/// @brief E[x0 | ctx] of a frame's values (H, W) for a law with mean 0: G times what the context has of them.
inline Eigen::VectorXd conditional_mean(const Eigen::MatrixXd& gain, Mask context, std::span<const float> values) {
  Eigen::VectorXd seen = Eigen::VectorXd::Zero(gain.cols());
  for (const auto i : members(context)) seen[i] = static_cast<double>(values[static_cast<std::size_t>(i)]);
  return gain * seen;
}

}  // namespace lacuna::theory
