#pragma once

#include <cmath>
#include <vector>

#include "lacuna/ops/temporal_attention.hpp"
#include "support/probe.hpp"

namespace lacuna::test {

/// An attention layer with parameters of its own; operands: x and the residual.
template <class T>
struct AttentionCase {
  AttentionCase(int channels, int heads, int features, bool with_bias, bool in_time = false) {
    const int width = heads * features;
    layer = {parameters.add("qkv", {3 * width, channels}),
             parameters.add("out", {channels, width}),
             with_bias ? parameters.add("bias", {channels}) : Parameter{},
             channels,
             heads,
             features};
    if (in_time) {
      positions.bias = parameters.add("positions", {ops::position_buckets, heads});
      positions.frequencies = parameters.add("frequencies", {features / 2});
    }
    parameters.values() = normals<T>(parameters.size(), 5);
    const T root = std::sqrt(static_cast<T>(channels));  // scores of the order of one
    for (std::size_t i = 0; i < layer.qkv.size; ++i) parameters.values()[i] /= root;
    for (std::size_t i = 0; i < positions.frequencies.size; ++i)
      parameters.value(positions.frequencies)[i] = T(1.1) / static_cast<T>(1 + 3 * i);
  }
  std::vector<Operand<T>> operands(Shape shape) const {
    shape.channels = layer.channels;
    return {random_operand<T>(shape, 1), random_operand<T>(shape, 2)};
  }

  Parameters<T> parameters;
  ops::AttentionParameters layer;
  ops::TimePositions positions;
};

/// exp(s) / sum(exp(s)).
inline std::vector<double> plain_softmax(std::vector<double> scores) {
  double total = 0;
  for (double& s : scores) total += s = std::exp(s);
  for (double& s : scores) s /= total;
  return scores;
}

/// q, k or v (part 0, 1, 2) of a head's feature at a position, by the definition.
template <class T>
double projected(const AttentionCase<T>& c, const Operand<T>& x, std::size_t cell, int part, int head, int feature) {
  const auto channels = static_cast<std::size_t>(c.layer.channels);
  const auto row = static_cast<std::size_t>((part * c.layer.heads + head) * c.layer.features + feature);
  double sum = 0;
  for (std::size_t j = 0; j < channels; ++j)
    sum += static_cast<double>(c.parameters.value(c.layer.qkv)[row * channels + j]) *
           static_cast<double>(x.values[cell * channels + j]);
  return sum;
}

/// residual + W_out o + b, with o(cell, head, feature) given.
template <class T, class Attended>
std::vector<double> plain_output(const AttentionCase<T>& c, const std::vector<Operand<T>>& operands, const Attended& o) {
  const auto channels = static_cast<std::size_t>(c.layer.channels), width = static_cast<std::size_t>(c.layer.width());
  std::vector<double> y(operands[1].values.begin(), operands[1].values.end());
  for (std::size_t cell = 0; cell < operands[0].shape.cells(); ++cell)
    for (std::size_t w = 0; w < width; ++w) {
      const double at = o(cell, static_cast<int>(w) / c.layer.features, static_cast<int>(w) % c.layer.features);
      for (std::size_t j = 0; j < channels; ++j)
        y[cell * channels + j] += at * static_cast<double>(c.parameters.value(c.layer.out)[j * width + w]);
    }
  if (c.layer.bias.size > 0)
    for (std::size_t i = 0; i < y.size(); ++i) y[i] += static_cast<double>(c.parameters.value(c.layer.bias)[i % channels]);
  return y;
}

}  // namespace lacuna::test
