#pragma once

#include <cmath>
#include <cstdint>

#include "lacuna/core/philox.hpp"
#include "lacuna/data/field.hpp"

// Data for examples: moving waves, of which each pixel is observed with one probability, three frames alike.

namespace lacuna::common {

inline double wave(int t, int y, int x) {
  return std::sin(0.4 * x + 0.25 * y - 0.5 * t) + 0.5 * std::cos(0.3 * y + 0.2 * x + 0.3 * t);
}

inline data::Fields gappy_waves(int frames, int height, int width, double density) {
  data::Fields fields;
  for (int y = 0; y < height; ++y) fields.grid.y.push_back(y);
  for (int x = 0; x < width; ++x) fields.grid.x.push_back(x);
  fields.names = {"height"};
  const auto key = philox_key(7, Purpose::gaps);
  for (int t = 0; t < frames; ++t) {
    fields.time.push_back(t);
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x) {
        const auto cell = static_cast<std::uint64_t>(y * width + x);
        const float u = uniform(philox(key, static_cast<std::uint64_t>(t / 3), cell)[0]);
        fields.values.push_back(static_cast<double>(u) < density ? static_cast<float>(wave(t, y, x)) : data::not_observed);
      }
  }
  return fields;
}

/// Mean squared error of what was filled, as a fraction of the variance there.
inline double error_on_waves(const data::Fields& gappy, const data::Fields& filled) {
  double error = 0, variance = 0;
  for (int t = 0; t < gappy.frames(); ++t)
    for (int y = 0; y < gappy.grid.height(); ++y)
      for (int x = 0; x < gappy.grid.width(); ++x) {
        if (gappy.observed(t, y, x, 0)) continue;
        error += std::pow(static_cast<double>(filled.at(t, y, x, 0)) - wave(t, y, x), 2);
        variance += std::pow(wave(t, y, x), 2);
      }
  return error / variance;
}

}  // namespace lacuna::common
