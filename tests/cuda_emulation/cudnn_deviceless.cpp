// The real cuDNN, asked without a GPU whether it can plan the networks' convolutions on three generations of them.
#include <fstream>
#include <iostream>
#include <iterator>
#include <set>

#include "catch.hpp"
#include "cuda_emulation/libraries/cudnn_graph.hpp"
#include "lacuna/cuda/cudnn_graph.hpp"

namespace {

using cudnn_graph::channels_last;
using cudnn_graph::Descriptor;
using cudnn_graph::Direction;

struct Layer {
  const char* name;
  std::int64_t in, out, filter, stride, pad;
};
constexpr Layer layers[] = {{"first, 5x5", 7, 32, 5, 1, 2},
                            {"3x3", 64, 64, 3, 1, 1},
                            {"4x4 stride 2 (transposed: its data gradient)", 64, 128, 4, 2, 1},
                            {"1x1", 128, 64, 1, 1, 0},
                            {"last, 3x3", 32, 1, 3, 1, 1}};
constexpr std::int64_t batch = 8, side = 64;

std::string properties(const std::string& name) {
  std::ifstream file(LACUNA_TEST_DEVICES + name + ".json");
  REQUIRE(file.good());
  return {std::istreambuf_iterator<char>(file), {}};
}

Descriptor device(const std::string& name) {
  const auto json = properties(name);
  std::vector<char> text{json.begin(), json.end()};
  text.push_back('\0');
  Descriptor d(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR);
  d.set(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, text);
  d.finalize();
  return d;
}

/// The plans that could be finalised.
struct Plans {
  int offered = 0, exact = 0;  ///< exact: same bits every time and no tensor cores, which round floats to TF32
  std::set<std::int64_t> engines;
};
Plans plans(const Descriptor& graph, const Descriptor& device) {
  Plans out;
  Descriptor heuristics(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  heuristics.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph);
  heuristics.set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_HEUR_MODE_A);
  heuristics.set(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, device);
  heuristics.finalize();
  std::vector<Descriptor> configs;
  std::vector<cudnnBackendDescriptor_t> raw;
  for (int i = 0; i < 64; ++i) raw.push_back(configs.emplace_back(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR).raw());
  std::int64_t count = 0;
  cudnn_graph::check(cudnnBackendGetAttribute(heuristics.raw(), CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, 64,
                                              &count, raw.data()),
                     "GetAttribute");
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    Descriptor plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
    plan.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, configs[i]);
    plan.set(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, device);
    if (cudnnBackendFinalize(plan.raw()) != CUDNN_STATUS_SUCCESS) continue;
    const Descriptor engine(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
    cudnnBackendDescriptor_t raw_engine = engine.raw();
    std::int64_t one = 0;
    cudnn_graph::check(
        cudnnBackendGetAttribute(raw[i], CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &one, &raw_engine),
        "GetAttribute");
    bool exact = true;
    for (const auto note :
         engine.get<cudnnBackendNumericalNote_t>(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_NUMERICAL_NOTE_TYPE_COUNT))
      exact = exact && note != CUDNN_NUMERICAL_NOTE_TENSOR_CORE && note != CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC;
    ++out.offered;
    if (exact) ++out.exact;
    out.engines.insert(engine.get<std::int64_t>(CUDNN_ATTR_ENGINE_GLOBAL_INDEX, 1)[0]);
  }
  return out;
}

struct Types {
  cudnnDataType_t x, w, y;
};
constexpr Types all_float{CUDNN_DATA_FLOAT, CUDNN_DATA_FLOAT, CUDNN_DATA_FLOAT},
    all_bfloat16{CUDNN_DATA_BFLOAT16, CUDNN_DATA_BFLOAT16, CUDNN_DATA_BFLOAT16};

Plans plans_of(const Layer& l, Direction direction, Types types, float beta, const Descriptor& device) {
  const std::int64_t out = (side + 2 * l.pad - l.filter) / l.stride + 1;
  const auto operation = cudnn_graph::operation(direction, cudnn_graph::convolution(l.stride, l.pad, l.pad),
                                                cudnn_graph::tensor(1, channels_last(batch, l.in, side, side), types.x),
                                                cudnn_graph::tensor(2, channels_last(l.out, l.in, l.filter, l.filter), types.w),
                                                cudnn_graph::tensor(3, channels_last(batch, l.out, out, out), types.y), beta);
  return plans(cudnn_graph::graph({&operation}), device);
}

