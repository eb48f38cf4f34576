#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/core/host_device.hpp"
#include "lacuna/core/philox.hpp"
#include "lacuna/core/shape.hpp"
#include "lacuna/data/field.hpp"
#include "lacuna/schedule/matching.hpp"

namespace lacuna::train {

/// @brief The channels that a network with frames as channels sees at each cell, in this order.
///
/// context (F V): the context mask; noisy (F V): M_ctx (alpha x + sigma eps), x the anomaly in units of its deviation;
/// query and its noisy values (2 F V), if it is shown (diffusion probabilistic fields), with noise of its own;
/// background (F V), if there is one; climate (F V), if given: the climatology beside another background;
/// place (P): static features of the cell; season (S): features of the window's time.
struct InputLayout {
  int frames = 3, variables = 1;
  bool background = false, climate = false;
  int place = 0, season = 0;
  bool query = false;

  LACUNA_HOST_DEVICE int fields() const { return frames * variables; }
  /// Groups of F V channels.
  LACUNA_HOST_DEVICE int kinds() const { return 2 + (query ? 2 : 0) + (background ? 1 : 0) + (climate ? 1 : 0); }
  LACUNA_HOST_DEVICE int channels() const { return fields() * kinds() + place + season; }
  /// First channel of the mask of values that the network is shown noisy and answers for; the values follow fields() later.
  LACUNA_HOST_DEVICE int shown() const { return query ? 2 * fields() : 0; }
  bool operator==(const InputLayout&) const = default;
};

/// @brief Samples of one layout and size, as many as a step or a pass takes.
struct BatchShape {
  InputLayout layout;
  int batch = 1, height = 0, width = 0;

  Shape input() const { return {batch, 1, height, width, layout.channels()}; }  ///< (B,1,h,w, channels)
  Shape answers() const { return {batch, 1, height, width, layout.fields()}; }  ///< (B,1,h,w, F V)
  bool operator==(const BatchShape&) const = default;
};

/// @brief The scale, if it is a positive number for each variable. Throws: ShapeError, OptionError.
inline std::vector<float> require_scale(std::vector<float> scale, std::size_t variables) {
  require<ShapeError>(scale.size() == variables, "scale: ", scale.size(), " numbers, expected one for each of ", variables,
                      " variables");
  for (std::size_t v = 0; v < scale.size(); ++v)
    require<OptionError>(scale[v] > 0 && std::isfinite(scale[v]), "scale: ", scale[v], " for variable ", v,
                         ", expected a positive number");
  return scale;
}

/// @brief Counter of the noise block of fields 4 block .. 4 block + 3 of a grid cell.
LACUNA_HOST_DEVICE inline std::uint64_t noise_position(std::uint64_t grid_cell, int fields, int block) {
  return grid_cell * static_cast<std::uint64_t>((fields + 3) / 4) + static_cast<std::uint64_t>(block);
}

/// @brief alpha x + sigma eps with one rounding of the sum: the same bits on every backend.
LACUNA_HOST_DEVICE inline float noised(float anomaly, float alpha, float sigma, float noise) {
  return std::fma(sigma, noise, alpha * anomaly);
}

/// @brief The noise of a grid cell's fields, drawn four at a time when asked for.
class CellNoise {
 public:
  CellNoise(PhiloxKey key, std::uint64_t sample, std::uint64_t grid_cell, int fields)
      : key_(key), sample_(sample), grid_cell_(grid_cell), fields_(fields) {}

  float operator()(int field) {
    if (drawn_ != field / 4) {
      drawn_ = field / 4;
      noise_ = normals(philox(key_, sample_, noise_position(grid_cell_, fields_, drawn_)));
    }
    return noise_[static_cast<std::size_t>(field % 4)];
  }

 private:
  PhiloxKey key_;
  std::uint64_t sample_, grid_cell_;
  int fields_, drawn_ = -1;
  std::array<float, 4> noise_{};
};

/// @brief What one sample's input is assembled from: arrays (F, h, w, V) on a patch, bytes and normalised floats. In the memory
/// of the device that assembles it.
struct SampleView {
  data::Patch patch;
  int grid_width = 0;           ///< columns of the whole grid: the noise of a cell does not depend on the patch
  const float* values;          ///< observed values, anything where not in the context
  const std::uint8_t* context;  ///< 1 = the network may see it
  const std::uint8_t* query;    ///< 1 = the network answers for it; may be null for an input that does not show it
  const float* background;      ///< or null
  const float* climate;         ///< or null
  const float* place;           ///< (h, w, P) or null
  const float* season;          ///< (S) or null
  const float* scale;           ///< (V) deviation of the anomaly
  float time = 0;               ///< that the network is told
  float alpha = 1, sigma = 0;   ///< of the sample's time
  PhiloxKey noise, query_noise;
  std::uint64_t sample = 0;

