#pragma once

#include <map>

#include "lacuna/cuda/cudnn_graph.hpp"
#include "lacuna/cuda/device.hpp"

namespace lacuna::cuda {

/// @brief cuDNN on a device: its handle, and the plans of the convolutions that were asked for.
class Cudnn {
 public:
  explicit Cudnn(Device& device)
      : handle_(started(device.ordinal(), device.stream())), planner_({.tf32 = device.settings().tf32}, handle_) {}
  ~Cudnn() {
    plans_.clear();
    cudnnDestroy(handle_);
  }
  Cudnn(const Cudnn&) = delete;
  Cudnn& operator=(const Cudnn&) = delete;

  /// The plan of a problem, made on first use: not while a step is captured.
  const CudnnPlan& plan(const ConvolutionProblem& problem) {
    const auto found = plans_.find(problem);
    if (found != plans_.end()) return found->second;
    return plans_.emplace(problem, planner_.plan(problem)).first->second;
  }

  /// Enqueues a planned convolution; which of x, w and y is written is the pass's. workspace: plan().workspace bytes.
  void run(const ConvolutionProblem& problem, const void* x, const void* w, const void* y, void* workspace) {
    const CudnnPlan& plan = this->plan(problem);
    CudnnDescriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
    pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64,
             std::vector<std::int64_t>{ConvolutionProblem::x_id, ConvolutionProblem::w_id, ConvolutionProblem::y_id})
        .set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, std::vector<const void*>{x, w, y})
        .set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, workspace)
        .finalize("the arrays of a convolution");
    const auto status = cudnnBackendExecute(handle_, plan.plan.get(), pack.get());
    if (status != CUDNN_STATUS_SUCCESS) cudaGetLastError();
    check(status, "run the ", problem.name());
  }

 private:
  static cudnnHandle_t started(int ordinal, const Stream& stream) {
    cudnnHandle_t handle = nullptr;
    check(cudnnCreate(&handle), "start on device ", ordinal);
    const auto status = cudnnSetStream(handle, stream);
    if (status != CUDNN_STATUS_SUCCESS) cudnnDestroy(handle);
    check(status, "use the device's stream");
    return handle;
  }

  cudnnHandle_t handle_;
  CudnnPlanner planner_;
  std::map<ConvolutionProblem, CudnnPlan> plans_;
};

}  // namespace lacuna::cuda
