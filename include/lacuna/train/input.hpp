#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "lacuna/core/host_device.hpp"
#include "lacuna/core/philox.hpp"
#include "lacuna/data/field.hpp"

namespace lacuna::train {

/// @brief The channels that a network with frames as channels sees at each cell, in this order.
///
/// context (F V): the context mask; noisy (F V): M_ctx (alpha x + sigma eps), x the anomaly in units of its deviation;
/// background (F V), if there is one; climate (F V), if given: the climatology beside another background;
/// place (P): static features of the cell; season (S): features of the window's time.
struct InputLayout {
  int frames = 3, variables = 1;
  bool background = false, climate = false;
  int place = 0, season = 0;

  LACUNA_HOST_DEVICE int fields() const { return frames * variables; }
  LACUNA_HOST_DEVICE int channels() const { return fields() * (2 + (background ? 1 : 0) + (climate ? 1 : 0)) + place + season; }
  bool operator==(const InputLayout&) const = default;
};

/// @brief Counter of the noise block of fields 4 block .. 4 block + 3 of a grid cell.
LACUNA_HOST_DEVICE inline std::uint64_t noise_position(std::uint64_t grid_cell, int fields, int block) {
  return grid_cell * static_cast<std::uint64_t>((fields + 3) / 4) + static_cast<std::uint64_t>(block);
}

/// @brief alpha x + sigma eps with one rounding of the sum: the same bits on every backend.
LACUNA_HOST_DEVICE inline float noised(float anomaly, float alpha, float sigma, float noise) {
  return std::fma(sigma, noise, alpha * anomaly);
}

/// @brief What one sample's input is assembled from: arrays (F, h, w, V) on a patch, bytes and normalised floats.
struct SampleView {
  data::Patch patch;
  int grid_width = 0;           ///< columns of the whole grid: the noise of a cell does not depend on the patch
  const float* values;          ///< observed values, anything where not in the context
  const std::uint8_t* context;  ///< 1 = the network may see it
  const float* background;      ///< or null
  const float* climate;         ///< or null
  const float* place;           ///< (h, w, P) or null
  const float* season;          ///< (S) or null
  const float* scale;           ///< (V) deviation of the anomaly
  float alpha = 1, sigma = 0;   ///< of the sample's time
  PhiloxKey noise;
  std::uint64_t sample = 0;
};

/// @brief Noises, masks and concatenates in one pass: out (h, w, channels) = [context, M_ctx (alpha x + sigma eps), b, ...].
///
/// Values outside the context are never used in arithmetic: they may be NaN. The noise of a value depends on (key, sample,
/// grid cell, channel) alone. Cost: each input read once, out written once.
/// Source: paper Algorithm 1, lines 4-6, with the background of this library as clean conditioning.
inline void assemble_input(const InputLayout& layout, const SampleView& s, float* out) {
  const int fields = layout.fields(), variables = layout.variables, channels = layout.channels();
  const auto plane = static_cast<std::size_t>(s.patch.cells()) * static_cast<std::size_t>(variables);
  for (int cell = 0; cell < s.patch.cells(); ++cell) {
    const int y = s.patch.y + cell / s.patch.width, x = (s.patch.x + cell % s.patch.width) % s.grid_width;
    const auto grid_cell =
        static_cast<std::uint64_t>(y) * static_cast<std::uint64_t>(s.grid_width) + static_cast<std::uint64_t>(x);
    float* to = out + static_cast<std::ptrdiff_t>(cell) * channels;
    PhiloxBlock words{};
    std::array<float, 4> noise{};
    int drawn = -1;
    for (int f = 0; f < fields; ++f) {
      const int frame = f / variables, v = f % variables;
      const std::size_t at = plane * static_cast<std::size_t>(frame) +
                             static_cast<std::size_t>(cell) * static_cast<std::size_t>(variables) + static_cast<std::size_t>(v);
      float* next = to + f;
      const bool seen = s.context[at] != 0;
      *next = seen ? 1.0f : 0.0f;
      next += fields;
      if (seen) {
        if (drawn != f / 4) {
          drawn = f / 4;
          words = philox(s.noise, s.sample, noise_position(grid_cell, fields, drawn));
          noise = normals(words);
        }
        const float anomaly = (s.values[at] - (s.background != nullptr ? s.background[at] : 0.0f)) / s.scale[v];
        *next = noised(anomaly, s.alpha, s.sigma, noise[static_cast<std::size_t>(f % 4)]);
      } else {
        *next = 0.0f;
      }
      next += fields;
      if (layout.background) {
        *next = s.background[at];
        next += fields;
      }
      if (layout.climate) *next = s.climate[at];
    }
    float* rest = to + channels - layout.place - layout.season;
    for (int p = 0; p < layout.place; ++p) *rest++ = s.place[static_cast<std::ptrdiff_t>(cell) * layout.place + p];
    for (int p = 0; p < layout.season; ++p) *rest++ = s.season[p];
  }
}

/// @brief The estimate's target and query in the network's layout: target (h, w, F V) = (x - b) / scale, query alike.
/// Values outside the query are never used in arithmetic; their target is 0.
inline void assemble_target(const InputLayout& layout, const SampleView& s, const std::uint8_t* query, float* target,
                            std::uint8_t* query_out) {
  const int fields = layout.fields(), variables = layout.variables;
  const auto plane = static_cast<std::size_t>(s.patch.cells()) * static_cast<std::size_t>(variables);
  for (int cell = 0; cell < s.patch.cells(); ++cell)
    for (int f = 0; f < fields; ++f) {
      const int v = f % variables;
      const std::size_t at = plane * static_cast<std::size_t>(f / variables) +
                             static_cast<std::size_t>(cell) * static_cast<std::size_t>(variables) + static_cast<std::size_t>(v);
      const std::ptrdiff_t to = static_cast<std::ptrdiff_t>(cell) * fields + f;
      query_out[to] = query[at];
      target[to] = query[at] != 0 ? (s.values[at] - (s.background != nullptr ? s.background[at] : 0.0f)) / s.scale[v] : 0.0f;
    }
}

}  // namespace lacuna::train
