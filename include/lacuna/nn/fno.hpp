#pragma once

#include <array>
#include <string>
#include <vector>

#include "lacuna/nn/layers.hpp"
#include "lacuna/ops/conditioned_linear.hpp"
#include "lacuna/ops/gated_add.hpp"
#include "lacuna/ops/pointwise_linear.hpp"
#include "lacuna/ops/spectral_convolution.hpp"
#include "lacuna/ops/time_embedding.hpp"

namespace lacuna::nn {

/// @brief Fourier neural operator in two or three dimensions, with an embedding of the diffusion time.
///
/// Plan: channels [input, time embedding, grid coordinates] -> lifting (two pointwise linears) -> blocks -> projection (two
/// pointwise linears). A block: y = spectral(x) + skip(x); GELU; y = mlp(y) + gate * x; GELU; the last block leaves both GELUs
/// out. Time: sinusoidal -> linear -> GELU -> linear, broadcast over the grid.
/// Two numbers of modes: frames are channels, as for UNet. Three: frames are an axis, along which there must be at least that
/// many. Grids of any size from the modes on, odd ones too; along W the modes must be even in number.
/// The field is taken as periodic. Parameters carry the published names, so that published weights can be loaded
/// (load_published_fno()). Source: Li et al. 2021, arXiv:2010.08895; the paper's network, method section 8.
class Fno {
 public:
  struct Settings {
    int inputs = 2;   ///< channels in: contexts, masks, conditioning
    int outputs = 1;  ///< channels out: (2-D: frames x) variables
    int hidden = 32;
    std::vector<int> modes = {16, 16};  ///< along (H, W) or (T, H, W)
    int layers = 4;
    int time_features = 128;  ///< 0: the network is not told the time
    bool recompute = false;   ///< blocks are computed again on the way back: less memory for more time, the same gradients
  };

  /// Appends the network's parameters to `parameters`. Throws OptionError if a setting is out of range.
  template <class T>
  Fno(const Settings& settings, Parameters<T>& parameters, std::uint64_t seed) : settings_(settings) {
    validate();
    for (std::size_t i = 0; i < settings.modes.size(); ++i) modes_[3 - settings.modes.size() + i] = settings.modes[i];
    const Builder<T> b(parameters, seed);
    const int hidden = settings.hidden, time = settings.time_features;
    if (time > 0) {
      time_first_ = b.linear("time.0", time, time);
      time_second_ = b.linear("time.2", time, time);
    }
    lift_first_ = b.linear("lifting.fcs.0", settings.inputs + time + axes(), 2 * hidden);
    lift_second_ = b.linear("lifting.fcs.1", 2 * hidden, hidden);
    for (int i = 0; i < settings.layers; ++i) {
      const auto blocks = b.child("fno_blocks");
      const auto mlp = blocks.child(text("channel_mlp.", i));
      blocks_.push_back({blocks.spectral(text("convs.", i), hidden, hidden, modes_),
                         blocks.linear(text("fno_skips.", i, ".conv"), hidden, hidden, Bias::none),
                         mlp.linear("fcs.0", hidden, hidden / 2), mlp.linear("fcs.1", hidden / 2, hidden),
                         blocks.gain(text("channel_mlp_skips.", i, ".weight"), hidden)});
    }
    project_first_ = b.linear("projection.fcs.0", hidden, 2 * hidden);
    project_second_ = b.linear("projection.fcs.1", 2 * hidden, settings.outputs);
  }

  const Settings& settings() const { return settings_; }

  /// @brief Estimate of x0 from the assembled input.
  /// Shapes: input (B,T,H,W,inputs), times (B) in [0,1] -> (B,T,H,W,outputs); T = 1 where frames are channels.
  /// input_gradient: skipped in training, where the input is data. Throws: ShapeError.
  template <class T, class D, class S>
  Variable<S> operator()(Graph<T, D>& g, const Variable<S>& input, const T* times,
                         ops::InputGradient input_gradient = ops::InputGradient::skipped) const {
    validate(input.shape);
    auto x = lift(g, input, times, input_gradient);
    for (const Block& layer : blocks_) {
      const bool last = &layer == &blocks_.back();
      x = consume(g, x, [&](const Variable<S>& v) {
        return run_block(g, settings_.recompute, [&g, &layer, v, last] { return block(g, layer, v, last); });
      });
    }
    x = consume(g, x, [&](const Variable<S>& v) { return ops::pointwise_linear(g, project_first_, v); });
    x = consume(g, x, [&](const Variable<S>& v) { return ops::activation<ops::Gelu>(g, v); });
    return consume(g, x, [&](const Variable<S>& v) { return ops::pointwise_linear(g, project_second_, v); });
  }

