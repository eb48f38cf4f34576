#pragma once

#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>

#include "lacuna/autograd/graph.hpp"
#include "lacuna/core/arena.hpp"
#include "lacuna/core/libraries.hpp"
#include "lacuna/core/parallel.hpp"
#include "lacuna/cuda/handles.hpp"

namespace lacuna::cuda {

/// @brief The GPUs that can be used: 0 without a driver or a device.
inline int device_count() {
  int count = 0;
  if (cudaGetDeviceCount(&count) == cudaSuccess) return count;
  cudaGetLastError();
  return 0;
}

/// @brief The CUDA backend: a GPU's stream, the arena of the current step in its memory, and what libraries keep between steps.
///
/// An ordinary object; two devices share nothing. The computations of ops are overloads on its graphs; they enqueue on its stream
/// and do not wait. Made on the thread that uses it. Throws: CudaError without a GPU, with a driver too old, or if the arena does
/// not fit.
class Device {
 public:
  struct Settings {
    int ordinal = 0;              ///< which GPU
    int threads = 0;              ///< of the host, which prepare batches; 0: all the machine offers
    std::size_t arena_bytes = 0;  ///< of the GPU's memory; 0: most of what is free
    bool tf32 = false;            ///< convolutions and matrix products may round their operands to 10 bits of mantissa
    bool capture = true;          ///< steps are captured once and launched as one graph
  };

  Device() : Device(Settings{}) {}
  explicit Device(const Settings& settings)
      : settings_(settings),
        threads_(settings.threads > 0 ? settings.threads : hardware_threads()),
        ordinal_(chosen(settings.ordinal)),
        properties_(properties_of(ordinal_)),
        stream_(std::make_unique<Stream>()),
        memory_(arena_memory(settings.arena_bytes)),
        arena_(memory_.data(), memory_.size()),
        tape_(std::size_t{1} << 28) {}
  ~Device() {
    cudaStreamSynchronize(*stream_);
    libraries_.clear();
  }
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  const Settings& settings() const { return settings_; }
  /// Why images in bfloat16 do not make UNets faster here; null where they do: on every GPU that a device takes.
  const char* lacks_bfloat16() const { return nullptr; }
  std::string name() const { return text("cuda:", ordinal_, " (", properties_.name, ")"); }

  int ordinal() const { return ordinal_; }
  int threads() const { return threads_; }
  const Stream& stream() const { return *stream_; }
  Arena& arena() { return arena_; }  ///< activations, gradients and workspaces of the current step, in the GPU's memory
  Arena& tape() { return tape_; }    ///< nodes and backward closures of the current step, in the host's

  /// Makes this GPU the calling thread's.
  void use() const { check(cudaSetDevice(ordinal_), "use device ", ordinal_); }

  /// Ends the step: everything taken from the arenas is void, for what is enqueued from now on. As use().
  void reset() {
    use();
    arena_.reset();
    tape_.reset();
  }

  /// Like reset(), and hands the tape's memory back to the system; that of the GPU was asked for when the device was made and is
  /// kept.
  void release() {
    use();
    arena_.release();
    tape_.release();
  }

  /// Bytes of the host's memory that the arena has spanned: none, it is the GPU's.
  std::size_t host_bytes() const { return 0; }

  /// The device's one object of type Library (handles, plans), made on first use.
  template <class Library>
  Library& library() {
    use();
    return libraries_.get<Library>(*this);
  }

 private:
  static int chosen(int ordinal) {
    int count = 0;
    const cudaError_t status = cudaGetDeviceCount(&count);
    if (status != cudaSuccess) cudaGetLastError();
    int driver = 0;  // stays 0 where there is none
    if (status == cudaErrorInsufficientDriver) cudaDriverGetVersion(&driver);
    require<CudaError>(driver == 0, "CUDA: the driver serves CUDA ", driver / 1000, '.', driver % 1000 / 10,
                       ", too old for runtime ", CUDART_VERSION / 1000, '.', CUDART_VERSION % 1000 / 10,
                       "; update it, or use the CPU");
    require<CudaError>(status != cudaErrorInsufficientDriver, "CUDA: no device: no driver is installed; use the CPU");
    require<CudaError>(status == cudaSuccess && count > 0,
                       "CUDA: no device: ", status == cudaSuccess ? "none is visible" : cudaGetErrorString(status),
                       "; use the CPU");
    require<CudaError>(ordinal >= 0 && ordinal < count, "CUDA: no device ", ordinal, ": expected 0 to ", count - 1);
    check(cudaSetDevice(ordinal), "use device ", ordinal);
    const auto properties = properties_of(ordinal);
    require<CudaError>(properties.major >= 8, "CUDA: device ", ordinal, " (", properties.name, ") has compute capability ",
                       properties.major, '.', properties.minor, ", expected 8.0 or later; use the CPU");
    return ordinal;
  }
  static cudaDeviceProp properties_of(int ordinal) {
    cudaDeviceProp properties;
    check(cudaGetDeviceProperties(&properties, ordinal), "ask what device ", ordinal, " is");
    return properties;
  }
  /// What is left free serves libraries and other programs. Where what is free cannot be had in one piece, less is taken.
  static DeviceArray<std::byte> arena_memory(std::size_t asked) {
    if (asked > 0) return DeviceArray<std::byte>(asked);
    std::size_t free = 0, total = 0;
    check(cudaMemGetInfo(&free, &total), "ask for the device's memory");
    constexpr std::size_t spare = std::size_t{512} << 20;
    std::size_t bytes = free > 2 * spare ? (free - spare) / 10 * 9 : free / 2;
    for (int tries = 0; tries < 3; ++tries, bytes = bytes / 4 * 3) try {
        return DeviceArray<std::byte>(bytes);
      } catch (const CudaError&) {  // another program was faster
      }
    return DeviceArray<std::byte>(bytes);
  }

  Settings settings_;
  int threads_, ordinal_;
  cudaDeviceProp properties_;
  std::unique_ptr<Stream> stream_;
  DeviceArray<std::byte> memory_;
  Arena arena_, tape_;
  Libraries libraries_;
};

}  // namespace lacuna::cuda
