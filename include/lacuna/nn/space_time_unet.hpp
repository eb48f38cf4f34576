#pragma once

#include <array>
#include <vector>

#include "lacuna/nn/whole_steps.hpp"
#include "lacuna/ops/layer_norm.hpp"
#include "lacuna/ops/linear_attention.hpp"
#include "lacuna/ops/spatial_attention.hpp"
#include "lacuna/ops/temporal_attention.hpp"

namespace lacuna::nn {

/// @brief An attention layer behind a layer norm, added to its input: x + attention(norm(x)).
struct NormedAttention {
  Parameter gain;
  ops::AttentionParameters layer;

  template <class T, class D, class S, class Attention>
  Variable<S> operator()(Graph<T, D>& g, const Variable<S>& x, const Attention& attention) const {
    const auto normed = ops::layer_norm(g, gain, x);
    return consume(g, normed, [&](const Variable<S>& n) { return attention(layer, n, x); });
  }
};

/// @brief Factorised space-time UNet on (B,T,H,W,C): convolutions within each frame, attention within frames and across them.
///
/// Plan: conv 5x5, temporal attention (its result is the first feature map); per level two residual blocks, spatial linear
/// attention, temporal attention, then a strided 4x4 convolution; in the middle residual block, full spatial attention, temporal
/// attention, residual block; the way up mirrored with skip concatenation and transposed 4x4 convolutions; a residual block on
/// [x, first feature map]; conv 1x1. All temporal attentions share one table of position biases and the rotary frequencies, which
/// are constants: their gradient stays zero.
/// Any number of frames. Any grid size: frames are grown to a multiple of 2^(levels-1) and cut back (whole_steps()), with zero
/// borders by zeros; in the masked input of this library zeros mean "not observed", but spatial attention does see the added
/// positions, so that the estimate of a grown grid equals that of the same input with zeros appended. Parameters carry the
/// published names, but for the residual blocks' (published_space_time_unet.hpp translates). Source: the network of the paper's
/// experiments, method section 8.
class SpaceTimeUNet {
 public:
  static constexpr std::size_t max_levels = 8;

  struct Settings {
    int inputs = 2;   ///< channels in: masks and masked values, in the published order
    int outputs = 1;  ///< channels out: variables
    int hidden = 32;
    std::vector<int> multipliers = {1, 2, 2};
    int heads = 2;              ///< of every attention
    int spatial_features = 32;  ///< a head, of both spatial attentions
    int temporal_features = 4;  ///< a head; even, since rotary embedding turns pairs
    ops::Borders borders = {};  ///< of the convolutions: what lies beyond the grid; zero: as published
    /// Residual blocks and attention layers are computed again on the way back: less memory for more time, the same gradients.
    bool recompute = false;
  };

  /// @brief Throws OptionError that names the layer, what it expects and what was given, if a setting is out of range.
  static void validate(const Settings& s) {
    const auto positive = [](const char* layer, const char* what, int given) {
      require<OptionError>(given > 0, "SpaceTimeUNet: ", layer, ": ", what, " ", given, ", expected from 1");
    };
    positive("init_conv", "inputs", s.inputs);
    positive("final_conv", "outputs", s.outputs);
    require<OptionError>(s.hidden >= 4 && s.hidden % 2 == 0, "SpaceTimeUNet: time_mlp: hidden ", s.hidden,
                         ", expected an even width from 4");
    require<OptionError>(!s.multipliers.empty() && s.multipliers.size() <= max_levels,
                         "SpaceTimeUNet: downs: ", s.multipliers.size(), " multipliers, expected 1 to ", max_levels);
    for (std::size_t l = 0; l < s.multipliers.size(); ++l) positive(text("downs.", l).c_str(), "multiplier", s.multipliers[l]);
    positive("attention", "heads", s.heads);
    positive("mid_spatial_attn", "features a head", s.spatial_features);
    require<OptionError>(s.temporal_features > 0 && s.temporal_features % 2 == 0,
                         "SpaceTimeUNet: init_temporal_attn: ", s.temporal_features,
                         " features a head, expected an even number (rotary embedding turns pairs)");
  }

