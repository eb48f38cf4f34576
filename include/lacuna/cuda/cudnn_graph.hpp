#pragma once

#include <cudnn.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lacuna/cuda/handles.hpp"
#include "lacuna/ops/convolution_geometry.hpp"

namespace lacuna::cuda {

inline std::string cudnn_reason(cudnnStatus_t status) {
  std::array<char, 512> more{};
  cudnnGetLastErrorString(more.data(), more.size());
  std::string reason = cudnnGetErrorString(status);
  if (more[0] != 0) reason += std::string(" (") + more.data() + ")";
  return reason;
}
template <class... Parts>
void check(cudnnStatus_t status, const Parts&... what) {
  if (status != CUDNN_STATUS_SUCCESS) throw CudaError(text("cuDNN: cannot ", what..., ": ", cudnn_reason(status)));
}

/// @brief A descriptor of cuDNN's graph API.
class CudnnDescriptor {
 public:
  explicit CudnnDescriptor(cudnnBackendDescriptorType_t type) {
    check(cudnnBackendCreateDescriptor(type, &descriptor_), "create a descriptor");
  }
  ~CudnnDescriptor() {
    if (descriptor_ != nullptr) cudnnBackendDestroyDescriptor(descriptor_);
  }
  CudnnDescriptor(CudnnDescriptor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, nullptr)) {}
  CudnnDescriptor& operator=(CudnnDescriptor&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }

  cudnnBackendDescriptor_t get() const { return descriptor_; }

  template <class V>
  CudnnDescriptor& set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, const std::vector<V>& values) {
    check(cudnnBackendSetAttribute(descriptor_, name, type, static_cast<std::int64_t>(values.size()), values.data()),
          "set attribute ", static_cast<int>(name));
    return *this;
  }
  template <class V>
  CudnnDescriptor& set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, const V& value) {
    check(cudnnBackendSetAttribute(descriptor_, name, type, 1, &value), "set attribute ", static_cast<int>(name));
    return *this;
  }
  CudnnDescriptor& set(cudnnBackendAttributeName_t name, const CudnnDescriptor& other) {
    return set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, other.descriptor_);
  }
  cudnnStatus_t try_finalize() { return cudnnBackendFinalize(descriptor_); }
  CudnnDescriptor& finalize(const char* what) {
    check(try_finalize(), "describe ", what);
    return *this;
  }

 private:
  cudnnBackendDescriptor_t descriptor_ = nullptr;
};

/// @brief One 2-D convolution y = w * x as cuDNN knows it, images channels-last; a layer's three passes are its three kinds.
struct ConvolutionProblem {
  enum class Pass { forward, data, filter };  ///< y of x and w; x of y and w; w of x and y
  static constexpr std::int64_t x_id = 1, w_id = 2, y_id = 3;

  Pass pass = Pass::forward;
  std::int64_t images = 1, x_height = 1, x_width = 1, x_channels = 1, y_height = 1, y_width = 1, y_channels = 1;
  std::int64_t kernel = 1, stride = 1, padding = 0;
  bool bfloat16 = false;

  bool operator==(const ConvolutionProblem&) const = default;
  auto operator<=>(const ConvolutionProblem&) const = default;

  /// The pass of a layer. Of a transposed layer the output plays x's part: its forward pass is the data pass of a convolution.
  static ConvolutionProblem of(const ops::ConvolutionGeometry& g, Pass pass, bool bfloat16) {
    const Shape &x = g.transposed ? g.output : g.input, &y = g.transposed ? g.input : g.output;
    if (g.transposed && pass != Pass::filter) pass = pass == Pass::forward ? Pass::data : Pass::forward;
    return {pass,    x.images(), x.height, x.width,  x.channels, y.height,
            y.width, y.channels, g.kernel, g.stride, g.padding,  bfloat16};
  }