  /// Number of a patch's cell in the whole grid.
  LACUNA_HOST_DEVICE std::uint64_t grid_cell(int cell) const {
    const int y = patch.y + cell / patch.width, x = (patch.x + cell % patch.width) % grid_width;
    return static_cast<std::uint64_t>(y) * static_cast<std::uint64_t>(grid_width) + static_cast<std::uint64_t>(x);
  }
  /// Where field f of a cell lies in the arrays.
  LACUNA_HOST_DEVICE std::size_t index(const InputLayout& layout, int cell, int f) const {
    const auto variables = static_cast<std::size_t>(layout.variables);
    const auto plane = static_cast<std::size_t>(patch.cells()) * variables;
    return plane * static_cast<std::size_t>(f / layout.variables) + static_cast<std::size_t>(cell) * variables +
           static_cast<std::size_t>(f % layout.variables);
  }
  /// (x - b) / scale of a value that may be read, b its background.
  LACUNA_HOST_DEVICE float anomaly(std::size_t at, int variable, float b) const { return (values[at] - b) / scale[variable]; }
  float anomaly(std::size_t at, int variable) const {
    return anomaly(at, variable, background != nullptr ? background[at] : 0.0f);
  }
  /// The anomaly x as the network sees it; eps is not used where sigma = 0.
  LACUNA_HOST_DEVICE float noisy(float x, float eps) const { return sigma != 0.0f ? noised(x, alpha, sigma, eps) : alpha * x; }
};

/// @brief What the network is shown of the values that it answers for, at a cell: those of the query where that is shown, else
/// those of the context.
class ShownCell {
 public:
  ShownCell(const InputLayout& layout, const SampleView& sample, int cell)
      : layout_(layout),
        sample_(sample),
        cell_(cell),
        noise_(layout.query ? sample.query_noise : sample.noise, sample.sample, sample.grid_cell(cell), layout.fields()) {}

  bool has(int field) const {
    return (layout_.query ? sample_.query : sample_.context)[sample_.index(layout_, cell_, field)] != 0;
  }
  float noise(int field) { return noise_(field); }
  /// The anomaly with its noise.
  float value(int field) {
    const float x = sample_.anomaly(sample_.index(layout_, cell_, field), field % layout_.variables);
    return sample_.noisy(x, sample_.sigma != 0.0f ? noise_(field) : 0.0f);
  }

 private:
  const InputLayout& layout_;
  const SampleView& sample_;
  int cell_;
  CellNoise noise_;
};

/// @brief Noises, masks and concatenates in one pass: out (h, w, channels) = [context, M_ctx (alpha x + sigma eps), b, ...].
///
/// Values outside the context (and the query, where it is shown) are never used in arithmetic: they may be NaN. The noise of a
/// value depends on (key, sample, grid cell, channel) alone. Cost: each input read once, out written once.
/// Source: paper Algorithm 1, lines 4-6, and Algorithm 2, lines 3-6, with the background of this library as clean conditioning.
inline void assemble_input(const InputLayout& layout, const SampleView& s, float* out) {
  const int fields = layout.fields(), channels = layout.channels();
  const bool noisy = s.sigma != 0.0f;
  const std::size_t plane = static_cast<std::size_t>(s.patch.cells()) * static_cast<std::size_t>(layout.variables);
  for (int cell = 0; cell < s.patch.cells(); ++cell) {
    const auto grid_cell = s.grid_cell(cell);
    float* to = out + static_cast<std::ptrdiff_t>(cell) * channels;
    CellNoise noise(s.noise, s.sample, grid_cell, fields), query_noise(s.query_noise, s.sample, grid_cell, fields);
    std::size_t at = s.index(layout, cell, 0);
    for (int f = 0, v = 0; f < fields; ++f) {
      float* next = to + f;
      const auto show = [&](bool seen, CellNoise& own) {
        *next = seen ? 1.0f : 0.0f;
        next += fields;
        *next = seen ? s.noisy(s.anomaly(at, v), noisy ? own(f) : 0.0f) : 0.0f;
        next += fields;
      };
      show(s.context[at] != 0, noise);
      if (layout.query) show(s.query[at] != 0, query_noise);
      if (layout.background) {
        *next = s.background[at];
        next += fields;
      }
      if (layout.climate) *next = s.climate[at];
      ++at;
      if (++v == layout.variables) {
        v = 0;
        at += plane - static_cast<std::size_t>(layout.variables);
      }
    }
    float* rest = to + channels - layout.place - layout.season;
    for (int p = 0; p < layout.place; ++p) *rest++ = s.place[static_cast<std::ptrdiff_t>(cell) * layout.place + p];
    for (int p = 0; p < layout.season; ++p) *rest++ = s.season[p];
  }
}

/// @brief What the network is to answer, and where it is asked, in its layout (h, w, F V): the matching's target of the anomaly
/// where the input shows its noisy value, else the anomaly (x - b) / scale itself.
/// Values outside the query are never used in arithmetic; their target is 0.
template <schedule::Matching Matching = schedule::DataMatching>
void assemble_target(const InputLayout& layout, const SampleView& s, float* target, std::uint8_t* query_out,
                     const Matching& matching = {}) {
  const int fields = layout.fields();
  for (int cell = 0; cell < s.patch.cells(); ++cell) {
    ShownCell shown(layout, s, cell);
    for (int f = 0; f < fields; ++f) {
      const std::size_t at = s.index(layout, cell, f);
      const std::ptrdiff_t to = static_cast<std::ptrdiff_t>(cell) * fields + f;
      query_out[to] = s.query[at];
      target[to] = 0.0f;
      if (s.query[at] == 0) continue;
      target[to] = s.anomaly(at, f % layout.variables);
      if constexpr (Matching::needs_noisy)
        if (shown.has(f)) target[to] = matching.target(s.alpha, s.sigma, target[to], shown.noise(f));
    }
  }
}

}  // namespace lacuna::train
