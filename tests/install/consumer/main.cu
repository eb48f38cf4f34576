#include <cstdio>
#include <lacuna/cuda/engine.hpp>
#include <lacuna/cuda/evaluator.hpp>

int main() {
  if (lacuna::cuda::device_count() == 0) {
    std::puts("no CUDA device");
    return 0;
  }
  lacuna::cuda::Device device;
  std::puts(device.name().c_str());
  return 0;
}
