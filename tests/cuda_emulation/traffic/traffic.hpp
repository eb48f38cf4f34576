#pragma once

#include <cstddef>

namespace cuda_emulation {

/// @brief Bytes that the threads of kernels read from and wrote to buffers, each access counted as often as it is made.
struct Traffic {
  std::size_t read = 0, written = 0;
  bool operator==(const Traffic&) const = default;
};

/// The traffic since the last call.
Traffic take_traffic();

}  // namespace cuda_emulation
