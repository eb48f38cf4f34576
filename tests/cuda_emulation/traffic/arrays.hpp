#pragma once

#include "cuda_emulation/buffer.hpp"
#include "kernels/scalars.hpp"

namespace lacuna::test {

/// @brief Five buffers of n normal variates each.
template <class S>
struct Arrays {
  explicit Arrays(std::size_t n)
      : all{cuda_emulation::Buffer<S>(as<S>(normals<float>(n, 1))), cuda_emulation::Buffer<S>(as<S>(normals<float>(n, 2))),
            cuda_emulation::Buffer<S>(as<S>(normals<float>(n, 3))), cuda_emulation::Buffer<S>(as<S>(normals<float>(n, 4))),
            cuda_emulation::Buffer<S>(as<S>(normals<float>(n, 5)))} {}
  cuda_emulation::Buffer<S> all[5];
  S* operator[](std::size_t i) const { return all[i]; }
};

}  // namespace lacuna::test