  std::string name() const {
    return text(pass == Pass::forward ? "convolution"
                : pass == Pass::data  ? "data gradient of a convolution"
                                      : "filter gradient of a convolution",
                " of ", images, " images of ", x_height, " x ", x_width, " x ", x_channels, " by ", kernel, " x ", kernel,
                " filters, stride ", stride, ", to ", y_height, " x ", y_width, " x ", y_channels,
                bfloat16 ? " in bfloat16" : "");
  }
};

/// @brief What an engine may do to be chosen; in any case it must repeat its results bit for bit and add up in float.
struct CudnnRules {
  /// Float operands may be rounded on their way in, and the sums be taken apart as Winograd's and Fourier's methods do.
  bool tf32 = false;
};

/// @brief A convolution that an engine of cuDNN has been found for.
struct CudnnPlan {
  CudnnDescriptor plan;
  std::size_t workspace = 0;  ///< bytes
};

/// @brief Finds engines for convolutions on a device, which need not be at hand.
class CudnnPlanner {
 public:
  /// For the device of a handle, which must outlive the plans.
  CudnnPlanner(const CudnnRules& rules, cudnnHandle_t handle) : rules_(rules), handle_(handle) {}
  /// For a device of these properties (JSON, as cuDNN writes them): its plans can be looked at, not run.
  CudnnPlanner(const CudnnRules& rules, const std::string& properties) : rules_(rules) {
    std::vector<char> json(properties.begin(), properties.end());
    json.push_back(0);
    device_.emplace(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR);
    device_->set(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, json).finalize("the device");
  }

