#pragma once

#include <string>

#include "lacuna/core/error.hpp"
#include "lacuna/core/parse_number.hpp"

namespace lacuna::common {

/// @brief Which GPU a device's name means, -1 for the CPU. Throws OptionError for other words.
inline int gpu_of(const std::string& device) {
  if (device == "cpu") return -1;
  if (device == "cuda") return 0;
  const int gpu = device.starts_with("cuda:") ? parse_number<int>(device.substr(5)).value_or(-1) : -1;
  require<OptionError>(gpu >= 0, "--device ", device, ": expected cpu, cuda or cuda:N");
  return gpu;
}

}  // namespace lacuna::common
