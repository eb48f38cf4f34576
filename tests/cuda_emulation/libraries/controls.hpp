#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

// What tests tell the emulated CUDA libraries, and ask them. The libraries serve one host thread.
namespace cuda_emulation {

/// @brief A call of cuBLASLt, cuDNN or cuFFT that queued work.
struct LibraryCall {
  std::string name;     ///< "cublasLtMatmul", "cudnnBackendExecute", ...
  std::string details;  ///< sizes, types and what else tells calls apart
  std::size_t workspace = 0;
};

/// @brief What an engine of the emulated cuDNN is asked for, so that a test can have it refuse.
struct ConvolutionRequest {
  int direction = 0;  ///< 0 forward, 1 backward data, 2 backward filter
  int engine = 0;     ///< 0 tensor cores, 1 not deterministic, 2 neither
  float beta = 0;
  bool bfloat16 = false, packed = true;  ///< packed: no gaps in the image's and the result's memory
  bool fused = false;                    ///< pointwise operations follow
};

/// @brief The emulated machine. Counters `fail_...`: 0 never, n the n-th from now, once.
struct Controls {
  int devices = 1;
  bool driver_too_old = false;
  int major = 9, minor = 0;                               ///< compute capability
  std::size_t total_memory = std::size_t{512} << 20u;     ///< bytes of every device
  long fail_allocation = 0;                               ///< cudaMalloc: out of memory
  long fail_launch = 0;                                   ///< a kernel's launch is refused
  long fail_capture = 0;                                  ///< what was captured turns out invalid
  long fail_library_call = 0;                             ///< cuBLASLt, cuDNN or cuFFT fails to execute
  std::function<bool(const ConvolutionRequest&)> refuse;  ///< cuDNN offers no plan where it says so
  std::vector<LibraryCall> log;
};
Controls& controls();

/// @brief What was created and not yet destroyed.
struct Live {
  std::size_t device_bytes = 0, device_allocations = 0, pinned_allocations = 0;
  int streams = 0, events = 0, graphs = 0, executable_graphs = 0;
  int library_handles = 0;  ///< and descriptors and plans of the libraries
  bool operator==(const Live&) const = default;
};
Live live();

/// The message of the first work that failed since the last reset(), or empty.
std::string failure();

/// Work queued on any stream that has not run.
std::size_t pending();

/// @brief For the begin of a test: controls at their defaults, no error, no capture, and all queued work dropped. What the last
/// test forgot to destroy stays counted.
void reset();

/// @brief Lets the test itself look at device memory while it lives.
class DeviceMemoryOpen {
 public:
  DeviceMemoryOpen();
  ~DeviceMemoryOpen();
  DeviceMemoryOpen(const DeviceMemoryOpen&) = delete;
  DeviceMemoryOpen& operator=(const DeviceMemoryOpen&) = delete;
};

}  // namespace cuda_emulation