Plans with_bias(const Layer& l, cudnnDataType_t type, cudnnDataType_t type_of_bias, const Descriptor& device) {
  const std::int64_t out = (side + 2 * l.pad - l.filter) / l.stride + 1;
  const auto y = channels_last(batch, l.out, out, out);
  const auto between = cudnn_graph::tensor(3, y, CUDNN_DATA_FLOAT, {.is_virtual = true});
  const auto convolution =
      cudnn_graph::operation(Direction::forward, cudnn_graph::convolution(l.stride, l.pad, l.pad),
                             cudnn_graph::tensor(1, channels_last(batch, l.in, side, side), type),
                             cudnn_graph::tensor(2, channels_last(l.out, l.in, l.filter, l.filter), type), between);
  const auto bias = cudnn_graph::tensor(4, channels_last(1, l.out, 1, 1), type_of_bias);
  const auto sum = cudnn_graph::pointwise(between, &bias, cudnn_graph::tensor(5, y, type));
  return plans(cudnn_graph::graph({&convolution, &sum}), device);
}

}  // namespace

TEST_CASE("cuDNN plans the three convolutions of every layer, channels last, float and bfloat16, overwriting and accumulating") {
  for (const char* const name : {"sm_80", "sm_90", "sm_100"}) {
    const Descriptor gpu = device(name);
    for (const Layer& layer : layers)
      for (const auto direction : {Direction::forward, Direction::backward_data, Direction::backward_filter})
        for (const bool narrow : {false, true})
          for (const float beta : {0.0f, 1.0f}) {
            const Plans found = plans_of(layer, direction, narrow ? all_bfloat16 : all_float, beta, gpu);
            std::cout << name << " " << layer.name << (narrow ? " bfloat16" : " float") << " direction "
                      << static_cast<int>(direction) << " beta " << beta << ": " << found.offered << " plans, " << found.exact
                      << " exact, engines";
            for (const auto engine : found.engines) std::cout << " " << engine;
            std::cout << "\n";
            CHECK(found.offered > 0);
            if (!narrow) CHECK(found.exact > 0);
          }
  }
}

TEST_CASE("cuDNN has an engine by the library's own rules for every pass of every layer, transposed or not") {
  using lacuna::cuda::ConvolutionProblem;
  for (const char* const name : {"sm_80", "sm_90", "sm_100"})
    for (const bool tf32 : {false, true}) {
      const lacuna::cuda::CudnnPlanner planner({.tf32 = tf32}, properties(name));
      for (const Layer& layer : layers)
        for (const bool transposed : {false, true})
          for (const auto pass :
               {ConvolutionProblem::Pass::forward, ConvolutionProblem::Pass::data, ConvolutionProblem::Pass::filter})
            for (const bool narrow : {false, true}) {
              const lacuna::Shape wide{8, 1, 64, 64, static_cast<int>(layer.in)};
              const auto small =
                  lacuna::ops::convolution_output(wide, static_cast<int>(layer.out), static_cast<int>(layer.filter),
                                                  static_cast<int>(layer.stride), static_cast<int>(layer.pad), false);
              const lacuna::ops::ConvolutionGeometry g{transposed ? small : wide,      transposed ? wide : small,
                                                       static_cast<int>(layer.filter), static_cast<int>(layer.stride),
                                                       static_cast<int>(layer.pad),    transposed};
              const auto problem = ConvolutionProblem::of(g, pass, narrow);
              CAPTURE(name, tf32, problem.name());
              CHECK_NOTHROW(planner.plan(problem));
            }
    }
}

TEST_CASE("cuDNN adds a bias in the convolution's graph where it has the images' type") {
  for (const char* const name : {"sm_80", "sm_90", "sm_100"}) {
    const Descriptor gpu = device(name);
    for (const Layer& layer : layers) {
      CHECK(with_bias(layer, CUDNN_DATA_FLOAT, CUDNN_DATA_FLOAT, gpu).offered > 0);
      CHECK(with_bias(layer, CUDNN_DATA_BFLOAT16, CUDNN_DATA_BFLOAT16, gpu).offered > 0);
    }
  }
}

TEST_CASE("What cuDNN refuses, and the emulation with it: filters with gaps, float results of bfloat16 images") {
  const Descriptor gpu = device("sm_90");
  const Layer& layer = layers[1];
  CHECK(
      plans_of(layer, Direction::backward_filter, {CUDNN_DATA_BFLOAT16, CUDNN_DATA_FLOAT, CUDNN_DATA_BFLOAT16}, 0, gpu).offered ==
      0);
  CHECK(with_bias(layer, CUDNN_DATA_BFLOAT16, CUDNN_DATA_FLOAT, gpu).offered == 0);
  const auto gaps = cudnn_graph::tensor(2, channels_last(64, 64, 3, 3, 72), CUDNN_DATA_FLOAT);
  const auto image = cudnn_graph::tensor(1, channels_last(batch, 64, side, side), CUDNN_DATA_FLOAT);
  CHECK_THROWS_AS(cudnn_graph::operation(Direction::forward, cudnn_graph::convolution(1, 1, 1), image, gaps, image),
                  cudnn_graph::Refused);
}
