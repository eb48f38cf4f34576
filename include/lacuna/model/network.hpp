#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "lacuna/nn/fno.hpp"
#include "lacuna/nn/in_bfloat16.hpp"
#include "lacuna/nn/space_time_unet.hpp"
#include "lacuna/nn/unet.hpp"
#include "lacuna/ops/frame_axis.hpp"
#include "lacuna/settings.hpp"
#include "lacuna/train/network.hpp"

namespace lacuna::model {

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

/// @brief Any network on a device, chosen at run time. Copies share it; a call is one virtual call more.
template <class DeviceType>
class AnyNetwork {
 public:
  template <class Network>
  requires(!std::same_as<Network, AnyNetwork>) explicit AnyNetwork(Network network)
      : holder_(std::make_shared<const Holder<Network>>(std::move(network))) {}

  /// Shapes: input (B,1,H,W, layout.channels()), times (B) -> (B,1,H,W, layout.fields()).
  Variable<float> operator()(Graph<float, DeviceType>& g, const Variable<float>& input, const float* times) const {
    return holder_->apply(g, input, times);
  }

 private:
  struct Base {
    virtual ~Base() = default;
    virtual Variable<float> apply(Graph<float, DeviceType>& g, const Variable<float>& input, const float* times) const = 0;
  };
  template <class Network>
  struct Holder final : Base {
    explicit Holder(Network n) : network(std::move(n)) {}
    Variable<float> apply(Graph<float, DeviceType>& g, const Variable<float>& input, const float* times) const override {
      return network(g, input, times);
    }
    Network network;
  };

  std::shared_ptr<const Base> holder_;
};

/// @brief Makes the library's UNet: what a Model is given to train one.
struct UNetFactory {
  using Network = nn::UNet;

  NetworkSettings settings;

  static Network::Settings sized(const NetworkSettings& s, const train::NetworkShape& shape) {
    return {.inputs = shape.inputs(), .outputs = shape.outputs(), .hidden = s.hidden, .recompute = s.recompute};
  }
  Network operator()(const train::NetworkShape& shape, Parameters<float>& parameters, std::uint64_t seed) const {
    return {sized(settings, shape), parameters, seed};
  }
};

/// @brief Makes the library's space-time UNet.
struct SpaceTimeUNetFactory {
  using Network = FramesAsAxis<nn::SpaceTimeUNet>;

  NetworkSettings settings{.kind = NetworkKind::space_time_unet};

  static Network::Settings sized(const NetworkSettings& s, const train::NetworkShape& shape) {
    return {shape.layout, s.hidden, s.recompute};
  }
  Network operator()(const train::NetworkShape& shape, Parameters<float>& parameters, std::uint64_t seed) const {
    return {sized(settings, shape), parameters, seed};
  }
};

/// @brief Makes the library's Fourier neural operator; it keeps at most as many modes as the least grid that it will see has.
/// Throws: OptionError for a grid of fewer than two columns.
struct FnoFactory {
  using Network = nn::Fno;

  NetworkSettings settings{.kind = NetworkKind::fno};

  static Network::Settings sized(const NetworkSettings& s, const train::NetworkShape& shape) {
    constexpr int most_modes = 16;
    require<OptionError>(shape.width >= 2, "network.kind fno: the grid has ", shape.width,
                         " columns, a Fourier neural operator needs 2 or more");
    return {.inputs = shape.inputs(),
            .outputs = shape.outputs(),
            .hidden = s.hidden,
            .modes = {std::min(most_modes, shape.height), std::min(most_modes, shape.width / 2 * 2)},
            .recompute = s.recompute};
  }
  Network operator()(const train::NetworkShape& shape, Parameters<float>& parameters, std::uint64_t seed) const {
    return {sized(settings, shape), parameters, seed};
  }
};

/// @brief The network of a factory, in the precision that its settings name.
template <class DeviceType, class Factory>
AnyNetwork<DeviceType> in_precision(const Factory& factory, const train::NetworkShape& shape, Parameters<float>& parameters,
                                    std::uint64_t seed) {
  using Network = typename Factory::Network;
  if (factory.settings.precision == Precision::bfloat16)
    return AnyNetwork<DeviceType>(nn::InBfloat16<Network>(Factory::sized(factory.settings, shape), parameters, seed));
  return AnyNetwork<DeviceType>(factory(shape, parameters, seed));
}

#ifdef LACUNA_COMPILED  // these are in the library of the target lacuna::compiled
extern template AnyNetwork<cpu::Device> in_precision(const UNetFactory&, const train::NetworkShape&, Parameters<float>&,
                                                     std::uint64_t);
extern template AnyNetwork<cpu::Device> in_precision(const SpaceTimeUNetFactory&, const train::NetworkShape&, Parameters<float>&,
                                                     std::uint64_t);
extern template AnyNetwork<cpu::Device> in_precision(const FnoFactory&, const train::NetworkShape&, Parameters<float>&,
                                                     std::uint64_t);
#endif

/// @brief Makes the network that the settings name, for code that chooses at run time: it compiles all of them.
template <class DeviceType>
struct NetworkFactory {
  NetworkSettings settings;

  AnyNetwork<DeviceType> operator()(const train::NetworkShape& shape, Parameters<float>& parameters, std::uint64_t seed) const {
    switch (settings.kind) {
      case NetworkKind::unet: return in_precision<DeviceType>(UNetFactory{settings}, shape, parameters, seed);
      case NetworkKind::space_time_unet: return in_precision<DeviceType>(SpaceTimeUNetFactory{settings}, shape, parameters, seed);
      case NetworkKind::fno: break;
    }
    return in_precision<DeviceType>(FnoFactory{settings}, shape, parameters, seed);
  }
};

}  // namespace lacuna::model
