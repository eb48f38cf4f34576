// cuDNN's backend API: descriptors are tables of attributes that are read and checked when they are finalised.
#include "cuda_emulation/libraries/cudnn.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <set>

#include "cuda_emulation/libraries/world.hpp"

using namespace cuda_emulation;

struct cudnnContext {
  cudaStream_t stream = nullptr;
};

namespace {

constexpr cudnnStatus_t fine = CUDNN_STATUS_SUCCESS;

std::map<void*, std::shared_ptr<Record>>& records() {
  static std::map<void*, std::shared_ptr<Record>> all;
  return all;
}
std::shared_ptr<Record> find(cudnnBackendDescriptor_t descriptor) {
  const auto found = records().find(descriptor);
  return found == records().end() ? nullptr : found->second;
}

std::size_t size_of(cudnnBackendAttributeType_t type) {
  switch (type) {
    case CUDNN_TYPE_BOOLEAN:
    case CUDNN_TYPE_CHAR: return 1;
    case CUDNN_TYPE_INT64:
    case CUDNN_TYPE_HANDLE:
    case CUDNN_TYPE_VOID_PTR:
    case CUDNN_TYPE_DOUBLE: return 8;
    default: return 4;  // enumerations, float, int32
  }
}

/// Writes into a descriptor of the caller's, as cuDNN returns heuristics' results.
cudnnStatus_t fill(cudnnBackendDescriptor_t into, cudnnBackendDescriptorType_t type, const Record& from, int engine) {
  const auto target = find(into);
  if (target == nullptr || target->type != type)
    return refuse(CUDNN_STATUS_BAD_PARAM, "expected created descriptors for the results");
  target->operations = from.operations;
  target->handle = from.handle;
  target->engine = engine;
  target->finalized = true;
  return fine;
}

template <class T>
cudnnStatus_t give(const std::vector<T>& values, std::int64_t requested, std::int64_t* count, void* out) {
  if (count != nullptr) *count = static_cast<std::int64_t>(values.size());
  if (out != nullptr && requested > 0 && !values.empty())
    std::memcpy(out, values.data(), std::min(values.size(), static_cast<std::size_t>(requested)) * sizeof(T));
  return fine;
}

cudnnStatus_t execute(cudnnHandle_t handle, const Record& plan, const Record& pack) {
  const auto ids = pack.values<std::int64_t>(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS);
  const auto pointers = pack.values<void*>(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS);
  void* const workspace = pack.value<void*>(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, nullptr);
  if (ids.size() != pointers.size() || std::set(ids.begin(), ids.end()).size() != ids.size())
    return refuse(CUDNN_STATUS_BAD_PARAM, "a variant pack: expected one pointer for each id, and no id twice");
  std::map<std::int64_t, void*> memory;
  for (std::size_t i = 0; i < ids.size(); ++i) memory[ids[i]] = pointers[i];
  std::vector<Tensor> tensors;
  for (const Operation& o : plan.operations) {
    for (const Tensor* t : o.inputs()) tensors.push_back(*t);
    tensors.push_back(o.output());
  }
  for (const Tensor& t : tensors) {
    if (t.is_virtual) continue;
    const auto at = memory.find(t.id);
    if (at == memory.end() || at->second == nullptr)
      return refuse(CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "no pointer for tensor " + std::to_string(t.id));
    if (reinterpret_cast<std::uintptr_t>(at->second) % static_cast<std::uintptr_t>(t.alignment) != 0)
      return refuse(CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER,
                    "tensor " + std::to_string(t.id) + " is not aligned as its descriptor says");
    if (!world().memory.contains(at->second, t.bytes()))
      return refuse(CUDNN_STATUS_EXECUTION_FAILED, "tensor " + std::to_string(t.id) + " does not lie in device memory");
  }
  const auto needed = static_cast<std::size_t>(plan.workspace);
  if (!world().memory.contains(workspace, needed))
    return refuse(CUDNN_STATUS_BAD_PARAM, "the workspace is not " + std::to_string(needed) + " bytes of device memory");
  static const char* const names[] = {"forward", "backward data", "backward filter"};
  const Operation& o = plan.operations[0];
  std::string details = std::string(names[o.direction]) + " x";
  for (const auto size : o.x.sizes) details += " " + std::to_string(size);
  details += " w";
  for (const auto size : o.w.sizes) details += " " + std::to_string(size);
  details += std::string(o.inputs()[0]->bfloat16 ? " bfloat16" : " float") + (o.beta != 0 ? " accumulates" : "") +
             (plan.operations.size() > 1 ? " fused" : "") + " engine " + std::to_string(plan.engine);
  if (!library_call({"cudnnBackendExecute", details, needed}))
    return refuse(CUDNN_STATUS_EXECUTION_FAILED, "as the test wants it");
  const auto status = enqueue(handle->stream, [=, operations = plan.operations] {
    std::memset(workspace, 0xff, needed);  // what lay there is lost
    compute(operations, memory);
  });
  return status == cudaSuccess ? fine : refuse(CUDNN_STATUS_EXECUTION_FAILED, cudaGetErrorString(status));
}

}  // namespace

