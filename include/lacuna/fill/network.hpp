#pragma once

#include <algorithm>
#include <string>
#include <variant>

#include "lacuna/nn/fno.hpp"
#include "lacuna/nn/in_bfloat16.hpp"
#include "lacuna/nn/space_time_unet.hpp"
#include "lacuna/nn/unet.hpp"
#include "lacuna/ops/frame_axis.hpp"
#include "lacuna/train/input.hpp"

namespace lacuna::fill {

/// @brief Which network, and how large.
struct NetworkSettings {
  std::string name = "unet";  ///< unet, space-time-unet or fno
  int hidden = 32;
  bool recompute = false;  ///< blocks are computed again on the way back: less memory for more time
  bool bfloat16 = false;   ///< images are kept in bfloat16
};

/// @brief A space-time UNet that takes the trainer's input: frames, which are channels there, become an axis, and the estimate's
/// frames become channels again.
template <class Network>
class FramesAsAxis {
 public:
  struct Settings {
    train::InputLayout layout;
    int hidden;
    bool recompute = false;
  };

  FramesAsAxis(const Settings& s, Parameters<float>& parameters, std::uint64_t seed)
      : channels_{s.layout.frames, s.layout.variables, 2 + (s.layout.background ? 1 : 0) + (s.layout.climate ? 1 : 0),
                  s.layout.place + s.layout.season},
        network_({.inputs = channels_.per_frame(), .outputs = s.layout.variables, .hidden = s.hidden, .recompute = s.recompute},
                 parameters, seed) {}

  template <class DeviceType, class S>
  Variable<S> operator()(Graph<float, DeviceType>& g, const Variable<S>& input, const float* times) const {
    const auto frames = ops::unpack_frames(g, input, channels_);
    const auto estimate = nn::consume(g, frames, [&](const Variable<S>& x) { return network_(g, x, times); });
    return nn::consume(g, estimate, [&](const Variable<S>& x) { return ops::pack_frames(g, x); });
  }

 private:
  ops::FrameChannels channels_;
  Network network_;
};

/// @brief The network that lacuna-fill was told to train: unet, space-time-unet or fno.
class Network {
 public:
  /// height, width: the least rows and columns it will see; a Fourier neural operator keeps at most that many modes.
  /// Throws: OptionError for an unknown name.
  Network(const NetworkSettings& settings, const train::InputLayout& layout, int height, int width, Parameters<float>& parameters,
          std::uint64_t seed)
      : network_(make(settings, layout, height, width, parameters, seed)) {}

  /// Shapes: input (B,1,H,W, layout.channels()), times (B) -> (B,1,H,W, layout.fields()).
  template <class DeviceType>
  Variable<float> operator()(Graph<float, DeviceType>& g, const Variable<float>& input, const float* times) const {
    return std::visit([&](const auto& network) { return network(g, input, times); }, network_);
  }

 private:
  using Any = std::variant<nn::UNet, nn::InBfloat16<nn::UNet>, FramesAsAxis<nn::SpaceTimeUNet>,
                           nn::InBfloat16<FramesAsAxis<nn::SpaceTimeUNet>>, nn::Fno, nn::InBfloat16<nn::Fno>>;

  static Any make(const NetworkSettings& settings, const train::InputLayout& layout, int height, int width,
                  Parameters<float>& parameters, std::uint64_t seed) {
    constexpr int most_modes = 16;
    const auto& [name, hidden, recompute, bfloat16] = settings;
    if (name == "space-time-unet") {
      using SpaceTime = FramesAsAxis<nn::SpaceTimeUNet>;
      const SpaceTime::Settings s{layout, hidden, recompute};
      if (bfloat16) return nn::InBfloat16<SpaceTime>(s, parameters, seed);
      return SpaceTime(s, parameters, seed);
    }
    require<OptionError>(name != "fno" || width >= 2, "--network fno: the grid has ", width,
                         " columns, a Fourier neural operator needs 2 or more");
    if (name == "fno") {
      const nn::Fno::Settings s{.inputs = layout.channels(),
                                .outputs = layout.fields(),
                                .hidden = hidden,
                                .modes = {std::min(most_modes, height), std::min(most_modes, width / 2 * 2)},
                                .recompute = recompute};
      if (bfloat16) return nn::InBfloat16<nn::Fno>(s, parameters, seed);
      return nn::Fno(s, parameters, seed);
    }
    require<OptionError>(name == "unet", "--network ", name, ": expected unet, space-time-unet or fno");
    const nn::UNet::Settings s{.inputs = layout.channels(), .outputs = layout.fields(), .hidden = hidden, .recompute = recompute};
    if (bfloat16) return nn::InBfloat16<nn::UNet>(s, parameters, seed);
    return nn::UNet(s, parameters, seed);
  }

  Any network_;
};

}  // namespace lacuna::fill
