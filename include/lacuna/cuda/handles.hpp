#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <utility>

#include "lacuna/cuda/error.hpp"

namespace lacuna::cuda {

/// @brief Throws CudaError "CUDA: cannot <what>: <reason>" unless the call succeeded; the runtime's own record is cleared.
template <class... Parts>
void check(cudaError_t status, const Parts&... what) {
  if (status == cudaSuccess) return;
  cudaGetLastError();
  throw CudaError(text("CUDA: cannot ", what..., ": ", cudaGetErrorString(status)));
}

/// @brief A stream of its own, which does not wait for the default stream.
class Stream {
 public:
  Stream() { check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "create a stream"); }
  ~Stream() { cudaStreamDestroy(stream_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  operator cudaStream_t() const { return stream_; }
  /// Waits for everything that was enqueued, however it ends.
  void wait() const noexcept {
    cudaStreamSynchronize(stream_);
    cudaGetLastError();
  }
  /// Waits for everything that was enqueued. Throws: CudaError with the failure of any of it.
  void synchronize() const { check(cudaStreamSynchronize(stream_), "finish the work on the device"); }

 private:
  cudaStream_t stream_ = nullptr;
};

/// @brief `count` elements in the device's memory, for as long as this lives. Their values are not set.
template <class T>
class DeviceArray {
 public:
  DeviceArray() = default;
  /// Throws: CudaError that tells what was asked for and what is free.
  explicit DeviceArray(std::size_t count) : count_(count) {
    if (count == 0) return;
    const cudaError_t status = cudaMalloc(reinterpret_cast<void**>(&data_), count * sizeof(T));
    if (status == cudaSuccess) return;
    cudaGetLastError();
    std::size_t free = 0, total = 0;
    cudaMemGetInfo(&free, &total);
    throw CudaError(text("CUDA: asked for ", (count * sizeof(T) + (std::size_t{1} << 20) - 1) >> 20,
                         " MiB of the device's memory, of which ", free >> 20, " of ", total >> 20,
                         " MiB are free: ", cudaGetErrorString(status)));
  }
  ~DeviceArray() {
    if (data_ != nullptr) cudaFree(data_);
  }
  DeviceArray(DeviceArray&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), count_(std::exchange(other.count_, 0)) {}
  DeviceArray& operator=(DeviceArray&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(count_, other.count_);
    return *this;
  }

  T* data() const { return data_; }
  std::size_t size() const { return count_; }

 private:
  T* data_ = nullptr;
  std::size_t count_ = 0;
};

/// @brief `count` elements of host memory that the device copies from and to while the host goes on.
template <class T>
class PinnedArray {
 public:
  explicit PinnedArray(std::size_t count) : count_(count) {
    check(cudaHostAlloc(reinterpret_cast<void**>(&data_), (count > 0 ? count : 1) * sizeof(T), cudaHostAllocDefault), "pin ",
          (count * sizeof(T)) >> 10, " KiB of host memory");
  }
  ~PinnedArray() { cudaFreeHost(data_); }
  PinnedArray(const PinnedArray&) = delete;
  PinnedArray& operator=(const PinnedArray&) = delete;

  T* data() const { return data_; }
  std::size_t size() const { return count_; }
  T& operator[](std::size_t i) const { return data_[i]; }

 private:
  T* data_ = nullptr;
  std::size_t count_ = 0;
};

/// @brief Enqueues a copy of `count` elements; the host's side must live until the copy is done, and be pinned unless the caller
/// waits for it.
template <class T>
void enqueue_copy(const Stream& stream, T* to, const T* from, std::size_t count, cudaMemcpyKind kind) {
  if (count > 0) check(cudaMemcpyAsync(to, from, count * sizeof(T), kind, stream), "copy ", (count * sizeof(T)) >> 10, " KiB");
}
/// @brief Copies and waits.
template <class T>
void copy_now(const Stream& stream, T* to, const T* from, std::size_t count, cudaMemcpyKind kind) {
  enqueue_copy(stream, to, from, count, kind);
  stream.synchronize();
}

/// @brief Work that was recorded once and is launched as a whole.
class CapturedGraph {
 public:
  CapturedGraph() = default;
  ~CapturedGraph() { reset(); }
  CapturedGraph(CapturedGraph&& other) noexcept : executable_(std::exchange(other.executable_, nullptr)) {}
  CapturedGraph& operator=(CapturedGraph&& other) noexcept {
    std::swap(executable_, other.executable_);
    return *this;
  }

  bool ready() const { return executable_ != nullptr; }
  void reset() {
    if (executable_ != nullptr) cudaGraphExecDestroy(std::exchange(executable_, nullptr));
  }
  void launch(const Stream& stream) const { check(cudaGraphLaunch(executable_, stream), "launch a captured step"); }

  /// Records what work() enqueues on the stream, without running it, and returns whether that can be launched: a library may do
  /// what no recording takes. If work() throws, the recording is dropped and the stream is as it was.
  template <class Work>
  [[nodiscard]] bool capture(const Stream& stream, const Work& work) {
    check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "capture a step");
    cudaGraph_t graph = nullptr;
    try {
      work();
    } catch (...) {
      cudaStreamEndCapture(stream, &graph);
      if (graph != nullptr) cudaGraphDestroy(graph);
      cudaGetLastError();
      throw;
    }
    if (cudaStreamEndCapture(stream, &graph) == cudaSuccess && cudaGraphInstantiate(&executable_, graph, 0) != cudaSuccess)
      executable_ = nullptr;
    if (graph != nullptr) cudaGraphDestroy(graph);
    cudaGetLastError();
    return ready();
  }

 private:
  cudaGraphExec_t executable_ = nullptr;
};

}  // namespace lacuna::cuda