 private:
  struct Block {
    ops::SpectralParameters spectral;
    ops::LinearParameters skip, narrow, widen;
    Parameter gate;
  };

  int axes() const { return static_cast<int>(settings_.modes.size()); }

  void validate() const {
    const auto& s = settings_;
    require<OptionError>(s.inputs > 0 && s.outputs > 0 && s.hidden >= 2 && s.hidden % 2 == 0 && s.layers >= 1, "Fno: inputs ",
                         s.inputs, ", outputs ", s.outputs, ", hidden ", s.hidden, ", ", s.layers,
                         " layers; expected inputs and outputs from 1, an even hidden width from 2 and 1 layer or more");
    require<OptionError>(s.time_features == 0 || (s.time_features >= 4 && s.time_features % 2 == 0), "Fno: ", s.time_features,
                         " time features; expected 0 or an even number from 4");
    require<OptionError>(s.modes.size() == 2 || s.modes.size() == 3, "Fno: modes along ", s.modes.size(),
                         " axes; expected (H, W) or (T, H, W)");
    for (const int m : s.modes) require<OptionError>(m >= 1, "Fno: ", m, " modes along an axis; expected 1 or more");
    require<OptionError>(s.modes.back() % 2 == 0, "Fno: ", s.modes.back(),
                         " modes along W; expected an even number, of which the half spectrum keeps one more than half");
  }

  void validate(const Shape& input) const {
    require<ShapeError>(input.channels == settings_.inputs, "Fno: lifting: input has shape ", input, ", expected ",
                        settings_.inputs, " channels");
    require<ShapeError>(axes() == 3 || input.frames == 1, "Fno: lifting: input has shape ", input,
                        ", expected one frame: with modes along (H, W) frames are channels");
    const int cells[] = {input.frames, input.height, input.width};
    const char* names[] = {"T", "H", "W"};
    for (std::size_t i = 0; i < 3; ++i)
      require<ShapeError>(modes_[i] <= cells[i], "Fno: fno_blocks.convs keep ", modes_[i], " modes along ", names[i],
                          ", input has shape ", input, "; expected ", modes_[i], " cells or more there");
  }

  template <class T, class D, class S>
  Variable<S> lift(Graph<T, D>& g, const Variable<S>& input, const T* times, ops::InputGradient input_gradient) const {
    Variable<T> time;
    if (settings_.time_features > 0) {
      time = ops::time_embedding(g, times, input.shape.batch, settings_.time_features);
      time = consume(g, time, [&](const Variable<T>& v) { return ops::pointwise_linear(g, time_first_, v); });
      time = consume(g, time, [&](const Variable<T>& v) { return ops::activation<ops::Gelu>(g, v); });
      time = consume(g, time, [&](const Variable<T>& v) { return ops::pointwise_linear(g, time_second_, v); });
    }
    const bool timed = settings_.time_features > 0;
    auto x = ops::conditioned_linear(g, lift_first_, input, timed ? &time : nullptr, axes(), input_gradient);
    if (timed) g.release(time);
    x = consume(g, x, [&](const Variable<S>& v) { return ops::activation<ops::Gelu>(g, v); });
    return consume(g, x, [&](const Variable<S>& v) { return ops::pointwise_linear(g, lift_second_, v); });
  }

  template <class T, class D, class S>
  static Variable<S> block(Graph<T, D>& g, const Block& layer, const Variable<S>& x, bool last) {
    const auto gelu = [&](const Variable<S>& v) { return ops::activation<ops::Gelu>(g, v); };
    auto y = ops::spectral_convolution(g, layer.spectral, x);
    ops::pointwise_linear_add(g, layer.skip, x, y);
    if (!last) y = consume(g, y, gelu);
    y = consume(g, y, [&](const Variable<S>& v) { return ops::pointwise_linear(g, layer.narrow, v); });
    y = consume(g, y, gelu);
    y = consume(g, y, [&](const Variable<S>& v) { return ops::pointwise_linear(g, layer.widen, v); });
    ops::gated_add(g, layer.gate, x, y);
    return last ? y : consume(g, y, gelu);
  }

  Settings settings_;
  ops::SpectralModes modes_{};
  ops::LinearParameters time_first_, time_second_, lift_first_, lift_second_, project_first_, project_second_;
  std::vector<Block> blocks_;
};

}  // namespace lacuna::nn
