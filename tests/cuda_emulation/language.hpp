#pragma once

// What the CUDA language offers to kernels, for a host compiler: keywords, vector types, barriers, shuffles. A kernel that uses
// anything else does not compile here, which is how one finds out that the emulation must learn it first.

#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <utility>

#include "cuda_emulation/machine.hpp"

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)

struct alignas(16) float4 {
  float x, y, z, w;
};
struct alignas(4) uchar4 {
  unsigned char x, y, z, w;
};
/// Kernels read and write pairs of bfloat16 through it: device compilers know no aliasing by type.
struct __attribute__((may_alias, aligned(16))) uint4 {
  unsigned x, y, z, w;
};
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
inline uchar4 make_uchar4(unsigned char x, unsigned char y, unsigned char z, unsigned char w) { return {x, y, z, w}; }
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }

inline void __syncthreads(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  cuda_emulation::machine.barrier(file, line);
}
inline void __syncwarp(unsigned mask = 0xffffffffu, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  cuda_emulation::machine.exchange(mask, 0, "__syncwarp", true, file, line);
}

namespace cuda_emulation {

/// The value of lane `source`, or of the own lane where CUDA's rules for segments of `width` lanes say so.
template <class T>
CUDA_EMULATION_UNCHECKED T shuffle(unsigned mask, const T& value, unsigned source, const char* operation, const char* file,
                                   int line) {
  static_assert(sizeof(T) <= sizeof(std::uint64_t));
  std::uint64_t bits = 0;
  __builtin_memcpy(&bits, &value, sizeof value);
  const std::uint64_t* answers = machine.exchange(mask, bits, operation, false, file, line);
  T out;
  __builtin_memcpy(&out, answers + source, sizeof out);
  return out;
}

}  // namespace cuda_emulation

template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32, const char* file = __builtin_FILE(),
                   int line = __builtin_LINE()) {
  const unsigned lane = cuda_emulation::machine.lane(), w = static_cast<unsigned>(width);
  const unsigned source = lane % w + delta < w ? lane + delta : lane;
  return cuda_emulation::shuffle(mask, value, source, "__shfl_down_sync", file, line);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lanes, int width = 32, const char* file = __builtin_FILE(),
                  int line = __builtin_LINE()) {
  const unsigned lane = cuda_emulation::machine.lane(), w = static_cast<unsigned>(width);
  const unsigned other = lane ^ static_cast<unsigned>(lanes);
  return cuda_emulation::shuffle(mask, value, other / w > lane / w ? lane : other, "__shfl_xor_sync", file, line);
}

namespace cuda_emulation {

template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), dim3 grid, dim3 block, std::size_t dynamic_shared, const Arguments&... arguments) {
  // Arguments are copied as a launch copies them, once converted to the kernel's own types.
  const std::function<void()> body = [kernel, ... copies = static_cast<Parameters>(arguments)] { kernel(copies...); };
  machine.run(grid, block, dynamic_shared, body);
}

}  // namespace cuda_emulation

using cudaStream_t = struct CudaEmulationStream*;
