#pragma once

#include <cmath>
#include <string>

#include "lacuna/ops/activation.hpp"
#include "lacuna/ops/attention.hpp"
#include "lacuna/ops/concatenate.hpp"
#include "lacuna/ops/convolution.hpp"
#include "lacuna/ops/pointwise_linear.hpp"
#include "lacuna/ops/rms_norm_silu.hpp"
#include "lacuna/ops/spectral_convolution.hpp"
#include "lacuna/ops/time_embedding.hpp"

namespace lacuna::nn {

/// @brief Whether a layer adds a learned constant to each channel.
enum class Bias { learned, none };

/// @brief Makes parameters under a name prefix, started as PyTorch starts them: U(-1/sqrt(fan in), 1/sqrt(fan in)).
template <class T>
class Builder {
 public:
  /// borders: of every convolution's image.
  Builder(Parameters<T>& parameters, std::uint64_t seed, const ops::Borders& borders = {}, std::string prefix = "")
      : parameters_(parameters), seed_(seed), borders_(borders), prefix_(std::move(prefix)) {}

  Builder child(const std::string& name) const { return {parameters_, seed_, borders_, prefix_ + name + "."}; }

  ops::ConvolutionParameters convolution(const std::string& name, int inputs, int outputs, int kernel, int stride, int padding,
                                         bool transposed = false) const {
    // PyTorch's fan-in of a transposed convolution is taken from the output channels.
    const int fan = (transposed ? outputs : inputs) * kernel * kernel;
    return {uniform(name + ".weight", {outputs, kernel, kernel, inputs}, fan),
            uniform(name + ".bias", {outputs}, fan),
            inputs,
            outputs,
            kernel,
            stride,
            padding,
            transposed,
            borders_};
  }
  ops::LinearParameters linear(const std::string& name, int inputs, int outputs, Bias bias = Bias::learned) const {
    ops::LinearParameters layer{uniform(name + ".weight", {outputs, inputs}, inputs), {}, inputs, outputs};
    if (bias == Bias::learned) layer.bias = uniform(name + ".bias", {outputs}, inputs);
    return layer;
  }
  /// Real and imaginary parts uniform, with the complex variance 2 / (in + out) (Glorot and Bengio 2010); no bias at first.
  ops::SpectralParameters spectral(const std::string& name, int inputs, int outputs, const ops::SpectralModes& modes) const {
    const auto weight = parameters_.add(prefix_ + name + ".weight.t", {ops::kept_modes(modes), 2, inputs, outputs});
    const auto bias = parameters_.add(prefix_ + name + ".bias", {outputs});
    parameters_.fill_uniform(weight, std::sqrt(T(3) / static_cast<T>(inputs + outputs)), seed_);
    return {weight, bias, inputs, outputs, modes};
  }
  ops::AttentionParameters attention(int channels, int heads, int features, bool bias) const {
    const int width = heads * features;
    return {uniform("to_qkv.weight", {3 * width, channels}, channels),
            uniform("to_out.weight", {channels, width}, width),
            bias ? uniform("to_out.bias", {channels}, width) : Parameter{},
            channels,
            heads,
            features};
  }
  /// Numbers of mean 0 and variance 1, as an embedding table starts.
  Parameter table(const std::string& name, int rows, int columns) const {
    const auto p = parameters_.add(prefix_ + name, {rows, columns});
    parameters_.fill_uniform(p, std::sqrt(T(3)), seed_);
    return p;
  }
  Parameter constant(const std::string& name, const std::vector<T>& values) const {
    const auto p = parameters_.add(prefix_ + name, {static_cast<int>(values.size())});
    std::copy(values.begin(), values.end(), parameters_.value(p));
    return p;
  }
  Parameter gain(const std::string& name, int channels) const { return parameters_.add(prefix_ + name, {channels}, T(1)); }

 private:
  Parameter uniform(const std::string& name, const std::vector<int>& dims, int fan_in) const {
    const auto p = parameters_.add(prefix_ + name, dims);
    parameters_.fill_uniform(p, T(1) / std::sqrt(static_cast<T>(fan_in)), seed_);
    return p;
  }

