#pragma once

#include <cublasLt.h>

#include <array>
#include <map>

#include "lacuna/cuda/device.hpp"

namespace lacuna::cuda {

template <class... Parts>
void check(cublasStatus_t status, const Parts&... what) {
  if (status != CUBLAS_STATUS_SUCCESS) throw CudaError(text("cuBLASLt: cannot ", what..., ": ", cublasLtGetStatusString(status)));
}

/// @brief c = a b, or c += a b, for matrices whose rows follow one another: c (rows, columns), the sum over `depth`.
struct MatrixProduct {
  int rows = 1, columns = 1, depth = 1;
  bool transpose_a = false;  ///< a lies as (depth, rows)
  bool transpose_b = false;  ///< b lies as (columns, depth)
  bool add = false;          ///< to what c holds

  auto operator<=>(const MatrixProduct&) const = default;

  std::string name() const { return text("product of ", rows, " x ", depth, " and ", depth, " x ", columns, " matrices"); }
};

/// @brief cuBLASLt on a device: its handle, and what it chose for the products that were asked for.
class CublasLt {
 public:
  explicit CublasLt(Device& device) : stream_(device.stream()), tf32_(device.settings().tf32), workspace_(workspace_bytes) {
    check(cublasLtCreate(&handle_), "start on device ", device.ordinal());
  }
  ~CublasLt() {
    plans_.clear();
    cublasLtDestroy(handle_);
  }
  CublasLt(const CublasLt&) = delete;
  CublasLt& operator=(const CublasLt&) = delete;

  /// Finds an algorithm for a product, once. Throws: CudaError that names it.
  void plan(const MatrixProduct& product) { planned(product); }

  void run(const MatrixProduct& product, const float* a, const float* b, float* c) {
    const Plan& plan = planned(product);
    const float one = 1.0f, kept = product.add ? 1.0f : 0.0f;
    // Matrices whose columns follow one another are what cuBLAS prefers: c' = b' a'.
    check(cublasLtMatmul(handle_, plan.operation.get(), &one, b, plan.b.get(), a, plan.a.get(), &kept, c, plan.c.get(), c,
                         plan.c.get(), &plan.algorithm, workspace_.data(), workspace_.size(), stream_),
          "run the ", product.name());
  }

 private:
  static constexpr std::size_t workspace_bytes = std::size_t{4} << 20;

  template <class Handle, cublasStatus_t (*destroy)(Handle)>
  class Owned {
   public:
    explicit Owned(Handle handle) : handle_(handle) {}
    ~Owned() {
      if (handle_ != nullptr) destroy(handle_);
    }
    Owned(Owned&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    Owned& operator=(Owned&&) = delete;
    Handle get() const { return handle_; }

   private:
    Handle handle_;
  };
  using Layout = Owned<cublasLtMatrixLayout_t, cublasLtMatrixLayoutDestroy>;
  using Operation = Owned<cublasLtMatmulDesc_t, cublasLtMatmulDescDestroy>;
  using Preference = Owned<cublasLtMatmulPreference_t, cublasLtMatmulPreferenceDestroy>;

  struct Plan {
    Operation operation;
    Layout a, b, c;
    cublasLtMatmulAlgo_t algorithm{};
  };

  /// The transpose of a matrix of `rows` rows that follow one another.
  static Layout layout(int rows, int columns) {
    cublasLtMatrixLayout_t made = nullptr;
    check(cublasLtMatrixLayoutCreate(&made, CUDA_R_32F, static_cast<std::uint64_t>(columns), static_cast<std::uint64_t>(rows),
                                     columns),
          "describe a matrix");
    return Layout(made);
  }

  const Plan& planned(const MatrixProduct& p) {
    if (const auto found = plans_.find(p); found != plans_.end()) return found->second;
    cublasLtMatmulDesc_t operation = nullptr;
    check(cublasLtMatmulDescCreate(&operation, tf32_ ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F, CUDA_R_32F),
          "describe the ", p.name());
    Plan plan{Operation(operation), p.transpose_a ? layout(p.depth, p.rows) : layout(p.rows, p.depth),
              p.transpose_b ? layout(p.columns, p.depth) : layout(p.depth, p.columns), layout(p.rows, p.columns)};
    const cublasOperation_t first = p.transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N, second = p.transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N;
    check(cublasLtMatmulDescSetAttribute(operation, CUBLASLT_MATMUL_DESC_TRANSA, &first, sizeof first), "describe the ",
          p.name());
    check(cublasLtMatmulDescSetAttribute(operation, CUBLASLT_MATMUL_DESC_TRANSB, &second, sizeof second), "describe the ",
          p.name());
    cublasLtMatmulPreference_t made = nullptr;
    check(cublasLtMatmulPreferenceCreate(&made), "state a preference");
    const Preference preference(made);
    const std::size_t most = workspace_.size();
    check(cublasLtMatmulPreferenceSetAttribute(made, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &most, sizeof most),
          "state a preference");
    // Of the algorithms only those that add up in one order, so that a step repeats bit for bit.
    const std::uint32_t schemes = CUBLASLT_REDUCTION_SCHEME_NONE;
    check(cublasLtMatmulPreferenceSetAttribute(made, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, &schemes, sizeof schemes),
          "state a preference");
    cublasLtMatmulHeuristicResult_t found{};
    int count = 0;
    check(cublasLtMatmulAlgoGetHeuristic(handle_, operation, plan.b.get(), plan.a.get(), plan.c.get(), plan.c.get(), made, 1,
                                         &found, &count),
          "find an algorithm for the ", p.name());
    require<CudaError>(count > 0, "cuBLASLt: no algorithm for the ", p.name());
    plan.algorithm = found.algo;
    return plans_.emplace(p, std::move(plan)).first->second;
  }

  const Stream& stream_;
  bool tf32_;
  DeviceArray<std::byte> workspace_;
  cublasLtHandle_t handle_ = nullptr;
  std::map<MatrixProduct, Plan> plans_;
};

}  // namespace lacuna::cuda
