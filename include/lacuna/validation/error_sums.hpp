#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace lacuna::validation {

/// @brief Sums over held-out values of one variable, x = truth - background, d = learned anomaly: the squared error of
/// background + weight * anomaly is quadratic in the weight.
struct ErrorSums {
  double xx = 0, xd = 0, dd = 0, count = 0;

  void add(double x, double d) {
    xx += x * x;
    xd += x * d;
    dd += d * d;
    count += 1;
  }
  double squared_error(double weight) const { return xx - 2.0 * weight * xd + weight * weight * dd; }
  /// The weight in [0, 1] with the least error: 0 gives the background back.
  double best_weight() const { return dd > 0 ? std::clamp(xd / dd, 0.0, 1.0) : 0.0; }
};

/// @brief Fills what has no held-out values of its own from those of the same sort (first half: gaps in planes, second: lost
/// planes), or else from all.
template <class Sums, class Add>
void borrow_from_similar(std::vector<Sums>& kinds, const Add& add) {
  const std::vector<Sums> own = kinds;
  const std::size_t half = kinds.size() / 2;
  Sums halves[2], all;
  for (std::size_t k = 0; k < own.size(); ++k) {
    add(halves[k < half ? 0 : 1], own[k]);
    add(all, own[k]);
  }
  for (std::size_t k = 0; k < kinds.size(); ++k) {
    const Sums& same = halves[k < half ? 0 : 1];
    if (own[k].count == 0) kinds[k] = same.count > 0 ? same : all;
  }
}

/// @brief Error on held-out values, per kind of gap, of one way to draw contexts.
struct Score {
  std::vector<ErrorSums> kinds;

  std::vector<double> best_weights() const {
    std::vector<ErrorSums> pooled = kinds;
    borrow_from_similar(pooled, [](ErrorSums& to, const ErrorSums& from) {
      to.xx += from.xx;
      to.xd += from.xd;
      to.dd += from.dd;
      to.count += from.count;
    });
    std::vector<double> weights;
    for (const auto& sums : pooled) weights.push_back(sums.best_weight());
    return weights;
  }
  /// Mean squared error in normalised units: the fraction of variance that is not explained.
  double nmse(const std::vector<double>& weights) const {
    double error = 0, count = 0;
    for (std::size_t k = 0; k < kinds.size(); ++k) {
      error += kinds[k].squared_error(weights[k]);
      count += kinds[k].count;
    }
    return count > 0 ? error / count : 0;
  }
  double nmse() const { return nmse(best_weights()); }
};

}  // namespace lacuna::validation
