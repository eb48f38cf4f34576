#pragma once

#include <cstdio>
#include <vector>

#include "lacuna/cuda/device.hpp"
#ifndef __CUDACC__
#include "cuda_emulation/libraries/controls.hpp"
#endif

namespace lacuna::test {

/// @brief Whether there is a device to test on; says so where there is none.
inline bool gpu() {
#ifndef __CUDACC__
  cuda_emulation::reset();
#endif
  if (cuda::device_count() > 0) return true;
  std::puts("skipped: no CUDA device");
  return false;
}

/// @brief A copy in the device's memory.
template <class T>
class OnDevice {
 public:
  OnDevice(const cuda::Device& device, const std::vector<T>& host) : array_(host.size()) {
    cuda::copy_now(device.stream(), array_.data(), host.data(), host.size(), cudaMemcpyHostToDevice);
  }
  T* data() const { return array_.data(); }

 private:
  cuda::DeviceArray<T> array_;
};

template <class T>
std::vector<T> fetched(const cuda::Device& device, const T* from, std::size_t count) {
  std::vector<T> host(count);
  cuda::copy_now(device.stream(), host.data(), from, count, cudaMemcpyDeviceToHost);
  return host;
}

}  // namespace lacuna::test
