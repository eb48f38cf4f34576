#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "lacuna/core/device.hpp"
#include "lacuna/core/host_device.hpp"
#include "lacuna/core/parallel.hpp"
#include "lacuna/core/philox.hpp"
#include "lacuna/sampler/welford.hpp"
#include "lacuna/train/input.hpp"

namespace lacuna::sampler {

/// @brief A network's answers (B, h, w, F V) to a batch of samples, in the memory of the device that computes.
struct Answers {
  const train::SampleView* samples = nullptr;  ///< (B)
  const float* values = nullptr;
};

/// @brief The next members of a window's ensemble on a tile, and the moments (F, H, W, V) that they are taken into.
struct EnsemblePass {
  train::BatchShape shape;  ///< as many members as samples
  Answers answers;
  data::Patch core = {};  ///< of the window: what of it the tile answers for
  int y = 0, x = 0;       ///< of the core in the tile
  int grid_height = 0, grid_width = 0;
  int before = 0;                  ///< members that have been taken
  bool last = false;               ///< no more come
  float noisy = 0, answer = 1;     ///< x0 is noisy * shown value + answer * answer where a value is shown, else the answer
  const float* weights = nullptr;  ///< (F, H, W, V) of the learned part
  float *mean = nullptr, *deviation = nullptr;  ///< the deviation is that after the last pass; before, a sum of squares

  LACUNA_HOST_DEVICE int blocks() const {
    return (shape.layout.fields() + 3) / 4;
  }  ///< of four fields, for each cell of the core
};

/// @brief Takes the members' background + weight * anomaly into the moments of four fields of a cell of the core. read(p, count):
/// up to four answers from p on, as an array.
///
/// Where observed: mean = the value bit for bit, deviation = 0; elsewhere Welford's recurrence, members in order. Neither a value
/// that is not observed nor an estimate of an observed one enters the result: both may be NaN.
template <class Read>
LACUNA_HOST_DEVICE inline void add_members(const EnsemblePass& p, int core_cell, int block, const Read& read) {
  const train::InputLayout& layout = p.shape.layout;
  const int fields = layout.fields(), variables = layout.variables, first = 4 * block;
  const int row = core_cell / p.core.width, column = core_cell % p.core.width;
  const int cell = (p.y + row) * p.shape.width + p.x + column;
  const auto window_index = [&](int f) {
    const int in_plane = (p.core.y + row) * p.grid_width + p.core.x + column;
    return (static_cast<std::size_t>(f / variables) * static_cast<std::size_t>(p.grid_height * p.grid_width) +
            static_cast<std::size_t>(in_plane)) *
               static_cast<std::size_t>(variables) +
           static_cast<std::size_t>(f % variables);
  };
  float mean[4] = {}, squares[4] = {}, weight[4] = {};
  for (int k = 0; k < 4; ++k) {
    if (first + k >= fields) break;
    const std::size_t at = window_index(first + k);
    weight[k] = p.weights[at];
    if (p.before > 0) mean[k] = p.mean[at], squares[k] = p.deviation[at];
  }
  for (int m = 0; m < p.shape.batch; ++m) {
    const train::SampleView& s = p.answers.samples[m];
    const std::size_t place =
        static_cast<std::size_t>(m) * static_cast<std::size_t>(s.patch.cells()) + static_cast<std::size_t>(cell);
    const auto answers = read(p.answers.values + place * static_cast<std::size_t>(fields) + static_cast<std::size_t>(first),
                              fields - first < 4 ? fields - first : 4);
    const float keep = 1.0f / static_cast<float>(p.before + m + 1);
    std::array<float, 4> noise{};
    if (p.noisy != 0.0f) noise = normals(philox(s.noise, s.sample, train::noise_position(s.grid_cell(cell), fields, block)));
    for (int k = 0; k < 4; ++k) {
      const int f = first + k, v = f % variables;
      if (f >= fields) break;
      const std::size_t at = s.index(layout, cell, f);
      const float background = layout.background ? s.background[at] : 0.0f;
      float x = answers[static_cast<std::size_t>(k)];
      if (p.noisy != 0.0f && s.context[at] != 0)
        x = p.noisy * s.noisy(s.anomaly(at, v, background), noise[static_cast<std::size_t>(k)]) + p.answer * x;
      add_member(background + weight[k] * (x * s.scale[v]), keep, mean[k], squares[k]);
    }
  }
  for (int k = 0; k < 4; ++k) {
    if (first + k >= fields) break;
    const std::size_t at = window_index(first + k);
    if (p.last) {
      const train::SampleView& s = p.answers.samples[0];
      const float value = s.values[s.index(layout, cell, first + k)];
      const bool seen = value == value;
      mean[k] = seen ? value : mean[k];
      squares[k] = seen ? 0.0f : deviation_of(squares[k], p.before + p.shape.batch);
    }
    p.mean[at] = mean[k];
    p.deviation[at] = squares[k];
  }
}

/// @brief What an ensemble says of a window, (F, H, W, V): where observed, the value itself and 0.
struct Moments {
  std::vector<float> mean, deviation;
};

/// @brief Moments of an ensemble, pass by pass where the device computes: begin(weights), add(pass) with a pass that lacks
/// weights and moments, finish(moments).
template <class DeviceType>
class PassMoments;

template <>
class PassMoments<cpu::Device> {
 public:
  explicit PassMoments(cpu::Device& device) : device_(device) {}

  /// weights (F, H, W, V): of the learned part; must live until finish().
  void begin(std::span<const float> weights) {
    weights_ = weights;
    moments_.mean.resize(weights.size());
    moments_.deviation.resize(weights.size());
  }
  void add(EnsemblePass pass) {
    pass.weights = weights_.data();
    pass.mean = moments_.mean.data();
    pass.deviation = moments_.deviation.data();
    const auto read = [](const float* from, int count) {
      std::array<float, 4> four{};
      std::copy_n(from, count, four.begin());
      return four;
    };
    parallel_for(device_.threads(), pass.core.height, [&](int row) {
      for (int cell = row * pass.core.width; cell < (row + 1) * pass.core.width; ++cell)
        for (int block = 0; block < pass.blocks(); ++block) add_members(pass, cell, block, read);
    });
  }
  void finish(Moments& out) { std::swap(out, moments_); }

 private:
  cpu::Device& device_;
  std::span<const float> weights_;
  Moments moments_;
};

}  // namespace lacuna::sampler
