#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "lacuna/cuda/device.hpp"

namespace lacuna::bench {

/// @brief A launch over arrays of the device, which exist when `prepare` has been called.
struct Row {
  std::string name;
  std::vector<std::string> kernels;  ///< as tests/kernels/nvcc/budget.json names them
  std::size_t bytes;                 ///< least that it must move
  std::function<std::function<void(cudaStream_t)>(cuda::Device&)> prepare;
};

/// @brief Zeroed memory of the device's arena.
template <class T>
T* zeros(cuda::Device& device, std::size_t count) {
  T* array = device.arena().template take_array<T>(count);
  cuda::check(cudaMemsetAsync(array, 0, count * sizeof(T), device.stream()), "clear an array");
  return array;
}

/// @brief A launch(stream, arrays) over zeroed arrays of floats, of so many elements each.
template <class Launch>
Row over_arrays(std::string name, std::vector<std::string> kernels, std::size_t bytes, std::vector<std::size_t> sizes,
                const Launch& launch) {
  return {std::move(name), std::move(kernels), bytes, [sizes = std::move(sizes), launch](cuda::Device& device) {
            std::vector<float*> arrays;
            for (const std::size_t size : sizes) arrays.push_back(zeros<float>(device, size));
            return [=](cudaStream_t stream) { launch(stream, arrays); };
          }};
}

}  // namespace lacuna::bench
