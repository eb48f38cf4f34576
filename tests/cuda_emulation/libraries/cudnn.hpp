#pragma once

#include <cudnn.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

// The emulated cuDNN's descriptors, and what an operation graph of them computes.
namespace cuda_emulation {

/// @brief A tensor, with its sizes and strides in elements.
struct Tensor {
  std::int64_t id = 0, alignment = 0;
  bool bfloat16 = false, is_virtual = false;
  std::vector<std::int64_t> sizes, strides;
  std::size_t count() const;   ///< elements
  std::size_t extent() const;  ///< elements from the first to the last in memory
  bool packed() const { return count() == extent(); }
  std::size_t bytes() const { return extent() * (bfloat16 ? 2 : 4); }
};

struct ConvolutionShape {
  std::vector<std::int64_t> stride, before, after, dilation;
};

/// @brief A convolution (w = filter, y = result; `output` the one that is computed) or pointwise y = x (+ b).
struct Operation {
  int direction = -1;  ///< 0 forward, 1 backward data, 2 backward filter; -1 pointwise
  float beta = 0;
  ConvolutionShape shape;
  Tensor x, w, y, b;
  bool has_b = false;
  const Tensor& output() const { return direction == 1 ? x : direction == 2 ? w : y; }
  std::vector<const Tensor*> inputs() const;
};

/// Why the sizes of a convolution contradict each other, or empty.
std::string contradiction(const Operation& operation);

/// @brief Computes the operations in turn; `memory` finds each tensor by its id.
void compute(const std::vector<Operation>& operations, const std::map<std::int64_t, void*>& memory);

struct Attribute {
  cudnnBackendAttributeType_t type;
  std::int64_t count;
  std::vector<char> bytes;
};

/// @brief A backend descriptor.
struct Record {
  cudnnBackendDescriptorType_t type{};
  bool finalized = false;
  std::map<cudnnBackendAttributeName_t, Attribute> attributes;
  std::map<cudnnBackendAttributeName_t, std::vector<std::shared_ptr<Record>>> linked;  // as they were when set
  // What the attributes mean, once finalised.
  Tensor tensor;
  Operation operation;
  std::vector<Operation> operations;
  cudnnHandle_t handle = nullptr;
  int engine = 0;
  std::int64_t workspace = 0;

  template <class T>
  std::vector<T> values(cudnnBackendAttributeName_t name) const {
    const auto found = attributes.find(name);
    if (found == attributes.end()) return {};
    std::vector<T> out(found->second.bytes.size() / sizeof(T));
    std::memcpy(out.data(), found->second.bytes.data(), out.size() * sizeof(T));
    return out;
  }
  template <class T>
  T value(cudnnBackendAttributeName_t name, T missing) const {
    const auto found = attributes.find(name);
    if (found == attributes.end() || found->second.bytes.size() < sizeof(T)) return missing;
    T out;
    std::memcpy(&out, found->second.bytes.data(), sizeof out);
    return out;
  }
  std::shared_ptr<Record> link(cudnnBackendAttributeName_t name) const {
    const auto found = linked.find(name);
    return found == linked.end() || found->second.empty() ? nullptr : found->second[0];
  }
};
/// The text of the last refusal.
std::string& last_refusal();
cudnnStatus_t refuse(cudnnStatus_t status, const std::string& reason);
/// Reads and checks what was set.
cudnnStatus_t finalize(Record& r);
/// As in the real library: convolutions of one type throughout; fused with a bias of the same type, by a float virtual tensor.
bool offers(const Record& graph, int engine);

}  // namespace cuda_emulation
