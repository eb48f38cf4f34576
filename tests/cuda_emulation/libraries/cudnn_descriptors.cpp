// What the attributes of cuDNN's backend descriptors must say, checked when they are finalised.
#include <algorithm>

#include "cuda_emulation/libraries/cudnn.hpp"
#include "cuda_emulation/libraries/cudnn_operations.hpp"
#include "cuda_emulation/libraries/world.hpp"

namespace cuda_emulation {

std::string& last_refusal() {
  static std::string text;
  return text;
}
cudnnStatus_t refuse(cudnnStatus_t status, const std::string& reason) {
  last_refusal() = reason;
  return status;
}

bool offers(const Record& graph, int engine) {
  const Operation& o = graph.operations[0];
  const bool fused = graph.operations.size() > 1;
  if (fused && (o.direction != 0 || o.beta != 0 || o.y.bfloat16)) return false;
  const auto mixed = [&](const Tensor& t) { return !t.is_virtual && t.bfloat16 != o.inputs()[0]->bfloat16; };
  for (const Operation& each : graph.operations)
    if (mixed(each.x) || mixed(each.y) || (each.direction >= 0 && mixed(each.w)) || (each.has_b && mixed(each.b))) return false;
  const bool packed = o.x.packed() && o.y.packed();
  return !controls().refuse || !controls().refuse({o.direction, engine, o.beta, o.inputs()[0]->bfloat16, packed, fused});
}

namespace {

constexpr cudnnStatus_t fine = CUDNN_STATUS_SUCCESS;

cudnnStatus_t finalize_tensor(Record& r) {
  const auto type = r.value(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_DATA_DOUBLE);
  Tensor& t = r.tensor;
  t.sizes = r.values<std::int64_t>(CUDNN_ATTR_TENSOR_DIMENSIONS);
  t.strides = r.values<std::int64_t>(CUDNN_ATTR_TENSOR_STRIDES);
  t.alignment = r.value<std::int64_t>(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, 0);
  t.is_virtual = r.value(CUDNN_ATTR_TENSOR_IS_VIRTUAL, false);
  t.bfloat16 = type == CUDNN_DATA_BFLOAT16;
  if (r.attributes.count(CUDNN_ATTR_TENSOR_UNIQUE_ID) == 0) return refuse(CUDNN_STATUS_BAD_PARAM, "a tensor without a unique id");
  t.id = r.value<std::int64_t>(CUDNN_ATTR_TENSOR_UNIQUE_ID, 0);
  if (type != CUDNN_DATA_FLOAT && type != CUDNN_DATA_BFLOAT16)
    return refuse(CUDNN_STATUS_NOT_SUPPORTED, "the emulation has float and bfloat16 tensors only");
  if (t.sizes.size() != t.strides.size() || t.sizes.size() < 4 || t.sizes.size() > 5)
    return refuse(CUDNN_STATUS_BAD_PARAM, "a tensor's sizes and strides: expected 4 or 5 of each");
  for (std::size_t i = 0; i < t.sizes.size(); ++i)
    if (t.sizes[i] < 1 || t.strides[i] < 1) return refuse(CUDNN_STATUS_BAD_PARAM, "a tensor's size or stride below 1");
  if (t.alignment < 1) return refuse(CUDNN_STATUS_BAD_PARAM, "a tensor without an alignment");
  return fine;
}

cudnnStatus_t finalize_convolution(Record& r) {
  auto& s = r.operation.shape;
  s.stride = r.values<std::int64_t>(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES);
  s.before = r.values<std::int64_t>(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS);
  s.after = r.values<std::int64_t>(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS);
  s.dilation = r.values<std::int64_t>(CUDNN_ATTR_CONVOLUTION_DILATIONS);
  const auto axes = static_cast<std::size_t>(r.value<std::int64_t>(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, 0));
  if (axes < 2 || axes > 3 || s.stride.size() != axes || s.before.size() != axes || s.after.size() != axes ||
      s.dilation.size() != axes)
    return refuse(CUDNN_STATUS_BAD_PARAM, "a convolution's strides, pads, dilations: expected one for each of 2 or 3 axes");
  const auto below = [](const std::vector<std::int64_t>& v, std::int64_t least) {
    return *std::min_element(v.begin(), v.end()) < least;
  };
  if (below(s.stride, 1) || below(s.dilation, 1) || below(s.before, 0) || below(s.after, 0))
    return refuse(CUDNN_STATUS_BAD_PARAM, "a convolution's stride or dilation below 1, or pad below 0");
  if (r.value(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_DOUBLE) != CUDNN_DATA_FLOAT ||
      r.value(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_CONVOLUTION) != CUDNN_CROSS_CORRELATION)
    return refuse(CUDNN_STATUS_NOT_SUPPORTED, "the emulation has cross correlations computed in float only");
  return fine;
}

cudnnStatus_t finalize_operation(Record& r, int direction) {
  const OperationNames& n = operations_of[direction];
  const auto shape = r.link(n.convolution), x = r.link(n.x), w = r.link(n.w), y = r.link(n.y);
  if (shape == nullptr || x == nullptr || w == nullptr || y == nullptr)
    return refuse(CUDNN_STATUS_BAD_PARAM, "a convolution lacks one of its descriptors");
  if (r.value(n.alpha, 1.0f) != 1.0f) return refuse(CUDNN_STATUS_NOT_SUPPORTED, "the emulation has alpha 1 only");
  Operation& o = r.operation;
  o = {direction, r.value(n.beta, 0.0f), shape->operation.shape, x->tensor, w->tensor, y->tensor, {}, false};
  if (const auto reason = contradiction(o); !reason.empty()) return refuse(CUDNN_STATUS_BAD_PARAM, reason);
  return fine;
}

cudnnStatus_t finalize_pointwise(Record& r) {
  const auto mode = r.link(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR), x = r.link(CUDNN_ATTR_OPERATION_POINTWISE_XDESC),
             y = r.link(CUDNN_ATTR_OPERATION_POINTWISE_YDESC), b = r.link(CUDNN_ATTR_OPERATION_POINTWISE_BDESC);
  if (mode == nullptr || x == nullptr || y == nullptr)
    return refuse(CUDNN_STATUS_BAD_PARAM, "a pointwise operation lacks a descriptor");
  const bool adds = mode->value(CUDNN_ATTR_POINTWISE_MODE, CUDNN_POINTWISE_MUL) == CUDNN_POINTWISE_ADD;
  if (adds != (b != nullptr)) return refuse(CUDNN_STATUS_BAD_PARAM, "a pointwise sum needs b, and identity has none");
  r.operation = {-1, 0, {}, x->tensor, {}, y->tensor, b != nullptr ? b->tensor : Tensor{}, b != nullptr};
  if (const auto reason = contradiction(r.operation); !reason.empty()) return refuse(CUDNN_STATUS_BAD_PARAM, reason);
  return fine;
}

/// One convolution, then pointwise operations, each of which takes the virtual result of the one before.
cudnnStatus_t finalize_graph(Record& r) {
  const auto found = r.linked.find(CUDNN_ATTR_OPERATIONGRAPH_OPS);
  if (found == r.linked.end() || found->second.empty()) return refuse(CUDNN_STATUS_BAD_PARAM, "a graph without operations");
  r.handle = r.value<cudnnHandle_t>(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, nullptr);
  if (r.handle == nullptr) return refuse(CUDNN_STATUS_BAD_PARAM, "the emulated cuDNN needs a graph's handle");
  for (const auto& op : found->second) r.operations.push_back(op->operation);
  for (std::size_t i = 0; i < r.operations.size(); ++i) {
    const Operation& o = r.operations[i];
    if ((i == 0) != (o.direction >= 0) || o.output().is_virtual != (i + 1 < r.operations.size()) ||
        (i > 0 && r.operations[i - 1].output().id != o.x.id))
      return refuse(CUDNN_STATUS_NOT_SUPPORTED_GRAPH_PATTERN, "expected a convolution and a chain of pointwise operations");
  }
  return fine;
}

cudnnStatus_t finalize_plan(Record& r) {
  const auto config = r.link(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG);
  if (config == nullptr || config->operations.empty())
    return refuse(CUDNN_STATUS_BAD_PARAM, "a plan without an engine configuration");
  r.operations = config->operations;
  r.handle = config->handle;
  r.engine = config->engine;
  if (!offers(r, r.engine)) return refuse(CUDNN_STATUS_NOT_SUPPORTED, "the engine does not support this graph");
  r.workspace = 131 + 128 * r.engine;
  return fine;
}

cudnnStatus_t finalize_config(Record& r) {
  const auto engine = r.link(CUDNN_ATTR_ENGINECFG_ENGINE);
  if (engine == nullptr) return refuse(CUDNN_STATUS_BAD_PARAM, "an engine configuration without an engine");
  r.operations = engine->operations;
  r.handle = engine->handle;
  r.engine = engine->engine;
  return fine;
}

cudnnStatus_t finalize_engine(Record& r) {
  const auto graph = r.link(CUDNN_ATTR_ENGINE_OPERATION_GRAPH);
  const auto index = r.value<std::int64_t>(CUDNN_ATTR_ENGINE_GLOBAL_INDEX, -1);
  if (graph == nullptr || index < 0 || index > 2)
    return refuse(CUDNN_STATUS_BAD_PARAM, "an engine: expected a graph and an index 0 to 2");
  r.operations = graph->operations;
  r.handle = graph->handle;
  r.engine = static_cast<int>(index);
  return fine;
}

}  // namespace

cudnnStatus_t finalize(Record& r) {
  for (const auto& [name, links] : r.linked)
    for (const auto& link : links)
      if (!link->finalized) return refuse(CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED, "a descriptor it names is not finalised");
  switch (r.type) {
    case CUDNN_BACKEND_TENSOR_DESCRIPTOR: return finalize_tensor(r);
    case CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR: return finalize_convolution(r);
    case CUDNN_BACKEND_POINTWISE_DESCRIPTOR: {
      const auto mode = r.value(CUDNN_ATTR_POINTWISE_MODE, CUDNN_POINTWISE_MUL);
      return mode == CUDNN_POINTWISE_ADD || mode == CUDNN_POINTWISE_IDENTITY
                 ? fine
                 : refuse(CUDNN_STATUS_NOT_SUPPORTED, "the emulation has pointwise sums and identity only");
    }
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR: return finalize_operation(r, 0);
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR: return finalize_operation(r, 1);
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR: return finalize_operation(r, 2);
    case CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR: return finalize_pointwise(r);
    case CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR: return finalize_graph(r);
    case CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR:
      return r.link(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH) != nullptr && r.attributes.count(CUDNN_ATTR_ENGINEHEUR_MODE) > 0
                 ? fine
                 : refuse(CUDNN_STATUS_BAD_PARAM, "heuristics: expected a graph and a mode");
    case CUDNN_BACKEND_ENGINE_DESCRIPTOR: return finalize_engine(r);
    case CUDNN_BACKEND_ENGINECFG_DESCRIPTOR: return finalize_config(r);
    case CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR: return finalize_plan(r);
    default: return fine;  // a variant pack is checked against its plan
  }
}

}  // namespace cuda_emulation
