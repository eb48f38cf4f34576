#pragma once

#include <cudnn.h>

#include <array>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "cuda_emulation/libraries/cudnn_operations.hpp"

// Few lines around cuDNN's backend API, for tests that speak to the real library and to the emulated one alike.
namespace cudnn_graph {

/// @brief What cuDNN said to a call that it refused.
class Refused : public std::runtime_error {
 public:
  Refused(cudnnStatus_t code, const std::string& call) : std::runtime_error(text(code, call)), status(code) {}
  cudnnStatus_t status;

 private:
  static std::string text(cudnnStatus_t status, const std::string& call) {
    std::array<char, 1024> reason{};
    cudnnGetLastErrorString(reason.data(), reason.size());
    return call + ": " + cudnnGetErrorString(status) + " " + reason.data();
  }
};

inline void check(cudnnStatus_t status, const char* call) {
  if (status != CUDNN_STATUS_SUCCESS) throw Refused(status, call);
}

template <class T>
constexpr cudnnBackendAttributeType_t type_of() {
  if constexpr (std::is_same_v<T, std::int64_t>) return CUDNN_TYPE_INT64;
  if constexpr (std::is_same_v<T, float>) return CUDNN_TYPE_FLOAT;
  if constexpr (std::is_same_v<T, bool>) return CUDNN_TYPE_BOOLEAN;
  if constexpr (std::is_same_v<T, char>) return CUDNN_TYPE_CHAR;
  if constexpr (std::is_same_v<T, void*>) return CUDNN_TYPE_VOID_PTR;
  if constexpr (std::is_same_v<T, cudnnDataType_t>) return CUDNN_TYPE_DATA_TYPE;
  if constexpr (std::is_same_v<T, cudnnHandle_t>) return CUDNN_TYPE_HANDLE;
  if constexpr (std::is_same_v<T, cudnnConvolutionMode_t>) return CUDNN_TYPE_CONVOLUTION_MODE;
  if constexpr (std::is_same_v<T, cudnnPointwiseMode_t>) return CUDNN_TYPE_POINTWISE_MODE;
  if constexpr (std::is_same_v<T, cudnnBackendHeurMode_t>) return CUDNN_TYPE_HEUR_MODE;
  if constexpr (std::is_same_v<T, cudnnBackendNumericalNote_t>) return CUDNN_TYPE_NUMERICAL_NOTE;
}

/// @brief A backend descriptor that is destroyed with its owner. Every refusal throws Refused.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(cudnnBackendDescriptorType_t type) { check(cudnnBackendCreateDescriptor(type, &raw_), "CreateDescriptor"); }
  ~Descriptor() {
    if (raw_ != nullptr) cudnnBackendDestroyDescriptor(raw_);
  }
  Descriptor(Descriptor&& other) noexcept : raw_(std::exchange(other.raw_, nullptr)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(raw_, other.raw_);
    return *this;
  }

  template <class T>
  void set(cudnnBackendAttributeName_t name, const std::vector<T>& values) {
    check(cudnnBackendSetAttribute(raw_, name, type_of<T>(), static_cast<std::int64_t>(values.size()), values.data()),
          "SetAttribute");
  }
  template <class T>
  void set(cudnnBackendAttributeName_t name, T value) {
    check(cudnnBackendSetAttribute(raw_, name, type_of<T>(), 1, &value), "SetAttribute");
  }
  void set(cudnnBackendAttributeName_t name, const Descriptor& other) {
    check(cudnnBackendSetAttribute(raw_, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &other.raw_), "SetAttribute");
  }
  void finalize() { check(cudnnBackendFinalize(raw_), "Finalize"); }

  /// At most `most` values.
  template <class T>
  std::vector<T> get(cudnnBackendAttributeName_t name, std::size_t most) const {
    std::vector<T> values(most);
    std::int64_t count = 0;
    check(cudnnBackendGetAttribute(raw_, name, type_of<T>(), static_cast<std::int64_t>(most), &count, values.data()),
          "GetAttribute");
    if (values.size() > static_cast<std::size_t>(count)) values.resize(static_cast<std::size_t>(count));
    return values;
  }
  cudnnBackendDescriptor_t raw() const { return raw_; }

