#pragma once

#include <array>
#include <vector>

#include "lacuna/nn/whole_steps.hpp"

namespace lacuna::nn {

/// @brief 2-D UNet on images whose channels hold frames and variables.
///
/// Plan: conv 5x5; per level two residual blocks, then a strided 4x4 convolution; two residual blocks in the middle; the way up
/// mirrored with skip concatenation and transposed 4x4 convolutions; a residual block on [x, first feature map]; conv 1x1.
/// Any grid size: the image is grown to a multiple of 2^(levels-1) and cut back (whole_steps()); with zero borders by zeros,
/// which in the masked input of this library mean "not observed". Source: the paper's network without attention, method
/// section 8.
class UNet {
 public:
  static constexpr std::size_t max_levels = 8;

  struct Settings {
    int inputs = 2;   ///< channels in: contexts, masks, conditioning
    int outputs = 1;  ///< channels out: frames x variables
    int hidden = 32;
    std::vector<int> multipliers = {1, 2, 2};
    ops::Borders borders = {};  ///< what lies beyond the grid; zero: as published
    /// Residual blocks are computed again on the way back: less memory for more time, the same gradients.
    bool recompute = false;
  };

  /// Appends the network's parameters to `parameters`. Throws OptionError if a setting is out of range.
  template <class T>
  UNet(const Settings& settings, Parameters<T>& parameters, std::uint64_t seed) : settings_(settings) {
    require<OptionError>(settings.inputs > 0 && settings.outputs > 0 && settings.hidden >= 4 && settings.hidden % 2 == 0 &&
                             !settings.multipliers.empty() && settings.multipliers.size() <= max_levels,
                         "UNet: inputs ", settings.inputs, ", outputs ", settings.outputs, ", hidden ", settings.hidden, ", ",
                         settings.multipliers.size(),
                         " levels; expected inputs and outputs from 1, an even hidden width from 4 and 1 to ", max_levels,
                         " levels");
    const Builder<T> b(parameters, seed, settings.borders);
    const int hidden = settings.hidden, time_width = 4 * hidden, levels = this->levels();
    time_.first = b.linear("time.0", hidden, time_width);
    time_.second = b.linear("time.2", time_width, time_width);
    first_ = b.convolution("first", settings.inputs, hidden, 5, 1, 2);
    const auto width = [&](int level) {
      return level < 0 ? hidden : hidden * settings.multipliers[static_cast<std::size_t>(level)];
    };
    for (int l = 0; l < levels; ++l) {
      const auto level = b.child(text("down.", l));
      down_.push_back(
          {{level.child("0"), width(l - 1), width(l), time_width}, {level.child("1"), width(l), width(l), time_width}, {}});
      if (l < levels - 1) down_.back().resample = level.convolution("2", width(l), width(l), 4, 2, 1);
    }
    middle_[0] = {b.child("middle1"), width(levels - 1), width(levels - 1), time_width};
    middle_[1] = {b.child("middle2"), width(levels - 1), width(levels - 1), time_width};
    for (int l = levels - 1; l >= 0; --l) {
      const auto level = b.child(text("up.", levels - 1 - l));
      up_.push_back({{level.child("0"), 2 * width(l), width(l - 1), time_width},
                     {level.child("1"), width(l - 1), width(l - 1), time_width},
                     {}});
      if (l > 0) up_.back().resample = level.convolution("2", width(l - 1), width(l - 1), 4, 2, 1, true);
    }
    last_ = {b.child("last"), 2 * hidden, hidden, 0};
    out_ = b.convolution("out", hidden, settings.outputs, 1, 1, 0);
  }

  const Settings& settings() const { return settings_; }

  /// @brief Estimate of x0 from the assembled input.
  /// Shapes: input (B,1,H,W,inputs), times (B) in [0,1] -> (B,1,H,W,outputs). S: what images are kept in. Throws: ShapeError.
  template <class T, class D, class S>
  Variable<S> operator()(Graph<T, D>& g, const Variable<S>& input, const T* times) const {
    require<ShapeError>(input.shape.frames == 1 && input.shape.channels == settings_.inputs, "UNet: first: input has shape ",
                        input.shape, ", expected one frame of ", settings_.inputs,
                        " channels: frames are channels, as many as in training");
    return on_whole_steps(g, input, 1 << (levels() - 1), settings_.borders,
                          [&](const Variable<S>& x) { return body(g, x, times); });
  }

 private:
  struct Level {
    ResidualBlock first, second;
    ops::ConvolutionParameters resample;
  };

  int levels() const { return static_cast<int>(settings_.multipliers.size()); }

  template <class T, class D, class S>
  Variable<S> run(Graph<T, D>& g, const ResidualBlock& layer, const Variable<S>& x, const Variable<T>& time) const {
    return run_block(g, settings_.recompute, [&g, &layer, x, time] { return layer(g, x, time); });
  }

  template <class T, class D, class S>
  Variable<S> body(Graph<T, D>& g, const Variable<S>& input, const T* times) const {
    const auto time = time_(g, times, input.shape.batch);
    const auto block = [&](const ResidualBlock& layer) { return [&](const Variable<S>& v) { return run(g, layer, v, time); }; };
    const auto first = ops::convolution(g, first_, input, ops::InputGradient::skipped);
    std::array<Variable<S>, max_levels> skips;
    std::size_t depth = 0;
    auto x = first;
    for (const auto& level : down_) {
      const auto y = run(g, level.first, x, time);
      if (depth > 0) g.release(x);  // level 0 reads the first feature map, which is wanted at the end
      x = consume(g, y, block(level.second));
      skips[depth++] = x;
      if (level.resample.outputs > 0) x = ops::convolution(g, level.resample, x);
    }
    const auto middle = run(g, middle_[0], x, time);
    x = consume(g, middle, block(middle_[1]));
    for (const auto& level : up_) {
      x = run_joined(g, settings_.recompute, level.first, x, skips[--depth], time);
      x = consume(g, x, block(level.second));
      if (level.resample.outputs > 0)
        x = consume(g, x, [&](const Variable<S>& v) { return ops::convolution(g, level.resample, v); });
    }
    x = run_joined(g, settings_.recompute, last_, x, first, time);
    g.release(time);
    return consume(g, x, [&](const Variable<S>& v) { return ops::convolution(g, out_, v); });
  }

  Settings settings_;
  TimeFeatures time_;
  ops::ConvolutionParameters first_, out_;
  std::vector<Level> down_, up_;
  ResidualBlock middle_[2], last_;
};

}  // namespace lacuna::nn
