#pragma once

#include <vector>

#include "lacuna/core/device.hpp"

namespace lacuna::test {

/// The ways of computing a convolution that this build has.
inline std::vector<cpu::Convolutions> convolution_paths() {
#ifdef LACUNA_HAS_ONEDNN
  return {cpu::Convolutions::eigen, cpu::Convolutions::onednn};
#else
  return {cpu::Convolutions::eigen};
#endif
}

}  // namespace lacuna::test
