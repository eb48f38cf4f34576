#pragma once

#include <cmath>
#include <vector>

#include "lacuna/data/field.hpp"

namespace lacuna::data {

/// @brief Mean and deviation of each variable, from observed values alone.
struct Normalisation {
  std::vector<double> mean, deviation;  ///< (V) in the variables' units

  /// Normalises in place: (x - mean) / deviation; NaN stays NaN.
  void apply(Fields& f) const {
    transform(f, [](double x, double m, double d) { return (x - m) / d; });
  }
  /// The inverse of apply().
  void restore(Fields& f) const {
    transform(f, [](double x, double m, double d) { return x * d + m; });
  }

 private:
  template <class Rule>
  void transform(Fields& f, const Rule& rule) const {
    const std::size_t variables = f.names.size();
    for (std::size_t i = 0; i < f.values.size(); ++i)
      f.values[i] = static_cast<float>(rule(static_cast<double>(f.values[i]), mean[i % variables], deviation[i % variables]));
  }
};

/// @brief Measures the observed values. A constant variable gets deviation 1.
/// Throws: DataError if a variable has no observed value.
inline Normalisation measure_normalisation(const Fields& f) {
  const std::size_t variables = f.names.size();
  Normalisation n{std::vector<double>(variables), std::vector<double>(variables)};
  for (std::size_t v = 0; v < variables; ++v) {
    double sum = 0, squares = 0, count = 0;
    for (std::size_t i = v; i < f.values.size(); i += variables)
      if (!std::isnan(f.values[i])) {
        sum += static_cast<double>(f.values[i]);
        count += 1;
      }
    require<DataError>(count > 0, "variable ", f.names[v], " has no observed value");
    n.mean[v] = sum / count;
    for (std::size_t i = v; i < f.values.size(); i += variables)
      if (!std::isnan(f.values[i])) squares += std::pow(static_cast<double>(f.values[i]) - n.mean[v], 2);
    const double deviation = std::sqrt(squares / count);
    n.deviation[v] = deviation > 1e-12 * (std::abs(n.mean[v]) + 1e-300) ? deviation : 1.0;
  }
  return n;
}

}  // namespace lacuna::data
