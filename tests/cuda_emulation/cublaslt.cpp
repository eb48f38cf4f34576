// The emulated cuBLASLt: products against plain loops, and that wrong use is refused.
#include <cublasLt.h>

#include <vector>

#include "catch.hpp"
#include "cuda_emulation/libraries/controls.hpp"

namespace {

struct Product {
  explicit Product(std::int64_t rows, std::int64_t depth, std::int64_t columns, bool transpose_a, cublasLtOrder_t order) {
    REQUIRE(cublasLtCreate(&handle) == CUBLAS_STATUS_SUCCESS);
    REQUIRE(cublasLtMatmulDescCreate(&product, CUBLAS_COMPUTE_32F, CUDA_R_32F) == CUBLAS_STATUS_SUCCESS);
    const std::int32_t t = transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N;
    cublasLtMatmulDescSetAttribute(product, CUBLASLT_MATMUL_DESC_TRANSA, &t, sizeof t);
    a = layout(transpose_a ? depth : rows, transpose_a ? rows : depth, order);
    b = layout(depth, columns, order);
    d = layout(rows, columns, order);
  }
  ~Product() {
    for (auto* l : {a, b, d}) cublasLtMatrixLayoutDestroy(l);
    cublasLtMatmulDescDestroy(product);
    cublasLtDestroy(handle);
  }
  static cublasLtMatrixLayout_t layout(std::int64_t rows, std::int64_t columns, cublasLtOrder_t order) {
    cublasLtMatrixLayout_t l = nullptr;
    const std::int64_t leading = (order == CUBLASLT_ORDER_ROW ? columns : rows) + 1;  // a gap
    cublasLtMatrixLayoutCreate(&l, CUDA_R_32F, static_cast<std::uint64_t>(rows), static_cast<std::uint64_t>(columns), leading);
    const std::int32_t o = order;
    cublasLtMatrixLayoutSetAttribute(l, CUBLASLT_MATRIX_LAYOUT_ORDER, &o, sizeof o);
    return l;
  }
  cublasStatus_t run(const void* A, const void* B, void* D, float beta = 0) const {
    const float one = 1;
    return cublasLtMatmul(handle, product, &one, A, a, B, b, &beta, D, d, D, d, nullptr, nullptr, 0, nullptr);
  }
  cublasLtHandle_t handle = nullptr;
  cublasLtMatmulDesc_t product = nullptr;
  cublasLtMatrixLayout_t a = nullptr, b = nullptr, d = nullptr;
};

}  // namespace

TEST_CASE("Emulated cuBLASLt: products of either order and transpose, with a bias") {
  cuda_emulation::reset();
  const std::int64_t rows = 3, depth = 4, columns = 5;
  float *a = nullptr, *b = nullptr, *d = nullptr, *bias = nullptr;
  for (float** p : {&a, &b, &d, &bias}) REQUIRE(cudaMalloc(reinterpret_cast<void**>(p), 64 * 4) == cudaSuccess);
  std::vector<float> va(64), vb(64), vd(64), vbias(64);
  for (std::size_t i = 0; i < 64; ++i) {
    va[i] = static_cast<float>(i % 7) - 3;
    vb[i] = static_cast<float>(i % 5) - 2;
    vbias[i] = static_cast<float>(i) * 100;
  }
  cudaMemcpy(a, va.data(), 256, cudaMemcpyHostToDevice);
  cudaMemcpy(b, vb.data(), 256, cudaMemcpyHostToDevice);
  cudaMemcpy(bias, vbias.data(), 256, cudaMemcpyHostToDevice);
  for (const auto order : {CUBLASLT_ORDER_COL, CUBLASLT_ORDER_ROW})
    for (const bool transpose : {false, true})
      for (const bool biased : {false, true}) {
        const Product product(rows, depth, columns, transpose, order);
        if (biased) {
          const std::int32_t epilogue = CUBLASLT_EPILOGUE_BIAS;
          cublasLtMatmulDescSetAttribute(product.product, CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue, sizeof epilogue);
          cublasLtMatmulDescSetAttribute(product.product, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &bias, sizeof bias);
        }
        const bool by_rows = order == CUBLASLT_ORDER_ROW;
        if (biased && by_rows) {
          CHECK(product.run(a, b, d) == CUBLAS_STATUS_NOT_SUPPORTED);
          continue;
        }
        REQUIRE(product.run(a, b, d) == CUBLAS_STATUS_SUCCESS);
        cudaMemcpy(vd.data(), d, 256, cudaMemcpyDeviceToHost);
        const auto at = [&](std::int64_t i, std::int64_t j, std::int64_t height, std::int64_t width) {
          return static_cast<std::size_t>(by_rows ? i * (width + 1) + j : j * (height + 1) + i);
        };
        for (std::int64_t i = 0; i < rows; ++i)
          for (std::int64_t j = 0; j < columns; ++j) {
            double sum = biased ? vbias[static_cast<std::size_t>(i)] : 0;
            for (std::int64_t k = 0; k < depth; ++k)
              sum += static_cast<double>(va[transpose ? at(k, i, depth, rows) : at(i, k, rows, depth)]) *
                     vb[at(k, j, depth, columns)];
            CHECK(vd[at(i, j, rows, columns)] == static_cast<float>(sum));
          }
      }
  CHECK(cuda_emulation::controls().log.size() == 6);
  for (float* p : {a, b, d, bias}) cudaFree(p);
}

