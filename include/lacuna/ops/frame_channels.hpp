#pragma once

#include "lacuna/core/host_device.hpp"

namespace lacuna::ops {

/// @brief Channels that hold frames: `kinds` groups of frames x variables (contexts, values, ...), then `shared` ones, which
/// belong to all frames alike.
struct FrameChannels {
  int frames = 1, variables = 1, kinds = 1, shared = 0;

  LACUNA_HOST_DEVICE int packed() const { return frames * variables * kinds + shared; }
  LACUNA_HOST_DEVICE int per_frame() const { return variables * kinds + shared; }
};

/// @brief Where a channel of a frame's image lies in the packed image.
LACUNA_HOST_DEVICE inline int packed_channel(const FrameChannels& c, int frame, int channel) {
  const int own = c.kinds * c.variables;
  if (channel >= own) return c.frames * own + channel - own;
  return (channel / c.variables * c.frames + frame) * c.variables + channel % c.variables;
}

}  // namespace lacuna::ops
