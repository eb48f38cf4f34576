#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <vector>

#include "lacuna/model/ensemble_values.hpp"

namespace lacuna::model {

/// @brief Turns the deviation of the ensemble's members into an uncertainty:
/// spread^2 = factor^2 deviation^2 + floor^2 expected^2.
///
/// An ensemble of contexts does not see all of the error: deep inside a lost block every context says the same. The floor is the
/// part that it leaves out; it grows with the distance from the observations as the background's expected error does.
struct SpreadModel {
  double factor = 1, floor = 0;

  double spread(double deviation, double expected) const { return std::hypot(factor * deviation, floor * expected); }
};

/// @brief Fits the model of each kind of gap to the errors of the chosen mean on held-out values.
///
/// The mean of spread^2 is made equal to the mean squared error; the share of it that follows the ensemble's deviation is the
/// one of 0, 0.1, ..., 1 with the largest Gaussian likelihood. errors: of the chosen mean, in the order of `values`.
inline std::vector<SpreadModel> fit_spread(std::span<const EnsembleValue> values, const std::vector<double>& errors,
                                           const std::vector<double>& weights) {
  constexpr int shares = 11;
  struct Sums {
    double variance = 0, expected = 0, squares = 0, count = 0;
    std::array<double, shares> deviance{};  // minus twice the log likelihood, but for a constant

    SpreadModel model(int share) const {
      const double part = variance > 0 ? static_cast<double>(share) / (shares - 1) : 0.0;
      return {variance > 0 ? std::sqrt(part * squares / variance) : 0.0,
              expected > 0 ? std::sqrt((1.0 - part) * squares / expected) : 0.0};
    }
  };
  std::vector<Sums> kinds(weights.size());
  const auto deviation = [&](const EnsembleValue& e) { return std::sqrt(e.variance(weights[e.kind])); };
  for (std::size_t i = 0; i < values.size(); ++i) {
    Sums& sums = kinds[values[i].kind];
    sums.variance += std::pow(deviation(values[i]), 2);
    sums.expected += std::pow(values[i].kriging_std, 2);
    sums.squares += errors[i] * errors[i];
    sums.count += 1;
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    Sums& sums = kinds[values[i].kind];
    for (int share = 0; share < shares; ++share) {
      const double s = std::max(sums.model(share).spread(deviation(values[i]), values[i].kriging_std), 1e-12);
      sums.deviance[static_cast<std::size_t>(share)] += 2.0 * std::log(s) + errors[i] * errors[i] / (s * s);
    }
  }
  validation::borrow_from_similar(kinds, [](Sums& to, const Sums& from) {
    to.variance += from.variance;
    to.expected += from.expected;
    to.squares += from.squares;
    to.count += from.count;
    for (std::size_t share = 0; share < shares; ++share) to.deviance[share] += from.deviance[share];
  });
  std::vector<SpreadModel> models;
  for (const Sums& sums : kinds)
    models.push_back(sums.squares > 0 ? sums.model(static_cast<int>(std::min_element(sums.deviance.begin(), sums.deviance.end()) -
                                                                    sums.deviance.begin()))
                                      : SpreadModel{});
  return models;
}

}  // namespace lacuna::model