  /// Throws: CudaError that names the convolution where no engine that follows the rules takes it.
  CudnnPlan plan(const ConvolutionProblem& problem) const {
    const auto graph = describe(problem);
    std::string last = "cuDNN knows no engine";
    for (const auto mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK}) {
      CudnnDescriptor heuristics(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
      heuristics.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph).set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, mode);
      if (device_) heuristics.set(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, *device_);
      if (const auto status = heuristics.try_finalize(); status != CUDNN_STATUS_SUCCESS) {
        last = cudnn_reason(status);
        continue;
      }
      for (auto& configuration : configurations(heuristics)) {
        if (!follows_rules(configuration, problem)) {
          last = rules_.tf32 ? "what engines there are repeat no result bit for bit, or add up in less than float"
                             : "what engines there are round more than float does (allow tf32), or repeat no result bit for bit";
          continue;
        }
        CudnnPlan found{CudnnDescriptor(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR)};
        found.plan.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, configuration);
        if (device_) found.plan.set(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, *device_);
        if (const auto status = found.plan.try_finalize(); status != CUDNN_STATUS_SUCCESS) {
          last = cudnn_reason(status);
          continue;
        }
        std::int64_t bytes = 0, count = 0;
        check(cudnnBackendGetAttribute(found.plan.get(), CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1, &count,
                                       &bytes),
              "ask for a plan's workspace");
        found.workspace = static_cast<std::size_t>(bytes);
        return found;
      }
    }
    throw CudaError(text("cuDNN: no engine for the ", problem.name(), ": ", last));
  }

 private:
  static CudnnDescriptor tensor(std::int64_t id, bool bfloat16, std::int64_t outer, std::int64_t height, std::int64_t width,
                                std::int64_t channels) {
    CudnnDescriptor t(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    t.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, id)
        .set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, bfloat16 ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT)
        .set(CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, std::vector<std::int64_t>{outer, channels, height, width})
        .set(CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64,
             std::vector<std::int64_t>{height * width * channels, 1, width * channels, channels})
        .set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, std::int64_t{16})
        .finalize("a tensor");
    return t;
  }

  /// The graph of this one operation.
  CudnnDescriptor describe(const ConvolutionProblem& p) const {
    using Pass = ConvolutionProblem::Pass;
    const auto x = tensor(ConvolutionProblem::x_id, p.bfloat16, p.images, p.x_height, p.x_width, p.x_channels),
               w = tensor(ConvolutionProblem::w_id, p.bfloat16, p.y_channels, p.kernel, p.kernel, p.x_channels),
               y = tensor(ConvolutionProblem::y_id, p.bfloat16, p.images, p.y_height, p.y_width, p.y_channels);
    CudnnDescriptor convolution(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
    const auto both = [](std::int64_t value) { return std::vector<std::int64_t>{value, value}; };
    convolution.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, CUDNN_DATA_FLOAT)
        .set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, CUDNN_CROSS_CORRELATION)
        .set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64, std::int64_t{2})
        .set(CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, both(1))
        .set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, both(p.stride))
        .set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, both(p.padding))
        .set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, both(p.padding))
        .finalize("a convolution");
    struct Names {
      cudnnBackendDescriptorType_t type;
      cudnnBackendAttributeName_t convolution, x, w, y, alpha, beta;
    };
    static constexpr Names forward{CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
                                   CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
                                   CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
                                   CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
                                   CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
                                   CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
                                   CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA},
        data{CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
             CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
             CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
             CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
             CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
             CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
             CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA},
        filter{CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
               CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
               CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
               CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
               CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
               CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
               CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA};
    const Names& n = p.pass == Pass::forward ? forward : p.pass == Pass::data ? data : filter;
    CudnnDescriptor operation(n.type);
    operation.set(n.x, x)
        .set(n.w, w)
        .set(n.y, y)
        .set(n.convolution, convolution)
        .set(n.alpha, CUDNN_TYPE_FLOAT, 1.0f)
        .set(n.beta, CUDNN_TYPE_FLOAT, 0.0f)
        .finalize(p.name().c_str());
    CudnnDescriptor graph(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
    if (!device_) graph.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, handle_);
    graph.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, operation).finalize(p.name().c_str());
    return graph;
  }

  /// In the order in which cuDNN expects them to be fast.
  static std::vector<CudnnDescriptor> configurations(const CudnnDescriptor& heuristics) {
    constexpr std::int64_t most = 128;
    std::vector<CudnnDescriptor> found;
    std::vector<cudnnBackendDescriptor_t> raw;
    for (std::int64_t i = 0; i < most; ++i) raw.push_back(found.emplace_back(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR).get());
    std::int64_t count = 0;
    check(cudnnBackendGetAttribute(heuristics.get(), CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, most, &count,
                                   raw.data()),
          "ask for engines");
    while (static_cast<std::int64_t>(found.size()) > count) found.pop_back();
    return found;
  }

  bool follows_rules(const CudnnDescriptor& configuration, const ConvolutionProblem& problem) const {
    const CudnnDescriptor engine(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
    std::int64_t count = 0;
    auto* raw = engine.get();
    check(cudnnBackendGetAttribute(configuration.get(), CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &count,
                                   &raw),
          "ask for an engine");
    std::array<cudnnBackendNumericalNote_t, CUDNN_NUMERICAL_NOTE_TYPE_COUNT> notes{};
    check(cudnnBackendGetAttribute(engine.get(), CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE,
                                   CUDNN_NUMERICAL_NOTE_TYPE_COUNT, &count, notes.data()),
          "ask what an engine does to numbers");
    const auto has = [&, given = std::min<std::int64_t>(count, CUDNN_NUMERICAL_NOTE_TYPE_COUNT)](auto... any) {
      return std::any_of(notes.begin(), notes.begin() + given, [&](auto note) { return ((note == any) || ...); });
    };
    if (has(CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC, CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION)) return false;
    return rules_.tf32 || problem.bfloat16 ||
           !has(CUDNN_NUMERICAL_NOTE_TENSOR_CORE, CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS, CUDNN_NUMERICAL_NOTE_FFT,
                CUDNN_NUMERICAL_NOTE_WINOGRAD);
  }

  CudnnRules rules_;
  cudnnHandle_t handle_ = nullptr;
  std::optional<CudnnDescriptor> device_;
};

}  // namespace lacuna::cuda