extern "C" {

size_t cudnnGetVersion() { return CUDNN_VERSION; }
const char* cudnnGetErrorString(cudnnStatus_t status) {
  if (status == CUDNN_STATUS_SUCCESS) return "CUDNN_STATUS_SUCCESS";
  if (status == CUDNN_STATUS_NOT_INITIALIZED) return "CUDNN_STATUS_NOT_INITIALIZED";
  switch (CUDNN_STATUS_CATEGORY(status)) {
    case 2000: return "CUDNN_STATUS_BAD_PARAM";
    case 3000: return "CUDNN_STATUS_NOT_SUPPORTED";
    case 4000: return "CUDNN_STATUS_INTERNAL_ERROR";
    default: return "CUDNN_STATUS_EXECUTION_FAILED";
  }
}
void cudnnGetLastErrorString(char* message, size_t size) {
  if (message == nullptr || size == 0) return;
  std::snprintf(message, size, "%s", last_refusal().c_str());
  last_refusal().clear();
}

cudnnStatus_t cudnnCreate(cudnnHandle_t* handle) {
  if (handle == nullptr) return refuse(CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "no place for the handle");
  if (not_while_capturing() != cudaSuccess)
    return refuse(CUDNN_STATUS_NOT_INITIALIZED, "no usable device, or a capture is going on");
  *handle = new cudnnContext;
  ++world().live.library_handles;
  return fine;
}
cudnnStatus_t cudnnDestroy(cudnnHandle_t handle) {
  if (handle == nullptr) return refuse(CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "no handle");
  delete handle;
  --world().live.library_handles;
  return fine;
}
cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream) {
  if (handle == nullptr) return refuse(CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "no handle");
  handle->stream = stream;
  return fine;
}

cudnnStatus_t cudnnBackendCreateDescriptor(cudnnBackendDescriptorType_t type, cudnnBackendDescriptor_t* descriptor) {
  if (descriptor == nullptr) return refuse(CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "no place for the descriptor");
  const auto record = std::make_shared<Record>();
  record->type = type;
  *descriptor = record.get();
  records()[*descriptor] = record;
  ++world().live.library_handles;
  return fine;
}
cudnnStatus_t cudnnBackendDestroyDescriptor(cudnnBackendDescriptor_t descriptor) {
  if (records().erase(descriptor) == 0) return refuse(CUDNN_STATUS_BAD_PARAM, "no such descriptor");
  --world().live.library_handles;
  return fine;
}

