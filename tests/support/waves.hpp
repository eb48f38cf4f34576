#pragma once

#include <cmath>
#include <cstdint>

#include "lacuna/core/philox.hpp"
#include "lacuna/data/field.hpp"

/// Moving waves with the gaps of the test's choice: small data for the whole pipeline.
namespace waves {

inline float value(int t, int y, int x, int v) {
  return std::sin(0.5f * static_cast<float>(x) + 0.3f * static_cast<float>(y) - 0.4f * static_cast<float>(t) +
                  1.3f * static_cast<float>(v)) *
             2.0f +
         5.0f;
}

enum class Gaps { pixels, blocks };

/// (frames, 12, 12, variables), one mask per window of 3 frames; pixels: `density` observed; blocks: 8 of 3 x 3 observed.
inline lacuna::data::Fields make(int frames, int variables, Gaps gaps, float density = 0.4f) {
  constexpr int size = 12;
  lacuna::data::Fields f;
  for (int i = 0; i < size; ++i) {
    f.grid.y.push_back(i);
    f.grid.x.push_back(i);
  }
  for (int v = 0; v < variables; ++v) f.names.push_back("wave" + std::to_string(v));
  const auto key = lacuna::philox_key(11, lacuna::Purpose::gaps);
  for (int t = 0; t < frames; ++t) {
    f.time.push_back(t);
    const auto window = static_cast<std::uint64_t>(t / 3);
    const int lost = lacuna::uniform_below(lacuna::philox(key, window, 1u << 20)[0], 9);
    for (int y = 0; y < size; ++y)
      for (int x = 0; x < size; ++x) {
        const auto cell = static_cast<std::uint64_t>(y * size + x);
        const bool observed =
            gaps == Gaps::blocks ? y / 4 * 3 + x / 4 != lost : lacuna::uniform(lacuna::philox(key, window, cell)[0]) < density;
        for (int v = 0; v < variables; ++v) f.values.push_back(observed ? value(t, y, x, v) : lacuna::data::not_observed);
      }
  }
  return f;
}

}  // namespace waves