  /// Appends the network's parameters to `parameters`. Throws OptionError as validate().
  template <class T>
  SpaceTimeUNet(const Settings& settings, Parameters<T>& parameters, std::uint64_t seed) : settings_(settings) {
    validate(settings);
    const Builder<T> b(parameters, seed, settings.borders);
    const int hidden = settings.hidden, time_width = 4 * hidden, levels = this->levels();
    positions_.bias = b.table("time_rel_pos_bias.relative_attention_bias.weight", ops::position_buckets, settings.heads);
    first_ = b.convolution("init_conv", settings.inputs, hidden, 5, 1, 2);
    std::vector<T> frequencies;
    for (int i = 0; i < settings.temporal_features; i += 2)
      frequencies.push_back(std::pow(T(10000), -static_cast<T>(i) / static_cast<T>(settings.temporal_features)));
    positions_.frequencies = b.constant("init_temporal_attn.fn.fn.fn.rotary_emb.freqs", frequencies);
    first_temporal_ = temporal(b.child("init_temporal_attn"), hidden);
    time_.first = b.linear("time_mlp.1", hidden, time_width);
    time_.second = b.linear("time_mlp.3", time_width, time_width);
    for (int l = 0; l < levels; ++l) {
      down_.push_back(level(b.child(text("downs.", l)), width(l - 1), width(l), time_width));
      if (l < levels - 1) down_.back().resample = b.convolution(text("downs.", l, ".4"), width(l), width(l), 4, 2, 1);
    }
    for (int l = levels - 1; l >= 0; --l) {
      const std::string name = text("ups.", levels - 1 - l);
      up_.push_back(level(b.child(name), 2 * width(l), width(l - 1), time_width));
      if (l > 0) up_.back().resample = b.convolution(name + ".4", width(l - 1), width(l - 1), 4, 2, 1, true);
    }
    const int widest = width(levels - 1);
    middle_first_ = {b.child("mid_block1"), widest, widest, time_width};
    middle_spatial_ = attention(b.child("mid_spatial_attn"), "fn.fn", widest, settings.spatial_features, false);
    middle_temporal_ = temporal(b.child("mid_temporal_attn"), widest);
    middle_second_ = {b.child("mid_block2"), widest, widest, time_width};
    last_ = {b.child("final_conv.0"), 2 * hidden, hidden, 0};
    out_ = b.convolution("final_conv.1", hidden, settings.outputs, 1, 1, 0);
  }

  const Settings& settings() const { return settings_; }

  /// @brief Estimate of x0 from the assembled input; its gradient is computed only where asked for.
  /// Shapes: input (B,T,H,W,inputs), times (B) in [0,1] -> (B,T,H,W,outputs). Throws: ShapeError.
  /// S: what images are kept in.
  template <class T, class D, class S>
  Variable<S> operator()(Graph<T, D>& g, const Variable<S>& input, const T* times,
                         ops::InputGradient input_gradient = ops::InputGradient::skipped) const {
    require<ShapeError>(input.shape.channels == settings_.inputs, "SpaceTimeUNet: init_conv: input has shape ", input.shape,
                        ", expected ", settings_.inputs, " channels");
    return on_whole_steps(g, input, 1 << (levels() - 1), settings_.borders,
                          [&](const Variable<S>& x) { return body(g, x, times, input_gradient); });
  }

 private:
  struct Level {
    ResidualBlock first, second;
    NormedAttention linear, temporal;
    ops::ConvolutionParameters resample;
  };

  int levels() const { return static_cast<int>(settings_.multipliers.size()); }
  int width(int level) const {
    return level < 0 ? settings_.hidden : settings_.hidden * settings_.multipliers[static_cast<std::size_t>(level)];
  }

  template <class T>
  NormedAttention attention(const Builder<T>& b, const std::string& inner, int channels, int features, bool bias) const {
    const auto layer = b.child("fn").child(inner).attention(channels, settings_.heads, features, bias);
    return {b.gain("fn.norm.gain", channels), layer};
  }
  template <class T>
  NormedAttention temporal(const Builder<T>& b, int channels) const {
    return attention(b, "fn.fn", channels, settings_.temporal_features, false);
  }
  template <class T>
  Level level(const Builder<T>& b, int inputs, int outputs, int time_width) const {
    return {{b.child("0"), inputs, outputs, time_width},
            {b.child("1"), outputs, outputs, time_width},
            attention(b.child("2"), "fn", outputs, settings_.spatial_features, true),
            temporal(b.child("3"), outputs),
            {}};
  }