cudnnStatus_t cudnnBackendSetAttribute(cudnnBackendDescriptor_t descriptor, cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, int64_t count, const void* values) {
  const auto record = find(descriptor);
  if (record == nullptr || values == nullptr || count < 0)
    return refuse(CUDNN_STATUS_BAD_PARAM, "SetAttribute: descriptor, count or values");
  if (record->finalized) return refuse(CUDNN_STATUS_NOT_INITIALIZED, "SetAttribute after Finalize");
  if (type == CUDNN_TYPE_BACKEND_DESCRIPTOR) {
    auto& links = record->linked[name];
    links.clear();
    for (std::int64_t i = 0; i < count; ++i) {
      links.push_back(find(static_cast<const cudnnBackendDescriptor_t*>(values)[i]));
      if (links.back() == nullptr) return refuse(CUDNN_STATUS_BAD_PARAM, "SetAttribute: no such descriptor");
    }
    return fine;
  }
  const auto* const bytes = static_cast<const char*>(values);
  record->attributes[name] = {type, count, {bytes, bytes + static_cast<std::size_t>(count) * size_of(type)}};
  return fine;
}

cudnnStatus_t cudnnBackendFinalize(cudnnBackendDescriptor_t descriptor) {
  const auto record = find(descriptor);
  if (record == nullptr) return refuse(CUDNN_STATUS_BAD_PARAM, "no such descriptor");
  const auto status = finalize(*record);
  record->finalized = status == fine;
  return status;
}

cudnnStatus_t cudnnBackendGetAttribute(cudnnBackendDescriptor_t descriptor, cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t /*type*/, int64_t requested, int64_t* count, void* out) {
  const auto record = find(descriptor);
  if (record == nullptr) return refuse(CUDNN_STATUS_BAD_PARAM, "no such descriptor");
  if (!record->finalized) return refuse(CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED, "GetAttribute before Finalize");
  switch (name) {
    case CUDNN_ATTR_ENGINEHEUR_RESULTS: {
      const auto graph = record->link(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH);
      std::vector<int> engines;
      for (int engine = 0; engine < 3; ++engine)
        if (offers(*graph, engine)) engines.push_back(engine);
      if (count != nullptr) *count = static_cast<std::int64_t>(engines.size());
      for (std::size_t i = 0; out != nullptr && i < std::min(engines.size(), static_cast<std::size_t>(requested)); ++i) {
        const auto into = static_cast<cudnnBackendDescriptor_t*>(out)[i];
        if (const auto status = fill(into, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, *graph, engines[i]); status != fine) return status;
      }
      if (count != nullptr && out != nullptr) *count = std::min(*count, requested);
      return fine;
    }
    case CUDNN_ATTR_ENGINECFG_ENGINE:
      if (count != nullptr) *count = 1;
      if (out == nullptr || requested < 1) return fine;
      return fill(*static_cast<cudnnBackendDescriptor_t*>(out), CUDNN_BACKEND_ENGINE_DESCRIPTOR, *record, record->engine);
    case CUDNN_ATTR_ENGINE_GLOBAL_INDEX: return give(std::vector<std::int64_t>{record->engine}, requested, count, out);
    case CUDNN_ATTR_ENGINE_NUMERICAL_NOTE: {
      std::vector<cudnnBackendNumericalNote_t> notes;
      if (record->engine == 0) notes.push_back(CUDNN_NUMERICAL_NOTE_TENSOR_CORE);
      if (record->engine == 1) notes.push_back(CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC);
      return give(notes, requested, count, out);
    }
    case CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE:
      return give(std::vector<std::int64_t>{record->workspace}, requested, count, out);
    default: return refuse(CUDNN_STATUS_NOT_SUPPORTED, "the emulation does not know this attribute");
  }
}

cudnnStatus_t cudnnBackendExecute(cudnnHandle_t handle, cudnnBackendDescriptor_t plan, cudnnBackendDescriptor_t pack) {
  const auto p = find(plan), v = find(pack);
  if (handle == nullptr || p == nullptr || v == nullptr || p->type != CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR ||
      v->type != CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR)
    return refuse(CUDNN_STATUS_BAD_PARAM, "Execute: expected a handle, a plan and a variant pack");
  if (!p->finalized || !v->finalized) return refuse(CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED, "Execute: plan or variant pack");
  return execute(handle, *p, *v);
}

}  // extern "C"
