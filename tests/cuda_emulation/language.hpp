#pragma once

// What the CUDA language offers to kernels, for a host compiler: keywords, vector types, barriers, shuffles. A kernel that uses
// anything else does not compile here, which is how one finds out that the emulation must learn it first.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <utility>

#include "cuda_emulation/machine.hpp"

inline void __syncthreads(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  cuda_emulation::machine.barrier(file, line);
}
inline void __syncwarp(unsigned mask = 0xffffffffu, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  cuda_emulation::machine.exchange(mask, 0, "__syncwarp", true, file, line);
}

inline int __popc(unsigned bits) { return __builtin_popcount(bits); }

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

/// What takes launches on streams other than the default one: the emulated runtime (libraries/), where a test links it. It
/// returns an error's text, or null. Without it a launch runs at once.
inline const char* (*queue_launch)(cudaStream_t stream, std::function<void()> work) = nullptr;

/// @brief Runs a kernel, or queues it where there is an emulated runtime. Returns the text of the runtime's refusal, or null.
template <class... Parameters, class... Arguments>
const char* launch(cudaStream_t stream, void (*kernel)(Parameters...), dim3 grid, dim3 block, std::size_t dynamic_shared,
                   const Arguments&... arguments) {
  // Arguments are copied as a launch copies them, once converted to the kernel's own types.
  const std::function<void()> body = [kernel, ... copies = static_cast<Parameters>(arguments)] { kernel(copies...); };
  if (queue_launch == nullptr) {
    machine.run(grid, block, dynamic_shared, body);
    return nullptr;
  }
  Machine::check(grid, block, dynamic_shared);
  return queue_launch(stream, [=] { machine.run(grid, block, dynamic_shared, body); });
}

}  // namespace cuda_emulation