  template <class T, class D, class S>
  Variable<S> residual(Graph<T, D>& g, const ResidualBlock& layer, const Variable<S>& x, const Variable<T>& time) const {
    return run_block(g, settings_.recompute, [&g, &layer, x, time] { return layer(g, x, time); });
  }
  /// x is needed no more.
  template <class T, class D, class S, class Attention>
  Variable<S> attend(Graph<T, D>& g, const NormedAttention& layer, const Variable<S>& x, const Attention& attention) const {
    const auto y = run_block(g, settings_.recompute, [&g, &layer, x, attention] { return layer(g, x, attention); });
    g.release(x);
    return y;
  }
  /// What follows a level's first block: x is its result, and needed no more.
  template <class T, class D, class S>
  Variable<S> rest_of(Graph<T, D>& g, const Level& level, const Variable<S>& x, const Variable<T>& time) const {
    const auto y = consume(g, x, [&](const Variable<S>& v) { return residual(g, level.second, v, time); });
    return attend(g, level.temporal, attend(g, level.linear, y, linear_op(g)), temporal_op(g));
  }
  template <class T, class D>
  static auto linear_op(Graph<T, D>& g) {
    return [&g](const auto& layer, const auto& x, const auto& residual) { return ops::linear_attention(g, layer, x, residual); };
  }
  template <class T, class D>
  static auto spatial_op(Graph<T, D>& g) {
    return [&g](const auto& layer, const auto& x, const auto& residual) { return ops::spatial_attention(g, layer, x, residual); };
  }
  template <class T, class D>
  auto temporal_op(Graph<T, D>& g) const {
    return [&g, positions = positions_](const auto& layer, const auto& x, const auto& residual) {
      return ops::temporal_attention(g, layer, positions, x, residual);
    };
  }

  template <class T, class D, class S>
  Variable<S> body(Graph<T, D>& g, const Variable<S>& input, const T* times, ops::InputGradient input_gradient) const {
    const auto time = time_(g, times, input.shape.batch);
    const auto first = attend(g, first_temporal_, ops::convolution(g, first_, input, input_gradient), temporal_op(g));
    std::array<Variable<S>, max_levels> skips;
    std::size_t depth = 0;
    auto x = first;
    for (const auto& level : down_) {
      const auto y = residual(g, level.first, x, time);
      if (depth > 0) g.release(x);  // level 0 reads the first feature map, which is wanted at the end
      x = rest_of(g, level, y, time);
      skips[depth++] = x;
      if (level.resample.outputs > 0) x = ops::convolution(g, level.resample, x);
    }
    x = residual(g, middle_first_, x, time);  // its input is the last skip
    x = attend(g, middle_temporal_, attend(g, middle_spatial_, x, spatial_op(g)), temporal_op(g));
    x = consume(g, x, [&](const Variable<S>& v) { return residual(g, middle_second_, v, time); });
    for (const auto& level : up_) {
      x = rest_of(g, level, run_joined(g, settings_.recompute, level.first, x, skips[--depth], time), time);
      if (level.resample.outputs > 0)
        x = consume(g, x, [&](const Variable<S>& v) { return ops::convolution(g, level.resample, v); });
    }
    x = run_joined(g, settings_.recompute, last_, x, first, time);
    g.release(time);
    return consume(g, x, [&](const Variable<S>& v) { return ops::convolution(g, out_, v); });
  }

  Settings settings_;
  ops::TimePositions positions_;
  TimeFeatures time_;
  ops::ConvolutionParameters first_, out_;
  std::vector<Level> down_, up_;
  ResidualBlock middle_first_, middle_second_, last_;
  NormedAttention first_temporal_, middle_spatial_, middle_temporal_;
};

}  // namespace lacuna::nn