 private:
  cudnnBackendDescriptor_t raw_ = nullptr;
};

using Sizes = std::vector<std::int64_t>;

/// @brief A tensor's sizes in cuDNN's order (batch, channels, rows, columns) and its strides in elements.
struct Layout {
  Sizes sizes, strides;
};
/// (B, H, W, C) in memory; `pitch` elements from one column to the next, more than C where others' channels lie between.
inline Layout channels_last(std::int64_t b, std::int64_t c, std::int64_t h, std::int64_t w, std::int64_t pitch = 0) {
  const std::int64_t p = pitch > 0 ? pitch : c;
  return {{b, c, h, w}, {h * w * p, 1, w * p, p}};
}

struct TensorOptions {
  bool is_virtual = false;
  std::int64_t alignment = 16;
};
inline Descriptor tensor(std::int64_t id, const Layout& layout, cudnnDataType_t type, TensorOptions options = {}) {
  Descriptor t(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  t.set(CUDNN_ATTR_TENSOR_DATA_TYPE, type);
  t.set(CUDNN_ATTR_TENSOR_DIMENSIONS, layout.sizes);
  t.set(CUDNN_ATTR_TENSOR_STRIDES, layout.strides);
  t.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, id);
  t.set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, options.alignment);
  if (options.is_virtual) t.set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, true);
  t.finalize();
  return t;
}

inline Descriptor convolution(std::int64_t stride, std::int64_t before, std::int64_t after) {
  Descriptor c(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
  c.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_FLOAT);
  c.set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_CROSS_CORRELATION);
  c.set<std::int64_t>(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, 2);
  c.set(CUDNN_ATTR_CONVOLUTION_DILATIONS, Sizes{1, 1});
  c.set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, Sizes{stride, stride});
  c.set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, Sizes{before, before});
  c.set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, Sizes{after, after});
  c.finalize();
  return c;
}

enum class Direction { forward, backward_data, backward_filter };

/// @brief One convolution: image x, filter w, result y; whichever the direction computes is an output, x and y may be gradients.
inline Descriptor operation(Direction direction, const Descriptor& convolution, const Descriptor& x, const Descriptor& w,
                            const Descriptor& y, float beta = 0) {
  const auto& n = cuda_emulation::operations_of[static_cast<int>(direction)];
  Descriptor op(n.type);
  op.set(n.convolution, convolution);
  op.set(n.x, x);
  op.set(n.w, w);
  op.set(n.y, y);
  op.set(n.alpha, 1.0f);
  op.set(n.beta, beta);
  op.finalize();
  return op;
}

/// y = x + b, or y = x where `b` is null.
inline Descriptor pointwise(const Descriptor& x, const Descriptor* b, const Descriptor& y) {
  Descriptor mode(CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
  mode.set(CUDNN_ATTR_POINTWISE_MODE, b != nullptr ? CUDNN_POINTWISE_ADD : CUDNN_POINTWISE_IDENTITY);
  mode.set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_DATA_FLOAT);
  mode.finalize();
  Descriptor op(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
  op.set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, mode);
  op.set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, x);
  if (b != nullptr) op.set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, *b);
  op.set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, y);
  op.finalize();
  return op;
}

/// A handle is needed to execute, not to plan for a device that is described (DEVICEPROP).
inline Descriptor graph(const std::vector<const Descriptor*>& operations, cudnnHandle_t handle = nullptr) {
  Descriptor g(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  std::vector<cudnnBackendDescriptor_t> raw;
  for (const Descriptor* op : operations) raw.push_back(op->raw());
  if (handle != nullptr) g.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, handle);
  check(cudnnBackendSetAttribute(g.raw(), CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR,
                                 static_cast<std::int64_t>(raw.size()), raw.data()),
        "SetAttribute");
  g.finalize();
  return g;
}

}  // namespace cudnn_graph
