#pragma once

#if defined(LACUNA_HAS_ONEDNN) && !defined(__CUDACC__)  // nvcc 13.0 stops at oneDNN's header with an internal error

#include <cstring>
#include <map>
#include <memory>
#include <type_traits>
#include <utility>

#include "lacuna/core/device.hpp"
#include "lacuna/core/simd.hpp"
#include "lacuna/ops/convolution_geometry.hpp"
#include "lacuna/ops/onednn_primitives.hpp"

namespace lacuna::ops {

/// @brief Convolutions of float and bfloat16 images through oneDNN, channels last; weights and their gradients are float. One of
/// these lives in each device; it keeps planned primitives.
///
/// Weights arrive in the master layout (out, kH, kW, in) and are reordered to the primitive's own layout at every call: plain
/// layouts fall to reference code or gemm. All workspaces come from the device's arena.
/// Determinism: bit for bit with the same number of threads. Throws: Error if only a reference implementation would serve.
class OneDnn {
 public:
  explicit OneDnn(cpu::Device& device) : device_(device), engine_(dnnl::engine::kind::cpu, 0), stream_(engine_) {}

  /// @brief Whether oneDNN convolves images of S on this machine: float everywhere, bfloat16 from AVX-512 on.
  template <class S>
  static bool serves() {
    return std::is_same_v<S, float> || simd::level() == simd::Level::v4;
  }

  template <class S>
  void forward(const ConvolutionGeometry& g, const S* x, const float* weight, const float* bias, S* y) {
    const LibraryThreads threads(device_.threads());
    auto& plan = plans<S>(g).forward;
    const Scratch packed(device_.arena(), plan.pack.bytes);
    reorder(plan.pack, weight, packed.data);
    execute(plan, {{DNNL_ARG_SRC, x}, {DNNL_ARG_WEIGHTS, packed.data}, {DNNL_ARG_BIAS, bias}, {DNNL_ARG_DST, y}});
  }

  template <class S>
  void backward_data(const ConvolutionGeometry& g, const S* grad_y, const float* weight, S* grad_x) {
    const LibraryThreads threads(device_.threads());
    auto& plan = plans<S>(g).data;
    const Scratch packed(device_.arena(), plan.pack.bytes);
    reorder(plan.pack, weight, packed.data);
    execute(plan, {{DNNL_ARG_DIFF_SRC, grad_x}, {DNNL_ARG_WEIGHTS, packed.data}, {DNNL_ARG_DIFF_DST, grad_y}});
  }

  /// Adds to grad_weight and grad_bias.
  template <class S>
  void backward_weights(const ConvolutionGeometry& g, const S* x, const S* grad_y, float* grad_weight, float* grad_bias) {
    const LibraryThreads threads(device_.threads());
    auto& plan = plans<S>(g).weights;
    const auto outputs = static_cast<std::size_t>(g.output.channels);
    const std::size_t size = outputs * static_cast<std::size_t>(g.input.channels * g.kernel * g.kernel);
    const Scratch packed(device_.arena(), plan.pack.bytes), plain(device_.arena(), size * sizeof(float));
    const Scratch bias(device_.arena(), outputs * sizeof(float));
    execute(
        plan,
        {{DNNL_ARG_SRC, x}, {DNNL_ARG_DIFF_WEIGHTS, packed.data}, {DNNL_ARG_DIFF_BIAS, bias.data}, {DNNL_ARG_DIFF_DST, grad_y}});
    reorder(plan.pack, packed.data, plain.data);
    const auto* gw = static_cast<const float*>(plain.data);
    const auto* gb = static_cast<const float*>(bias.data);
    for (std::size_t i = 0; i < size; ++i) grad_weight[i] += gw[i];
    for (std::size_t i = 0; i < outputs; ++i) grad_bias[i] += gb[i];
  }

