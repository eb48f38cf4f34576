#pragma once

#include <cstddef>

#include "rms_norm_silu.cuh"

namespace lacuna::test {

/// @brief Groups of lanes in a block of the kernels that go over channels, and blocks of their forward pass.
struct NormBlocks {
  std::size_t groups, forward;
};
template <class S>
NormBlocks norm_blocks(std::size_t pixels, std::size_t batch, int channels) {
  return kernels::with_norm_layout<S>(channels, [&](auto layout) {
    using Layout = decltype(layout);
    return NormBlocks{Layout::groups, batch * Layout::forward_runs(pixels, static_cast<int>(batch))};
  });
}

}  // namespace lacuna::test
