// Matrix products of cuBLASLt: D = alpha op(A) op(B) + beta C, batched, with a bias; float and bfloat16, sums in float.
#include <cublasLt.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "cuda_emulation/libraries/numbers.hpp"
#include "cuda_emulation/libraries/world.hpp"

using namespace cuda_emulation;

namespace {

constexpr std::uint64_t workspace_needed = 4096;
/// Where preferences and algorithms keep the alignments in bytes of A, B, C and D that callers promise.
constexpr std::size_t first_alignment = 1;

// The headers' opaque records hold ours.
struct Layout {
  cudaDataType type;
  cublasLtOrder_t order;
  std::uint64_t rows, columns;
  std::int64_t leading, batch_offset;
  std::int32_t batches;
};
struct Product {
  cublasComputeType_t compute;
  cudaDataType scale;
  cublasOperation_t transpose_a, transpose_b;
  cublasLtEpilogue_t epilogue;
  const void* bias;
  std::int32_t bias_type;
  std::int64_t bias_stride;
};
static_assert(sizeof(Layout) <= sizeof(cublasLtMatrixLayoutOpaque_t) && sizeof(Product) <= sizeof(cublasLtMatmulDescOpaque_t));

Layout& of(cublasLtMatrixLayout_t layout) { return *reinterpret_cast<Layout*>(layout); }
Product& of(cublasLtMatmulDesc_t product) { return *reinterpret_cast<Product*>(product); }
Product* product_behind(cublasLtMatmulDesc_t product) { return reinterpret_cast<Product*>(product); }

bool supported(cudaDataType type) { return type == CUDA_R_32F || type == CUDA_R_16BF; }
std::size_t width(cudaDataType type) { return type == CUDA_R_16BF ? 2 : 4; }

/// The caller's value, where its size is the attribute's.
template <class T>
cublasStatus_t take(T& to, const void* from, std::size_t bytes) {
  if (from == nullptr || bytes != sizeof(T)) return CUBLAS_STATUS_INVALID_VALUE;
  std::memcpy(&to, from, bytes);
  return CUBLAS_STATUS_SUCCESS;
}

bool valid(const Layout& l) {
  const auto across = static_cast<std::int64_t>(l.order == CUBLASLT_ORDER_ROW ? l.columns : l.rows);
  return supported(l.type) && l.rows > 0 && l.columns > 0 && l.leading >= across && l.batches >= 1;
}
/// Bytes of one matrix from its first element to the last one's end.
std::size_t matrix_extent(const Layout& l) {
  const bool by_rows = l.order == CUBLASLT_ORDER_ROW;
  const std::uint64_t lines = by_rows ? l.rows : l.columns, across = by_rows ? l.columns : l.rows;
  return ((lines - 1) * static_cast<std::uint64_t>(l.leading) + across) * width(l.type);
}
/// The same of a batch.
std::size_t extent(const Layout& l) {
  const auto apart = static_cast<std::uint64_t>(l.batches - 1) * static_cast<std::uint64_t>(l.batch_offset);
  return apart * width(l.type) + matrix_extent(l);
}
std::size_t element(const Layout& l, std::size_t batch, std::size_t row, std::size_t column) {
  const auto leading = static_cast<std::size_t>(l.leading);
  const std::size_t inside = l.order == CUBLASLT_ORDER_ROW ? row * leading + column : column * leading + row;
  return batch * static_cast<std::size_t>(l.batch_offset) + inside;
}

struct Operands {
  Product product;
  Layout a, b, c, d;
  std::size_t rows() const { return d.rows; }
  std::size_t columns() const { return d.columns; }
  std::size_t depth() const { return product.transpose_a == CUBLAS_OP_N ? a.columns : a.rows; }
  bool has_bias() const { return product.epilogue != CUBLASLT_EPILOGUE_DEFAULT; }
  cudaDataType bias_type() const { return product.bias_type < 0 ? d.type : static_cast<cudaDataType>(product.bias_type); }
  std::size_t bias_size() const {
    if (product.epilogue == CUBLASLT_EPILOGUE_BGRADB) return columns();
    return rows();
  }
};

cublasStatus_t check(const Operands& o) {
  const auto& p = o.product;
  if (!valid(o.a) || !valid(o.b) || !valid(o.c) || !valid(o.d)) return CUBLAS_STATUS_INVALID_VALUE;
  const bool ta = p.transpose_a != CUBLAS_OP_N, tb = p.transpose_b != CUBLAS_OP_N;
  if ((ta ? o.a.columns : o.a.rows) != o.d.rows || (tb ? o.b.rows : o.b.columns) != o.d.columns ||
      (tb ? o.b.columns : o.b.rows) != o.depth() || o.c.rows != o.d.rows || o.c.columns != o.d.columns)
    return CUBLAS_STATUS_INVALID_VALUE;
  if (o.a.batches != o.d.batches || o.b.batches != o.d.batches || o.c.batches != o.d.batches) return CUBLAS_STATUS_INVALID_VALUE;
  // Results that share memory would race.
  if (o.d.batches > 1 &&
      o.d.batch_offset * static_cast<std::int64_t>(width(o.d.type)) < static_cast<std::int64_t>(matrix_extent(o.d)))
    return CUBLAS_STATUS_INVALID_VALUE;
  if (o.c.order != o.d.order) return CUBLAS_STATUS_INVALID_VALUE;
  if (o.a.type != o.b.type || o.c.type != o.d.type) return CUBLAS_STATUS_NOT_SUPPORTED;
  if (o.a.type == CUDA_R_32F && o.d.type != CUDA_R_32F) return CUBLAS_STATUS_NOT_SUPPORTED;
  if (o.a.type != CUDA_R_32F && p.compute != CUBLAS_COMPUTE_32F) return CUBLAS_STATUS_NOT_SUPPORTED;  // TF32 is float's
  if (p.scale != CUDA_R_32F) return CUBLAS_STATUS_NOT_SUPPORTED;
  if (o.has_bias()) {
    // A bias runs along D's rows: D is column-major. Gradients of it run along A or B's rows or columns.
    if (p.epilogue == CUBLASLT_EPILOGUE_BIAS && o.d.order != CUBLASLT_ORDER_COL) return CUBLAS_STATUS_NOT_SUPPORTED;
    if (o.bias_type() != o.d.type && o.bias_type() != CUDA_R_32F) return CUBLAS_STATUS_NOT_SUPPORTED;
  }
  return CUBLAS_STATUS_SUCCESS;
}

void multiply(const Operands& o, float alpha, const void* a, const void* b, float beta, const void* c, void* d) {
  const bool ta = o.product.transpose_a != CUBLAS_OP_N, tb = o.product.transpose_b != CUBLAS_OP_N;
  const Numbers A{const_cast<void*>(a), o.a.type == CUDA_R_16BF}, B{const_cast<void*>(b), o.b.type == CUDA_R_16BF};
  const Numbers C{const_cast<void*>(c), o.c.type == CUDA_R_16BF}, D{d, o.d.type == CUDA_R_16BF};
  const Numbers bias{const_cast<void*>(o.product.bias), o.bias_type() == CUDA_R_16BF};
  const auto at_a = [&](std::size_t n, std::size_t i, std::size_t k) {
    return A[ta ? element(o.a, n, k, i) : element(o.a, n, i, k)];
  };
  const auto at_b = [&](std::size_t n, std::size_t k, std::size_t j) {
    return B[tb ? element(o.b, n, j, k) : element(o.b, n, k, j)];
  };
  for (std::size_t n = 0; n < static_cast<std::size_t>(o.d.batches); ++n) {
    const std::size_t bias_at = n * static_cast<std::size_t>(o.product.bias_stride);
    if (o.product.epilogue == CUBLASLT_EPILOGUE_BGRADA || o.product.epilogue == CUBLASLT_EPILOGUE_BGRADB) {
      for (std::size_t i = 0; i < o.bias_size(); ++i) {
        double sum = 0;
        for (std::size_t k = 0; k < o.depth(); ++k)
          sum += o.product.epilogue == CUBLASLT_EPILOGUE_BGRADA ? at_a(n, i, k) : at_b(n, k, i);
        bias.set(bias_at + i, static_cast<float>(sum));
      }
    }
    for (std::size_t i = 0; i < o.rows(); ++i) {
      for (std::size_t j = 0; j < o.columns(); ++j) {
        double sum = 0;
        for (std::size_t k = 0; k < o.depth(); ++k)
          sum += static_cast<double>(at_a(n, i, k)) * static_cast<double>(at_b(n, k, j));
        double result = alpha * sum;
        if (beta != 0) result += static_cast<double>(beta) * static_cast<double>(C[element(o.c, n, i, j)]);
        if (o.product.epilogue == CUBLASLT_EPILOGUE_BIAS) result += bias[bias_at + i];
        D.set(element(o.d, n, i, j), static_cast<float>(result));
      }
    }
  }
}

bool aligned(const void* p, cudaDataType type) { return reinterpret_cast<std::uintptr_t>(p) % width(type) == 0; }
bool in_device_memory(const void* p, const Layout& l) { return aligned(p, l.type) && world().memory.contains(p, extent(l)); }

template <class Handle>
cublasStatus_t forget(Handle handle) {
  if (handle == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
  delete handle;
  --world().live.library_handles;
  return CUBLAS_STATUS_SUCCESS;
}

}  // namespace

struct cublasLtContext {};

extern "C" {

cublasStatus_t cublasLtCreate(cublasLtHandle_t* handle) {
  if (handle == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
  if (not_while_capturing() != cudaSuccess) return CUBLAS_STATUS_NOT_INITIALIZED;
  *handle = new cublasLtContext;
  ++world().live.library_handles;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle) { return forget(handle); }

const char* cublasLtGetStatusName(cublasStatus_t status) {
  switch (status) {
    case CUBLAS_STATUS_SUCCESS: return "CUBLAS_STATUS_SUCCESS";
    case CUBLAS_STATUS_NOT_INITIALIZED: return "CUBLAS_STATUS_NOT_INITIALIZED";
    case CUBLAS_STATUS_INVALID_VALUE: return "CUBLAS_STATUS_INVALID_VALUE";
    case CUBLAS_STATUS_NOT_SUPPORTED: return "CUBLAS_STATUS_NOT_SUPPORTED";
    case CUBLAS_STATUS_EXECUTION_FAILED: return "CUBLAS_STATUS_EXECUTION_FAILED";
    default: return "CUBLAS_STATUS_UNKNOWN";
  }
}
const char* cublasLtGetStatusString(cublasStatus_t status) { return cublasLtGetStatusName(status); }
size_t cublasLtGetVersion() { return CUBLAS_VERSION; }

cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* layout, cudaDataType type, uint64_t rows, uint64_t columns,
                                          int64_t leading) {
  if (layout == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
  *layout = new cublasLtMatrixLayoutOpaque_t{};
  of(*layout) = {type, CUBLASLT_ORDER_COL, rows, columns, leading, 0, 1};
  ++world().live.library_handles;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t layout) { return forget(layout); }

cublasStatus_t cublasLtMatrixLayoutSetAttribute(cublasLtMatrixLayout_t layout, cublasLtMatrixLayoutAttribute_t attribute,
                                                const void* value, size_t bytes) {
  if (layout == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
  Layout& l = of(layout);
  switch (attribute) {
    case CUBLASLT_MATRIX_LAYOUT_TYPE: return take(l.type, value, bytes);
    case CUBLASLT_MATRIX_LAYOUT_ORDER: {
      std::int32_t order = 0;
      if (const auto status = take(order, value, bytes); status != CUBLAS_STATUS_SUCCESS) return status;
      if (order != CUBLASLT_ORDER_COL && order != CUBLASLT_ORDER_ROW) return CUBLAS_STATUS_INVALID_VALUE;
      l.order = static_cast<cublasLtOrder_t>(order);
      return CUBLAS_STATUS_SUCCESS;
    }
    case CUBLASLT_MATRIX_LAYOUT_ROWS: return take(l.rows, value, bytes);
    case CUBLASLT_MATRIX_LAYOUT_COLS: return take(l.columns, value, bytes);
    case CUBLASLT_MATRIX_LAYOUT_LD: return take(l.leading, value, bytes);
    case CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT: return take(l.batches, value, bytes);
    case CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET: return take(l.batch_offset, value, bytes);
    default: return CUBLAS_STATUS_INVALID_VALUE;
  }
}

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* product, cublasComputeType_t compute, cudaDataType_t scale) {
  if (product == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
  if (compute != CUBLAS_COMPUTE_32F && compute != CUBLAS_COMPUTE_32F_FAST_TF32) return CUBLAS_STATUS_NOT_SUPPORTED;
  *product = new cublasLtMatmulDescOpaque_t{};
  *product_behind(*product) = {compute, scale, CUBLAS_OP_N, CUBLAS_OP_N, CUBLASLT_EPILOGUE_DEFAULT, nullptr, -1, 0};
  ++world().live.library_handles;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t product) { return forget(product); }

cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t product, cublasLtMatmulDescAttributes_t attribute,
                                              const void* value, size_t bytes) {
  if (product == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
  Product& p = of(product);
  std::int32_t number = 0;
  switch (attribute) {
    case CUBLASLT_MATMUL_DESC_BIAS_POINTER: return take(p.bias, value, bytes);
    case CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE: return take(p.bias_type, value, bytes);
    case CUBLASLT_MATMUL_DESC_BIAS_BATCH_STRIDE: return take(p.bias_stride, value, bytes);
    default: break;
  }
  if (const auto status = take(number, value, bytes); status != CUBLAS_STATUS_SUCCESS) return status;
  switch (attribute) {
    case CUBLASLT_MATMUL_DESC_TRANSA:
    case CUBLASLT_MATMUL_DESC_TRANSB:
      if (number < CUBLAS_OP_N || number > CUBLAS_OP_C) return CUBLAS_STATUS_INVALID_VALUE;
      (attribute == CUBLASLT_MATMUL_DESC_TRANSA ? p.transpose_a : p.transpose_b) = static_cast<cublasOperation_t>(number);
      return CUBLAS_STATUS_SUCCESS;
    case CUBLASLT_MATMUL_DESC_EPILOGUE:
      if (number != CUBLASLT_EPILOGUE_DEFAULT && number != CUBLASLT_EPILOGUE_BIAS && number != CUBLASLT_EPILOGUE_BGRADA &&
          number != CUBLASLT_EPILOGUE_BGRADB)
        return CUBLAS_STATUS_NOT_SUPPORTED;
      p.epilogue = static_cast<cublasLtEpilogue_t>(number);
      return CUBLAS_STATUS_SUCCESS;
    case CUBLASLT_MATMUL_DESC_POINTER_MODE:
      return number == CUBLASLT_POINTER_MODE_HOST ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_NOT_SUPPORTED;
    default: return CUBLAS_STATUS_INVALID_VALUE;
  }
}

cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* preference) {
  if (preference == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
  *preference = new cublasLtMatmulPreferenceOpaque_t{};
  std::fill_n((*preference)->data + first_alignment, 4, std::uint64_t{256});
  ++world().live.library_handles;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t preference) { return forget(preference); }

/// Reduction schemes are accepted and not needed: the one algorithm adds up in one order.
cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t preference,
                                                    cublasLtMatmulPreferenceAttributes_t attribute, const void* value,
                                                    size_t bytes) {
  if (preference == nullptr || value == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
  if (attribute == CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES) return take(preference->data[0], value, bytes);
  std::uint32_t number = 0;
  const bool is_alignment =
      attribute >= CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES && attribute <= CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES;
  if (attribute != CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK && !is_alignment) return CUBLAS_STATUS_NOT_SUPPORTED;
  if (const auto status = take(number, value, bytes); status != CUBLAS_STATUS_SUCCESS) return status;
  if (is_alignment) preference->data[first_alignment + attribute - CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES] = number;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t handle, cublasLtMatmulDesc_t product, cublasLtMatrixLayout_t a,
                                              cublasLtMatrixLayout_t b, cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
                                              cublasLtMatmulPreference_t preference, int requested,
                                              cublasLtMatmulHeuristicResult_t results[], int* returned) {
  if (returned != nullptr) *returned = 0;
  if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (product == nullptr || a == nullptr || b == nullptr || c == nullptr || d == nullptr || preference == nullptr ||
      requested < 1 || results == nullptr || returned == nullptr)
    return CUBLAS_STATUS_INVALID_VALUE;
  const auto status = check({of(product), of(a), of(b), of(c), of(d)});
  if (status != CUBLAS_STATUS_SUCCESS) return status;
  const bool with_workspace = preference->data[0] >= workspace_needed;  // else the algorithm that needs none
  results[0] = {};
  results[0].algo.data[0] = with_workspace ? 2 : 1;
  std::copy_n(preference->data + first_alignment, 4, results[0].algo.data + first_alignment);
  results[0].workspaceSize = with_workspace ? workspace_needed : 0;
  results[0].state = CUBLAS_STATUS_SUCCESS;
  *returned = 1;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t handle, cublasLtMatmulDesc_t product, const void* alpha, const void* A,
                              cublasLtMatrixLayout_t a, const void* B, cublasLtMatrixLayout_t b, const void* beta, const void* C,
                              cublasLtMatrixLayout_t c, void* D, cublasLtMatrixLayout_t d, const cublasLtMatmulAlgo_t* algorithm,
                              void* workspace, size_t workspace_bytes, cudaStream_t stream) {
  if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (product == nullptr || a == nullptr || b == nullptr || c == nullptr || d == nullptr || alpha == nullptr || beta == nullptr)
    return CUBLAS_STATUS_INVALID_VALUE;
  const Operands o{of(product), of(a), of(b), of(c), of(d)};
  if (const auto status = check(o); status != CUBLAS_STATUS_SUCCESS) return status;
  if (world().memory.in_range(alpha) || world().memory.in_range(beta)) return CUBLAS_STATUS_INVALID_VALUE;  // host scalars
  float scale = 0, scale_c = 0;
  std::memcpy(&scale, alpha, sizeof scale);
  std::memcpy(&scale_c, beta, sizeof scale_c);
  if (!in_device_memory(A, o.a) || !in_device_memory(B, o.b) || !in_device_memory(D, o.d)) return CUBLAS_STATUS_INVALID_VALUE;
  if (scale_c != 0 && !in_device_memory(C, o.c)) return CUBLAS_STATUS_INVALID_VALUE;
  if (C == D && std::memcmp(&o.c, &o.d, sizeof o.c) != 0) return CUBLAS_STATUS_INVALID_VALUE;  // in place: one layout
  if (o.has_bias()) {
    const auto batches = static_cast<std::size_t>(o.d.batches - 1) * static_cast<std::size_t>(o.product.bias_stride);
    const auto bytes = (batches + o.bias_size()) * width(o.bias_type());
    if (!aligned(o.product.bias, o.bias_type()) || !world().memory.contains(o.product.bias, bytes))
      return CUBLAS_STATUS_INVALID_VALUE;
  }
  if (algorithm != nullptr && algorithm->data[0] != 1 && algorithm->data[0] != 2) return CUBLAS_STATUS_INVALID_VALUE;
  if (algorithm != nullptr) {
    const void* const matrices[] = {A, B, scale_c != 0 ? C : D, D};
    for (std::size_t i = 0; i < 4; ++i)
      if (reinterpret_cast<std::uintptr_t>(matrices[i]) % algorithm->data[first_alignment + i] != 0)
        return CUBLAS_STATUS_INVALID_VALUE;
  }
  const bool needs_workspace = algorithm != nullptr && algorithm->data[0] == 2;
  if (needs_workspace && workspace_bytes < workspace_needed) return CUBLAS_STATUS_INVALID_VALUE;
  if (workspace_bytes > 0 &&
      (reinterpret_cast<std::uintptr_t>(workspace) % 16 != 0 || !world().memory.contains(workspace, workspace_bytes)))
    return CUBLAS_STATUS_INVALID_VALUE;
  const std::string sizes = std::to_string(o.rows()) + " x " + std::to_string(o.depth()) + " x " + std::to_string(o.columns());
  if (!library_call({"cublasLtMatmul",
                     sizes + (o.d.batches > 1 ? " x " + std::to_string(o.d.batches) + " batches" : "") +
                         (o.product.compute == CUBLAS_COMPUTE_32F ? "" : " TF32") + (o.a.type == CUDA_R_16BF ? " bfloat16" : ""),
                     workspace_bytes}))
    return CUBLAS_STATUS_EXECUTION_FAILED;
  const auto status = enqueue(stream, [=] {
    if (needs_workspace) std::memset(workspace, 0xff, workspace_needed);  // what lay there is lost
    multiply(o, scale, A, B, scale_c, C, D);
  });
  return status == cudaSuccess ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_EXECUTION_FAILED;
}

}  // extern "C"
