#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cuda_emulation/libraries/controls.hpp"

// What the emulated libraries share: device memory, streams of queued work, counters.
namespace cuda_emulation {

/// @brief Device memory: one address range that only queued work can read and write.
class DeviceMemory {
 public:
  /// Null where it does not fit. Filled with NaN, 256-byte aligned, between margins that are poisoned under the address
  /// sanitizer.
  void* allocate(std::size_t bytes);
  bool free(void* p);  ///< false: no allocation begins there
  /// Whether [p, p + bytes) lies in one allocation.
  bool contains(const void* p, std::size_t bytes) const;
  bool in_range(const void* p) const;
  std::size_t bytes() const { return bytes_; }
  std::size_t allocations() const { return blocks_.size(); }
  void open();
  void close();

 private:
  static constexpr std::size_t margin = 256, alignment = 256, reserved = std::size_t{64} << 30u;
  void reserve();
  void extend(std::size_t extent);
  void allow(bool access) const;

  char* base_ = nullptr;
  int key_ = -1;                        // that guards the range where the machine has protection keys: they take no time per page
  std::size_t extent_ = 0, bytes_ = 0;  // extent_: bytes of the range that have been in use
  int opened_ = 0;
  std::map<char*, std::size_t> blocks_;
};

/// @brief When an event was recorded: done once the stream has come so far.
struct Ticket {
  CUstream_st* stream = nullptr;
  bool done = false;
  double milliseconds = 0;
};
struct Work {
  std::function<void()> run;       // of a task
  std::shared_ptr<Ticket> record;  // of cudaEventRecord
  std::shared_ptr<Ticket> wait;    // of cudaStreamWaitEvent
};

/// @brief Captured work and what of it must have run before: earlier nodes of its stream and of streams it waited for.
struct Node {
  std::function<void()> run;
  std::vector<std::size_t> after;
};
struct Capture {
  CUstream_st* origin = nullptr;
  cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal;
  bool invalid = false;
  std::vector<Node> nodes;
  std::vector<CUstream_st*> streams;
};

struct World {
  DeviceMemory memory;
  std::map<const char*, std::size_t> pinned;
  std::vector<CUstream_st*> streams;
  std::shared_ptr<Capture> capture;  // one at a time
  Live live;
  int device = 0;
  cudaError_t last_error = cudaSuccess;
  cudaError_t sticky = cudaSuccess;  // the context is lost
  std::string failure;
};
World& world();

/// Remembers an error for cudaGetLastError, and gives it back.
cudaError_t report(cudaError_t status);
/// What a call must return at once: a lost context, no device.
cudaError_t usable();
/// As usable(), and an error that invalidates the capture where one is going on.
cudaError_t not_while_capturing();
/// Queues a task on a stream, or captures it.
cudaError_t enqueue(cudaStream_t stream, std::function<void()> task);
/// Runs all work of a stream, and of others what it waits for.
void drain(CUstream_st* stream);
void drain_all();
/// Runs a task with device memory open; its exception becomes the context's error.
void run_task(const std::function<void()>& task);
/// Counts down a control; true for the call that shall fail.
bool fails(long& counter);
/// For cuBLASLt, cuDNN and cuFFT: logs the call; false where the test wants it to fail.
bool library_call(LibraryCall call);

}  // namespace cuda_emulation

struct CUstream_st {
  unsigned flags = 0;
  int device = 0;  // that was current when it was made
  std::vector<cuda_emulation::Work> queue;
  std::size_t begun = 0;  // work before it has run
  std::shared_ptr<cuda_emulation::Capture> capture;
  std::vector<std::size_t> after;  // in a capture: what the next node follows
};
struct CUevent_st {
  unsigned flags = 0;
  std::shared_ptr<cuda_emulation::Ticket> ticket;
  std::shared_ptr<cuda_emulation::Capture> capture;  // recorded in it
  std::vector<std::size_t> after;
};
struct CUgraph_st {
  std::vector<cuda_emulation::Node> nodes;
};
struct CUgraphExec_st {
  std::shared_ptr<std::vector<cuda_emulation::Node>> nodes;
};