TEST_CASE("Emulated cuBLASLt: batches, of which all may take the same matrix but none the same result") {
  cuda_emulation::reset();
  float *a = nullptr, *b = nullptr, *d = nullptr;
  for (float** p : {&a, &b, &d}) REQUIRE(cudaMalloc(reinterpret_cast<void**>(p), 256 * 4) == cudaSuccess);
  std::vector<float> va(256), vb(256), vd(256);
  for (std::size_t i = 0; i < 256; ++i) {
    va[i] = static_cast<float>(i % 7) - 3;
    vb[i] = static_cast<float>(i % 5) - 2;
  }
  cudaMemcpy(a, va.data(), 1024, cudaMemcpyHostToDevice);
  cudaMemcpy(b, vb.data(), 1024, cudaMemcpyHostToDevice);
  const Product product(3, 4, 5, false, CUBLASLT_ORDER_COL);  // columns lie 4, 5 and 4 apart
  const std::int32_t batches = 3;
  const std::int64_t apart_b = 30, apart_d = 21, overlapping = 18;
  for (auto* l : {product.a, product.b, product.d})
    cublasLtMatrixLayoutSetAttribute(l, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &batches, sizeof batches);
  cublasLtMatrixLayoutSetAttribute(product.b, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &apart_b, sizeof apart_b);
  CHECK(product.run(a, b, d) == CUBLAS_STATUS_INVALID_VALUE);
  cublasLtMatrixLayoutSetAttribute(product.d, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &overlapping, sizeof overlapping);
  CHECK(product.run(a, b, d) == CUBLAS_STATUS_INVALID_VALUE);
  cublasLtMatrixLayoutSetAttribute(product.d, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &apart_d, sizeof apart_d);
  REQUIRE(product.run(a, b, d) == CUBLAS_STATUS_SUCCESS);
  cudaMemcpy(vd.data(), d, 1024, cudaMemcpyDeviceToHost);
  for (std::size_t n = 0; n < 3; ++n)
    for (std::size_t i = 0; i < 3; ++i)
      for (std::size_t j = 0; j < 5; ++j) {
        float sum = 0;
        for (std::size_t k = 0; k < 4; ++k) sum += va[k * 4 + i] * vb[n * 30 + j * 5 + k];
        CHECK(vd[n * 21 + j * 4 + i] == sum);
      }
  for (float* p : {a, b, d}) cudaFree(p);
}

