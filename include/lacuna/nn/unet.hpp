#pragma once

#include <array>
#include <vector>

#include "lacuna/nn/layers.hpp"
#include "lacuna/ops/canvas.hpp"

namespace lacuna::nn {

/// @brief 2-D UNet on images whose channels hold frames and variables.
///
/// Plan: conv 5x5; per level two residual blocks, then a strided 4x4 convolution; two residual blocks in the middle; the way up
/// mirrored with skip concatenation and transposed 4x4 convolutions; a residual block on [x, first feature map]; conv 1x1.
/// Any grid size: the image is grown with zeros at the bottom and right to a multiple of 2^(levels-1) and cut back; in the
/// masked input of this library zeros mean "not observed". Source: the paper's network without attention, method section 8.
class UNet {
 public:
  static constexpr std::size_t max_levels = 8;

  struct Settings {
    int inputs = 2;   ///< channels in: contexts, masks, conditioning
    int outputs = 1;  ///< channels out: frames x variables
    int hidden = 32;
    std::vector<int> multipliers = {1, 2, 2};
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
    const Builder<T> b(parameters, seed);
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
  /// Shapes: input (B,1,H,W,inputs), times (B) in [0,1] -> (B,1,H,W,outputs). Throws: ShapeError.
  template <class T>
  Variable<T> operator()(Graph<T>& g, const Variable<T>& input, const T* times) const {
    require<ShapeError>(input.shape.channels == settings_.inputs, "UNet: input has shape ", input.shape, ", expected ",
                        settings_.inputs, " channels");
    const int step = 1 << (levels() - 1);
    const auto whole = [step](int n) { return (n + step - 1) / step * step; };
    const int height = input.shape.height, width = input.shape.width;
    if (height % step == 0 && width % step == 0) return body(g, input, times);
    const auto grown = ops::canvas(g, input, whole(height), whole(width));
    const auto estimate = body(g, grown, times);
    g.release(grown);
    const auto cut = ops::canvas(g, estimate, height, width);
    g.release(estimate);
    return cut;
  }

 private:
  struct Level {
    ResidualBlock first, second;
    ops::ConvolutionParameters resample;
  };

  int levels() const { return static_cast<int>(settings_.multipliers.size()); }

  template <class T>
  Variable<T> body(Graph<T>& g, const Variable<T>& input, const T* times) const {
    const auto time = time_(g, times, input.shape.batch);
    const auto block = [&](const ResidualBlock& layer) { return [&](const Variable<T>& v) { return layer(g, v, time); }; };
    const auto first = ops::convolution(g, first_, input, ops::InputGradient::skipped);
    std::array<Variable<T>, max_levels> skips;
    std::size_t depth = 0;
    auto x = first;
    for (const auto& level : down_) {
      auto y = level.first(g, x, time);
      if (depth > 0) g.release(x);  // level 0 reads the first feature map, which is wanted at the end
      x = consume(g, y, block(level.second));
      skips[depth++] = x;
      if (level.resample.outputs > 0) x = ops::convolution(g, level.resample, x);
    }
    const auto middle = middle_[0](g, x, time);
    x = consume(g, middle, block(middle_[1]));
    for (const auto& level : up_) {
      const auto joined = join(g, x, skips[--depth]);
      x = consume(g, joined, block(level.first));
      x = consume(g, x, block(level.second));
      if (level.resample.outputs > 0)
        x = consume(g, x, [&](const Variable<T>& v) { return ops::convolution(g, level.resample, v); });
    }
    const auto joined = join(g, x, first);
    x = consume(g, joined, block(last_));
    g.release(time);
    return consume(g, x, [&](const Variable<T>& v) { return ops::convolution(g, out_, v); });
  }

  Settings settings_;
  TimeFeatures time_;
  ops::ConvolutionParameters first_, out_;
  std::vector<Level> down_, up_;
  ResidualBlock middle_[2], last_;
};

}  // namespace lacuna::nn
