#pragma once

// The only place where a CUDA compiler and the emulation of the tests differ. On nvcc this is the bare language.

#include <cxxabi.h>

#include <cstddef>
#include <cstdlib>
#include <string>

#include "lacuna/cuda/error.hpp"

namespace lacuna::kernels {

/// @brief "lacuna::kernels::cast_kernel<256, float, ...>" of a kernel's mangled name, which may be null.
inline std::string readable_name(const char* mangled) {
  if (mangled == nullptr) return "a kernel";
  char* const whole = abi::__cxa_demangle(mangled, nullptr, nullptr, nullptr);
  std::string name = whole != nullptr ? whole : mangled;
  std::free(whole);
  if (name.starts_with("void ")) name.erase(0, 5);
  return name.substr(0, name.find('('));
}

}  // namespace lacuna::kernels

#ifdef __CUDACC__

#include <cuda_runtime.h>

/// Before a loop: written out in full.
#define LACUNA_UNROLL _Pragma("unroll")
/// Before a loop: written out four turns at a time.
#define LACUNA_UNROLL_FOUR _Pragma("unroll 4")
/// A shared variable of a block: LACUNA_SHARED(float, name, [4][8]).
#define LACUNA_SHARED(T, name, ...) __shared__ T name __VA_ARGS__
/// The dynamic shared memory of a block as a pointer to T.
#define LACUNA_DYNAMIC_SHARED(T, name)                                          \
  extern __shared__ __align__(16) unsigned char lacuna_dynamic_shared_memory[]; \
  T* const name = reinterpret_cast<T*>(lacuna_dynamic_shared_memory)

namespace lacuna::kernels {

using Stream = cudaStream_t;

/// @brief Launches a kernel on a stream. Throws: CudaError that names it if the launch is refused.
template <class... Parameters, class... Arguments>
void launch(Stream stream, void (*kernel)(Parameters...), dim3 grid, unsigned threads, std::size_t dynamic_shared,
            const Arguments&... arguments) {
  cudaLaunchConfig_t how{};
  how.gridDim = grid;
  how.blockDim = dim3(threads);
  how.dynamicSmemBytes = dynamic_shared;
  how.stream = stream;
  const cudaError_t status = cudaLaunchKernelEx(&how, kernel, static_cast<Parameters>(arguments)...);
  if (status == cudaSuccess) return;
  const char* name = nullptr;
  cudaFuncGetName(&name, reinterpret_cast<const void*>(kernel));
  cudaGetLastError();
  throw cuda::CudaError(text("CUDA: ", readable_name(name), " (grid ", grid.x, " x ", grid.y, " x ", grid.z, ", ", dynamic_shared,
                             " bytes of shared memory) was not launched: ", cudaGetErrorString(status)));
}

}  // namespace lacuna::kernels

#elif __has_include("cuda_emulation/language.hpp")

#include <dlfcn.h>

#include "cuda_emulation/language.hpp"

#define LACUNA_UNROLL
#define LACUNA_UNROLL_FOUR
#define LACUNA_SHARED(T, name, ...)  \
  static const char name##_key = 0;  \
  using name##_type = T __VA_ARGS__; \
  auto& name =                       \
      *static_cast<name##_type*>(cuda_emulation::machine.shared_variable(&name##_key, sizeof(name##_type), __FILE__, __LINE__))
#define LACUNA_DYNAMIC_SHARED(T, name) T* const name = static_cast<T*>(cuda_emulation::machine.dynamic_shared())

namespace lacuna::kernels {

using Stream = cudaStream_t;

template <class... Parameters, class... Arguments>
void launch(Stream stream, void (*kernel)(Parameters...), dim3 grid, unsigned threads, std::size_t dynamic_shared,
            const Arguments&... arguments) {
  const char* const refusal = cuda_emulation::launch(stream, kernel, grid, dim3(threads), dynamic_shared, arguments...);
  if (refusal == nullptr) return;
  Dl_info found{};
  const bool named = dladdr(reinterpret_cast<const void*>(kernel), &found) != 0;
  throw cuda::CudaError(text("CUDA: ", readable_name(named ? found.dli_sname : nullptr), " was not launched: ", refusal));
}

}  // namespace lacuna::kernels

#else
#error "lacuna's kernels are CUDA C++: compile with nvcc (the project's tests run them on the CPU under an emulation)"
#endif
