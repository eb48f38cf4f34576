#pragma once

#include "lacuna/core/error.hpp"

namespace lacuna::cuda {

/// @brief A call of the CUDA runtime or of one of its libraries failed, or a launch was refused.
class CudaError : public Error {
 public:
  using Error::Error;
};

}  // namespace lacuna::cuda