  /// Takes and gives back what the three calls would, without computing: plans primitives and arena alike.
  template <class S>
  void dry_forward(const ConvolutionGeometry& g) {
    const LibraryThreads threads(device_.threads());
    dry(plans<S>(g).forward, 0, 0);
  }
  template <class S>
  void dry_backward(const ConvolutionGeometry& g, bool data) {
    const LibraryThreads threads(device_.threads());
    auto& p = plans<S>(g);
    const auto outputs = static_cast<std::size_t>(g.output.channels);
    dry(p.weights, outputs * static_cast<std::size_t>(g.input.channels * g.kernel * g.kernel) * sizeof(float),
        outputs * sizeof(float));
    if (data) dry(p.data, 0, 0);
  }

 private:
  using Tag = dnnl::memory::format_tag;
  using Desc = dnnl::memory::desc;
  using DataType = dnnl::memory::data_type;
  static constexpr auto f32 = DataType::f32;

  struct Reorder {
    dnnl::reorder primitive;
    dnnl::memory from, to;
    std::size_t bytes = 0;  // of the packed side
  };
  struct Plan {
    dnnl::primitive primitive;
    std::map<int, dnnl::memory> operands;
    std::size_t scratch_bytes = 0;
    Reorder pack;
  };
  struct Plans {
    Plan forward, data, weights;
  };
  struct Operand {
    int name;
    const void* data;
  };

  /// Workspace from the arena for the length of a scope.
  struct Scratch {
    Scratch(Arena& from, std::size_t size) : arena(from), bytes(size), data(size > 0 ? from.take(size) : nullptr) {}
    ~Scratch() {
      if (data != nullptr) arena.give(data, bytes);
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    Arena& arena;
    std::size_t bytes;
    void* data;
  };

  static void check(dnnl_status_t status, const char* call) {
    require(status == dnnl_success, "oneDNN: ", call, " failed with status ", static_cast<int>(status));
  }

  void reorder(Reorder& r, const void* from, void* to) {
    r.from.set_data_handle(const_cast<void*>(from));
    r.to.set_data_handle(to);
    const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_FROM, r.from.get()}, {DNNL_ARG_TO, r.to.get()}};
    check(dnnl_primitive_execute(r.primitive.get(), stream_.get(), 2, arguments), "reorder");
  }

  void execute(Plan& plan, std::initializer_list<Operand> operands) {
    dnnl_exec_arg_t arguments[8];  // primitive::execute would build a map on the heap
    int count = 0;
    for (const auto& operand : operands) {
      auto& memory = plan.operands.at(operand.name);
      memory.set_data_handle(const_cast<void*>(operand.data));
      arguments[count++] = {operand.name, memory.get()};
    }
    const Scratch scratch(device_.arena(), plan.scratch_bytes);
    if (plan.scratch_bytes > 0) {
      auto& memory = plan.operands.at(DNNL_ARG_SCRATCHPAD);
      memory.set_data_handle(scratch.data);
      arguments[count++] = {DNNL_ARG_SCRATCHPAD, memory.get()};
    }
    check(dnnl_primitive_execute(plan.primitive.get(), stream_.get(), count, arguments), "convolution");
  }

  void dry(const Plan& plan, std::size_t plain, std::size_t bias) {
    const Scratch packed(device_.arena(), plan.pack.bytes), a(device_.arena(), plain), b(device_.arena(), bias);
    const Scratch scratch(device_.arena(), plan.scratch_bytes);
  }

  dnnl::memory placeholder(const Desc& desc) { return {desc, engine_, DNNL_MEMORY_NONE}; }

  template <class PrimitiveDesc>
  void finish(Plan& plan, const PrimitiveDesc& pd, const ConvolutionGeometry& g, const Desc& weights, bool gradient,
              std::initializer_list<std::pair<int, Desc>> operands) {
    require(std::strstr(pd.impl_info_str(), "ref") == nullptr, "oneDNN has only a reference implementation (", pd.impl_info_str(),
            ") for a ", g.kernel, " x ", g.kernel, " convolution of ", g.input, " to ", g.output);
    plan.primitive = dnnl::primitive(pd);
    for (const auto& [name, desc] : operands) plan.operands[name] = placeholder(desc);
    plan.operands[DNNL_ARG_SCRATCHPAD] = placeholder(pd.scratchpad_desc());
    plan.scratch_bytes = pd.scratchpad_desc().get_size();
    const Desc master({g.output.channels, g.input.channels, g.kernel, g.kernel}, f32, Tag::ohwi);
    auto& pack = plan.pack;
    pack.bytes = weights.get_size();
    pack.from = placeholder(gradient ? weights : master);
    pack.to = placeholder(gradient ? master : weights);
    pack.primitive = dnnl::reorder(pack.from, pack.to);
  }

