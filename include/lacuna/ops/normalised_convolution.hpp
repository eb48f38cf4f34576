#pragma once

#include <cmath>

#include "lacuna/ops/observed_ratio.hpp"
#include "lacuna/ops/pointwise_linear.hpp"
#include "lacuna/ops/spectral_convolution.hpp"

namespace lacuna::ops {

/// @brief Calls visit(factor) for every mode in order: a Gaussian of its frequencies that has fallen to exp(-1) at the edge of
/// each axis' band. A steeper one flattens the field itself, a flatter one rings and so weighs some observations negatively.
template <class Visit>
void for_taper(const SpectralModes& modes, const Visit& visit) {
  const auto gain = [](int frequency, int kept) {
    const double x = kept > 1 ? 2.0 * frequency / kept : 0.0;
    return std::exp(-x * x);
  };
  for (int t = 0; t < std::max(modes[0], 1); ++t)
    for (int h = 0; h < modes[1]; ++h)
      for (int w = 0; w <= modes[2] / 2; ++w)
        visit(gain(modes[0] > 0 ? t - modes[0] / 2 : 0, modes[0]) * gain(h - modes[1] / 2, modes[1]) * gain(w, modes[2]));
}

/// @brief to (cells, count) = the first `count` channels of every position.
template <class T, class S>
void leading_channels(Graph<T>& graph, const Variable<S>& input, int count, T* to) {
  const auto in = static_cast<std::size_t>(input.shape.channels), n = static_cast<std::size_t>(count);
  for_rows(graph, input.shape.cells(), [&](Range r) {
    for (std::size_t i = r.begin; i < r.end; ++i)
      for (std::size_t c = 0; c < n; ++c) to[i * n + c] = static_cast<T>(input.data[i * in + c]);
  });
}
/// @brief Multiplies the modes of a spectrum (blocks, 2, modes, channels) by their taper.
template <class T>
void taper(Graph<T>& graph, T* spectrum, int blocks, const SpectralModes& modes, int channels) {
  if (graph.dry()) return;
  for (int plane = 0; plane < 2 * blocks; ++plane)
    for_taper(modes, [&](double gain) {
      const auto factor = static_cast<T>(gain);
      for (int c = 0; c < channels; ++c) *spectrum++ *= factor;
    });
}
/// @brief y (cells, C + fields) = the input, then for each field the ratio of `smooth` (cells, 2 fields): weights, then sums.
template <class T, class S>
void append_ratios(Graph<T>& graph, const Variable<S>& input, const T* smooth, int fields, S* y) {
  const auto in = static_cast<std::size_t>(input.shape.channels), f = static_cast<std::size_t>(fields);
  for_rows(graph, input.shape.cells(), [&](Range r) {
    for (std::size_t i = r.begin; i < r.end; ++i) {
      S* to = y + i * (in + f);
      std::copy_n(input.data + i * in, in, to);
      const T* own = smooth + i * 2 * f;
      for (std::size_t c = 0; c < f; ++c) to[in + c] = static_cast<S>(observed_ratio(own[c], own[f + c]));
    }
  });
}

/// @brief Appends to an input what its observations say of their surroundings: low-pass(M x) / low-pass(M), by field.
///
/// Division in space of two transforms cut to the same modes (normalised convolution): a constant field comes out as itself
/// whatever the mask, where the low-pass of M x alone falls with the share of observed cells. Where less than a twentieth of the
/// low-pass' weight is observed the ratio says nothing, and the result is 0.
/// Shapes: input (B,T,H,W,C), whose first `fields` channels are masks M and whose next ones M x -> y (B,T,H,W,C + fields).
/// Gradient: none, the input is data. NaN: spreads over the sample (2-D: frame); mask first. Backends: cpu, cuda.
/// Determinism: as spectral_convolution(). Throws: ShapeError if there are fewer than 2 fields channels, or a grid smaller than
/// the modes. Source: Knutsson and Westin 1993, Normalized and differential convolution, eq. 5.
template <class T, class D, class S>
Variable<S> normalised_convolution(Graph<T, D>& graph, const Variable<S>& input, int fields, const SpectralModes& modes) {
  using Weights = typename SpectralAxis<T>::Weights;
  require<ShapeError>(fields >= 1 && 2 * fields <= input.shape.channels, "normalised_convolution: input has shape ", input.shape,
                      ", expected masks and values of ", fields, " fields");
  const auto& plan = graph.device().template library<SpectralPlans<T, D>>().plan(input.shape, modes);
  const Shape pair = input.shape.with_channels(2 * fields);
  const auto f = static_cast<std::size_t>(fields);
  const int blocks = modes[0] > 0 ? pair.batch : pair.images();
  const std::size_t size = 4 * f * static_cast<std::size_t>(blocks) * static_cast<std::size_t>(kept_modes(modes));
  const auto scope = graph.template op<S>("normalised_convolution", {.forward = 2 * input.shape.size() + pair.cells() * f});
  const auto y = graph.template make<S>(input.shape.with_channels(input.shape.channels + fields));
  T* smooth = graph.take(pair.size());
  T* spectrum = graph.take(size);
  leading_channels(graph, input, 2 * fields, smooth);
  plan.analyse(graph, smooth, pair, spectrum, Weights::mean);
  taper(graph, spectrum, blocks, modes, 2 * fields);
  plan.synthesise(graph, spectrum, pair, smooth, nullptr, Weights::members);
  append_ratios(graph, input, smooth, fields, y.data);
  graph.give(spectrum, size);
  graph.give(smooth, pair.size());
  graph.record([&graph, y] { graph.finish(y); });
  return y;
}

}  // namespace lacuna::ops
