#pragma once

#include <cublasLt.h>

#include <cstdint>
#include <map>

#include "lacuna/cuda/device.hpp"

namespace lacuna::cuda {

template <class... Parts>
void check(cublasStatus_t status, const Parts&... what) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  cudaGetLastError();
  throw CudaError(text("cuBLASLt: cannot ", what..., ": ", cublasLtGetStatusString(status)));
}

/// @brief c = a b, or c += a b, by rows: c (rows, columns), the sum over `depth`; one product or a batch of them. Sums are float,
/// whatever is multiplied.
struct MatrixProduct {
  int rows = 1, columns = 1, depth = 1;
  bool transpose_a = false;  ///< a lies as (depth, rows)
  bool transpose_b = false;  ///< b lies as (columns, depth)
  bool add = false;          ///< to what c holds
  /// Elements from a row, as it lies, to the next; 0: rows follow one another.
  int row_a = 0, row_b = 0, row_c = 0;
  bool unaligned = false;      ///< a matrix may begin at any element, not only at a multiple of 16 bytes
  bool narrow = false;         ///< a and b are bfloat16, else float
  bool narrow_result = false;  ///< c is bfloat16, which takes a narrow product
  int batch = 1;               ///< products of as many matrices, which lie so many elements apart (0: all the same one)
  std::int64_t apart_a = 0, apart_b = 0, apart_c = 0;

  auto operator<=>(const MatrixProduct&) const = default;

  std::string name() const {
    return text("product of ", rows, " x ", depth, " and ", depth, " x ", columns, " matrices",
                batch > 1 ? text(", ", batch, " times") : "");
  }
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

  /// Matrices are of the product's types.
  void run(const MatrixProduct& product, const void* a, const void* b, void* c) {
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

  /// The transposes of `batch` matrices (rows, columns) as they lie.
  static Layout layout(bool narrow, int rows, int columns, int row, int batch, std::int64_t apart) {
    cublasLtMatrixLayout_t made = nullptr;
    check(cublasLtMatrixLayoutCreate(&made, narrow ? CUDA_R_16BF : CUDA_R_32F, static_cast<std::uint64_t>(columns),
                                     static_cast<std::uint64_t>(rows), row > 0 ? row : columns),
          "describe a matrix");
    Layout layout(made);
    set(&cublasLtMatrixLayoutSetAttribute, made, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, static_cast<std::int32_t>(batch),
        "describe a matrix");
    set(&cublasLtMatrixLayoutSetAttribute, made, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, apart, "describe a matrix");
    return layout;
  }

  template <class Handle, class Attribute, class Value, class... Parts>
  static void set(cublasStatus_t (*setter)(Handle, Attribute, const void*, std::size_t), Handle handle, Attribute attribute,
                  const Value& value, const Parts&... what) {
    check(setter(handle, attribute, &value, sizeof value), what...);
  }

  Preference preference(const MatrixProduct& p) const {
    cublasLtMatmulPreference_t made = nullptr;
    check(cublasLtMatmulPreferenceCreate(&made), "state a preference");
    Preference preference(made);
    const auto state = [made](cublasLtMatmulPreferenceAttributes_t attribute, const auto& value) {
      set(&cublasLtMatmulPreferenceSetAttribute, made, attribute, value, "state a preference");
    };
    state(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, workspace_.size());
    // Of the algorithms only those that add up in one order, so that a step repeats bit for bit.
    state(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, static_cast<std::uint32_t>(CUBLASLT_REDUCTION_SCHEME_NONE));
    const auto alignment = [&p](bool narrow) { return static_cast<std::uint32_t>(p.unaligned ? (narrow ? 2 : 4) : 16); };
    for (const auto operand : {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES})
      state(operand, alignment(p.narrow));
    for (const auto result : {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES})
      state(result, alignment(p.narrow_result));
    return preference;
  }

  const Plan& planned(const MatrixProduct& p) {
    if (const auto found = plans_.find(p); found != plans_.end()) return found->second;
    cublasLtMatmulDesc_t operation = nullptr;
    check(
        cublasLtMatmulDescCreate(&operation, tf32_ && !p.narrow ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F, CUDA_R_32F),
        "describe the ", p.name());
    const auto operand = [&p](bool transposed, int rows, int columns, int row, std::int64_t apart) {
      if (transposed) std::swap(rows, columns);
      return layout(p.narrow, rows, columns, row, p.batch, apart);
    };
    Plan plan{Operation(operation), operand(p.transpose_a, p.rows, p.depth, p.row_a, p.apart_a),
              operand(p.transpose_b, p.depth, p.columns, p.row_b, p.apart_b),
              layout(p.narrow_result, p.rows, p.columns, p.row_c, p.batch, p.apart_c)};
    const auto transpose = [&](cublasLtMatmulDescAttributes_t attribute, bool transposed) {
      set(&cublasLtMatmulDescSetAttribute, operation, attribute, transposed ? CUBLAS_OP_T : CUBLAS_OP_N, "describe the ",
          p.name());
    };
    transpose(CUBLASLT_MATMUL_DESC_TRANSA, p.transpose_b);
    transpose(CUBLASLT_MATMUL_DESC_TRANSB, p.transpose_a);
    const Preference wanted = preference(p);
    cublasLtMatmulHeuristicResult_t found{};
    int count = 0;
    check(cublasLtMatmulAlgoGetHeuristic(handle_, operation, plan.b.get(), plan.a.get(), plan.c.get(), plan.c.get(), wanted.get(),
                                         1, &found, &count),
          "find an algorithm for the ", p.name());
    require<CudaError>(count > 0 && found.state == CUBLAS_STATUS_SUCCESS, "cuBLASLt: no algorithm for the ", p.name());
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