  template <class S>
  Plans& plans(const ConvolutionGeometry& g) {
    return plans(g, std::is_same_v<S, float> ? f32 : DataType::bf16);
  }
  Plans& plans(const ConvolutionGeometry& g, DataType images) {
    auto& slot = plans_[{images, g.key()}];
    if (!slot) {
      auto made = std::make_unique<Plans>();
      if (g.transposed)
        plan_with<dnnl::deconvolution_forward, dnnl::deconvolution_backward_data, dnnl::deconvolution_backward_weights>(
            *made, g, images, dnnl::algorithm::deconvolution_direct);
      else
        plan_with<dnnl::convolution_forward, dnnl::convolution_backward_data, dnnl::convolution_backward_weights>(
            *made, g, images, dnnl::algorithm::convolution_direct);
      slot = std::move(made);
    }
    return *slot;
  }

  template <class Forward, class BackwardData, class BackwardWeights>
  void plan_with(Plans& plans, const ConvolutionGeometry& g, DataType images, dnnl::algorithm algorithm) {
    const Desc x({g.input.images(), g.input.channels, g.input.height, g.input.width}, images, Tag::nhwc);
    const Desc y({g.output.images(), g.output.channels, g.output.height, g.output.width}, images, Tag::nhwc);
    const dnnl::memory::dims kernel{g.output.channels, g.input.channels, g.kernel, g.kernel};
    const Desc b({g.output.channels}, f32, Tag::a);
    const onednn::Convolution c{.algorithm = algorithm,
                                .x = x,
                                .y = y,
                                .weights = {kernel, images, Tag::any},
                                .grad_weights = {kernel, f32, Tag::any},
                                .bias = b,
                                .stride = {g.stride, g.stride},
                                .padding = {g.padding, g.padding}};
    dnnl::primitive_attr plain, adding;  // attributes are shared handles: a copy would share its post-ops
    plain.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    adding.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    dnnl::post_ops add;
    add.append_sum(1.0f);
    adding.set_post_ops(add);

    const auto hint = onednn::forward<Forward>(engine_, c, plain);  // the hint of the backward pass has no post-ops
    const auto forward = onednn::forward<Forward>(engine_, c, g.accumulate ? adding : plain);
    finish(plans.forward, forward, g, forward.weights_desc(), false,
           {{DNNL_ARG_SRC, x}, {DNNL_ARG_WEIGHTS, forward.weights_desc()}, {DNNL_ARG_BIAS, b}, {DNNL_ARG_DST, y}});
    const auto data = onednn::backward_data<BackwardData>(engine_, c, plain, hint);
    finish(plans.data, data, g, data.weights_desc(), false,
           {{DNNL_ARG_DIFF_SRC, x}, {DNNL_ARG_WEIGHTS, data.weights_desc()}, {DNNL_ARG_DIFF_DST, y}});
    const auto weights = onednn::backward_weights<BackwardWeights>(engine_, c, plain, hint);
    finish(plans.weights, weights, g, weights.diff_weights_desc(), true,
           {{DNNL_ARG_SRC, x},
            {DNNL_ARG_DIFF_WEIGHTS, weights.diff_weights_desc()},
            {DNNL_ARG_DIFF_BIAS, b},
            {DNNL_ARG_DIFF_DST, y}});
  }

  cpu::Device& device_;
  dnnl::engine engine_;
  dnnl::stream stream_;
  std::map<std::pair<DataType, decltype(ConvolutionGeometry{}.key())>, std::unique_ptr<Plans>> plans_;
};

}  // namespace lacuna::ops

#endif