  Parameters<T>& parameters_;
  std::uint64_t seed_;
  ops::Borders borders_;
  std::string prefix_;
};

/// @brief next = layer(x); x is needed no more.
template <class T, class D, class S, class Layer>
auto consume(Graph<T, D>& g, const Variable<S>& x, const Layer& layer) -> decltype(layer(x)) {
  const auto y = layer(x);
  g.release(x);
  return y;
}

/// @brief [a, b] along the channels; neither is needed any more.
template <class T, class D, class S>
Variable<S> join(Graph<T, D>& g, const Variable<S>& a, const Variable<S>& b) {
  const auto y = ops::concatenate(g, a, b);
  g.release(a);
  g.release(b);
  return y;
}

/// @brief Features of the diffusion time: sinusoidal -> linear -> GELU -> linear -> SiLU, of `width` channels.
struct TimeFeatures {
  ops::LinearParameters first, second;

  /// times (B) in [0, 1] -> (B,1,1,1,width).
  template <class T, class D>
  Variable<T> operator()(Graph<T, D>& g, const T* times, int batch) const {
    const auto e = ops::time_embedding(g, times, batch, first.inputs);
    const auto a = consume(g, e, [&](const Variable<T>& v) { return ops::pointwise_linear(g, first, v); });
    const auto b = consume(g, a, [&](const Variable<T>& v) { return ops::activation<ops::Gelu>(g, v); });
    const auto c = consume(g, b, [&](const Variable<T>& v) { return ops::pointwise_linear(g, second, v); });
    return consume(g, c, [&](const Variable<T>& v) { return ops::activation<ops::Silu>(g, v); });
  }
};

/// @brief Residual block: conv 3x3 -> RMSNorm -> (1 + scale, shift of the time) -> SiLU, conv 3x3 -> RMSNorm -> SiLU, plus x
/// (through a 1x1 convolution where the widths differ). Source: the paper's network, method section 8.
struct ResidualBlock {
  ops::ConvolutionParameters first, second, skip;
  Parameter first_gain, second_gain;
  ops::LinearParameters time;
  bool timed = false;

  ResidualBlock() = default;
  template <class T>
  ResidualBlock(const Builder<T>& b, int inputs, int outputs, int time_width)
      : first(b.convolution("block1.conv", inputs, outputs, 3, 1, 1)),
        second(b.convolution("block2.conv", outputs, outputs, 3, 1, 1)),
        first_gain(b.gain("block1.norm.gain", outputs)),
        second_gain(b.gain("block2.norm.gain", outputs)),
        timed(time_width > 0) {
    if (inputs != outputs) skip = b.convolution("skip", inputs, outputs, 1, 1, 0);
    if (timed) time = b.linear("time", time_width, 2 * outputs);
  }

  /// x (B,T,H,W,in), time_features: SiLU of the time embedding (B,1,1,1,width) -> (B,T,H,W,out). Releases nothing it was given.
  template <class T, class D, class S>
  Variable<S> operator()(Graph<T, D>& g, const Variable<S>& x, const Variable<T>& time_features) const {
    auto h = ops::convolution(g, first, x);
    Variable<S> normed;
    if (timed) {
      const auto scale_shift = ops::pointwise_linear(g, time, time_features);
      normed = ops::rms_norm_silu(g, first_gain, h, &scale_shift);
      g.release(scale_shift);
    } else {
      normed = ops::rms_norm_silu(g, first_gain, h);
    }
    g.release(h);
    h = ops::convolution(g, second, normed);
    g.release(normed);
    const bool projected = skip.outputs > 0;
    const auto y = ops::rms_norm_silu(g, second_gain, h, static_cast<const Variable<T>*>(nullptr), projected ? nullptr : &x);
    g.release(h);
    if (projected) ops::convolution_add(g, skip, x, y);
    return y;
  }
};

/// @brief block(), a part of a network that releases nothing it was given: with its activations kept for the way back, or
/// computed again there.
template <class T, class D, class Block>
auto run_block(Graph<T, D>& g, bool recompute, const Block& block) -> decltype(block()) {
  return recompute ? g.recompute(block) : block();
}

/// @brief A residual block of [a, b]; neither is needed any more. The concatenation is computed again with the block.
template <class T, class D, class S>
Variable<S> run_joined(Graph<T, D>& g, bool recompute, const ResidualBlock& layer, const Variable<S>& a, const Variable<S>& b,
                       const Variable<T>& time) {
  if (!recompute || !g.recording()) return consume(g, join(g, a, b), [&](const Variable<S>& x) { return layer(g, x, time); });
  return g.recompute([&g, &layer, a, b, time] {
    return consume(g, ops::concatenate(g, a, b), [&](const Variable<S>& x) { return layer(g, x, time); });
  });
}

}  // namespace lacuna::nn