TEST_CASE("Emulated cuBLASLt: wrong use is refused") {
  cuda_emulation::reset();
  void* memory = nullptr;
  REQUIRE(cudaMalloc(&memory, 1024) == cudaSuccess);
  std::vector<float> host(256);
  const Product product(3, 4, 5, false, CUBLASLT_ORDER_COL);
  CHECK(product.run(memory, memory, memory) == CUBLAS_STATUS_SUCCESS);
  CHECK(product.run(host.data(), memory, memory) == CUBLAS_STATUS_INVALID_VALUE);
  CHECK(product.run(static_cast<char*>(memory) + 2, memory, memory) == CUBLAS_STATUS_INVALID_VALUE);
  CHECK(product.run(static_cast<char*>(memory) + 1000, memory, memory) == CUBLAS_STATUS_INVALID_VALUE);  // beyond its end
  const std::int64_t too_small = 2;
  cublasLtMatrixLayoutSetAttribute(product.a, CUBLASLT_MATRIX_LAYOUT_LD, &too_small, sizeof too_small);
  CHECK(product.run(memory, memory, memory) == CUBLAS_STATUS_INVALID_VALUE);
  CHECK(cublasLtMatrixLayoutSetAttribute(product.a, CUBLASLT_MATRIX_LAYOUT_LD, &too_small, 4) == CUBLAS_STATUS_INVALID_VALUE);
  const Product mismatched(3, 4, 5, true, CUBLASLT_ORDER_COL);
  const std::int32_t none = CUBLAS_OP_N;
  cublasLtMatmulDescSetAttribute(mismatched.product, CUBLASLT_MATMUL_DESC_TRANSA, &none, sizeof none);
  CHECK(mismatched.run(memory, memory, memory) == CUBLAS_STATUS_INVALID_VALUE);
  // A workspace as large as the heuristic said.
  const Product planned(3, 4, 5, false, CUBLASLT_ORDER_COL);
  cublasLtMatmulPreference_t preference = nullptr;
  cublasLtMatmulPreferenceCreate(&preference);
  const std::size_t most = 1 << 20;
  cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &most, sizeof most);
  cublasLtMatmulHeuristicResult_t result{};
  int count = 0;
  REQUIRE(cublasLtMatmulAlgoGetHeuristic(planned.handle, planned.product, planned.a, planned.b, planned.d, planned.d, preference,
                                         1, &result, &count) == CUBLAS_STATUS_SUCCESS);
  REQUIRE(count == 1);
  void* workspace = nullptr;
  REQUIRE(cudaMalloc(&workspace, result.workspaceSize) == cudaSuccess);
  const float one = 1, zero = 0;
  const auto run = [&](std::size_t bytes) {
    return cublasLtMatmul(planned.handle, planned.product, &one, memory, planned.a, memory, planned.b, &zero, memory, planned.d,
                          memory, planned.d, &result.algo, workspace, bytes, nullptr);
  };
  CHECK(run(result.workspaceSize) == CUBLAS_STATUS_SUCCESS);
  CHECK(run(result.workspaceSize - 1) == CUBLAS_STATUS_INVALID_VALUE);
  CHECK(run(result.workspaceSize + 1) == CUBLAS_STATUS_INVALID_VALUE);
  // Matrices begin where the caller said they would: at 256 bytes, where nothing was said.
  const auto at = [&](std::size_t offset) {
    return cublasLtMatmul(planned.handle, planned.product, &one, static_cast<char*>(memory) + offset, planned.a, memory,
                          planned.b, &zero, memory, planned.d, memory, planned.d, &result.algo, workspace, result.workspaceSize,
                          nullptr);
  };
  CHECK(at(16) == CUBLAS_STATUS_INVALID_VALUE);
  const std::uint32_t promised = 16;
  cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, &promised, sizeof promised);
  REQUIRE(cublasLtMatmulAlgoGetHeuristic(planned.handle, planned.product, planned.a, planned.b, planned.d, planned.d, preference,
                                         1, &result, &count) == CUBLAS_STATUS_SUCCESS);
  CHECK(at(16) == CUBLAS_STATUS_SUCCESS);
  CHECK(at(4) == CUBLAS_STATUS_INVALID_VALUE);
  cublasLtMatmulPreferenceDestroy(preference);
  cudaFree(workspace);
  cudaFree(memory);
}
