// The emulated cuDNN: the three convolutions against plain loops, and that wrong use is refused.
#include <cudnn.h>

#include <chrono>
#include <cmath>
#include <vector>

#include "catch.hpp"
#include "cuda_emulation/libraries/controls.hpp"
#include "cuda_emulation/libraries/cudnn_graph.hpp"
#include "cuda_emulation/libraries/numbers.hpp"

namespace {

using cuda_emulation::controls;
using cudnn_graph::channels_last;
using cudnn_graph::Descriptor;
using cudnn_graph::Direction;
using cudnn_graph::Layout;
using cudnn_graph::Refused;

/// Device memory with numbers in it.
struct Device {
  Device(const Layout& layout, bool narrow, unsigned seed) : bfloat16(narrow), values(extent(layout)) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      seed = seed * 1664525u + 1013904223u;
      values[i] = static_cast<float>(static_cast<int>(seed >> 24u) - 128) / 64.0f;  // exact in bfloat16
    }
    REQUIRE(cudaMalloc(&raw, bytes()) == cudaSuccess);
    const cuda_emulation::DeviceMemoryOpen open;
    for (std::size_t i = 0; i < values.size(); ++i) cuda_emulation::Numbers{raw, bfloat16}.set(i, values[i]);
  }
  ~Device() { cudaFree(raw); }
  std::size_t bytes() const { return values.size() * (bfloat16 ? 2 : 4); }
  std::vector<float> now() const {
    const cuda_emulation::DeviceMemoryOpen open;
    std::vector<float> out(values.size());
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = cuda_emulation::Numbers{raw, bfloat16}[i];
    return out;
  }
  static std::size_t extent(const Layout& l) {
    std::int64_t last = 0;
    for (std::size_t i = 0; i < 4; ++i) last += (l.sizes[i] - 1) * l.strides[i];
    return static_cast<std::size_t>(last + 1);
  }
  bool bfloat16;
  std::vector<float> values;  // as they were at first
  void* raw = nullptr;
};

std::size_t at(const Layout& l, std::int64_t n, std::int64_t c, std::int64_t h, std::int64_t w) {
  return static_cast<std::size_t>(n * l.strides[0] + c * l.strides[1] + h * l.strides[2] + w * l.strides[3]);
}

struct Case {
  std::int64_t batch, in, out, side, filter, stride, before, after, gap;
};
struct Handle {
  Handle() { REQUIRE(cudnnCreate(&raw) == CUDNN_STATUS_SUCCESS); }
  ~Handle() { cudnnDestroy(raw); }
  cudnnHandle_t raw = nullptr;
};

/// The plans that the heuristics offer.
std::vector<Descriptor> plans(const Descriptor& graph) {
  Descriptor heuristics(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  heuristics.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph);
  heuristics.set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_HEUR_MODE_A);
  heuristics.finalize();
  std::vector<Descriptor> configs(4), out;
  std::vector<cudnnBackendDescriptor_t> raw;
  for (Descriptor& config : configs) raw.push_back((config = Descriptor(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR)).raw());
  std::int64_t count = 0;
  cudnn_graph::check(cudnnBackendGetAttribute(heuristics.raw(), CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, 4,
                                              &count, raw.data()),
                     "GetAttribute");
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    Descriptor plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
    plan.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, configs[i]);
    plan.finalize();
    out.push_back(std::move(plan));
  }
  return out;
}

cudnnStatus_t execute(cudnnHandle_t handle, const Descriptor& plan, const std::vector<std::int64_t>& ids,
                      const std::vector<void*>& pointers, void* workspace) {
  Descriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
  pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, ids);
  pack.set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, pointers);
  pack.set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, workspace);
  pack.finalize();
  return cudnnBackendExecute(handle, plan.raw(), pack.raw());
}

void check_case(const Case& k, Direction direction, bool bfloat16, float beta) {
  const std::int64_t side = (k.side + k.before + k.after - k.filter) / k.stride + 1;
  const Layout x = channels_last(k.batch, k.in, k.side, k.side, k.in + k.gap), w = channels_last(k.out, k.in, k.filter, k.filter),
               y = channels_last(k.batch, k.out, side, side, k.out + k.gap);
  const Device dx(x, bfloat16, 1), dw(w, bfloat16, 2), dy(y, bfloat16, 3);
  const Handle handle;
  const auto type = bfloat16 ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT;
  const auto operation =
      cudnn_graph::operation(direction, cudnn_graph::convolution(k.stride, k.before, k.after), cudnn_graph::tensor(1, x, type),
                             cudnn_graph::tensor(2, w, type), cudnn_graph::tensor(3, y, type), beta);
  const auto graph = cudnn_graph::graph({&operation}, handle.raw);
  const Device workspace(channels_last(1, 1, 1, 1000), false, 4);
  const auto plan = plans(graph);
  REQUIRE(plan.size() == 3);
  REQUIRE(execute(handle.raw, plan[2], {1, 2, 3}, {dx.raw, dw.raw, dy.raw}, workspace.raw) == CUDNN_STATUS_SUCCESS);
  // The same by plain loops.
  const Device& result = direction == Direction::forward ? dy : direction == Direction::backward_data ? dx : dw;
  const Layout& layout = direction == Direction::forward ? y : direction == Direction::backward_data ? x : w;
  std::vector<double> expected(result.values.begin(), result.values.end());
  for (std::int64_t a = 0; a < layout.sizes[0]; ++a)
    for (std::int64_t c = 0; c < layout.sizes[1]; ++c)
      for (std::int64_t i = 0; i < layout.sizes[2]; ++i)
        for (std::int64_t j = 0; j < layout.sizes[3]; ++j) expected[at(layout, a, c, i, j)] *= static_cast<double>(beta);
  for (std::int64_t b = 0; b < k.batch; ++b)
    for (std::int64_t o = 0; o < k.out; ++o)
      for (std::int64_t c = 0; c < k.in; ++c)
        for (std::int64_t i = 0; i < side; ++i)
          for (std::int64_t j = 0; j < side; ++j)
            for (std::int64_t p = 0; p < k.filter; ++p)
              for (std::int64_t q = 0; q < k.filter; ++q) {
                const std::int64_t r = i * k.stride - k.before + p, s = j * k.stride - k.before + q;
                if (r < 0 || s < 0 || r >= k.side || s >= k.side) continue;
                const std::size_t ix = at(x, b, c, r, s), iw = at(w, o, c, p, q), iy = at(y, b, o, i, j);
                const double vx = dx.values[ix], vw = dw.values[iw], vy = dy.values[iy];
                if (direction == Direction::forward) expected[iy] += vx * vw;
                if (direction == Direction::backward_data) expected[ix] += vy * vw;
                if (direction == Direction::backward_filter) expected[iw] += vx * vy;
              }
  const std::vector<float> computed = result.now();
  double worst = 0;
  for (std::size_t i = 0; i < computed.size(); ++i) {
    REQUIRE(std::isfinite(computed[i]));
    worst = std::max(worst, std::abs(static_cast<double>(computed[i]) - expected[i]) / (1 + std::abs(expected[i])));
  }
  CHECK(worst < (bfloat16 ? 4e-3 : 1e-6));  // half a unit of the result's last place
}

}  // namespace

TEST_CASE("Emulated cuDNN: the three convolutions equal plain loops") {
  cuda_emulation::reset();
  const auto before = cuda_emulation::live();
  for (const Case& k : {Case{2, 3, 5, 7, 3, 1, 1, 1, 0}, Case{2, 3, 4, 8, 4, 2, 1, 1, 2}, Case{1, 2, 3, 6, 1, 1, 0, 0, 1},
                        Case{1, 7, 2, 9, 5, 1, 2, 2, 0}, Case{1, 2, 2, 6, 3, 2, 0, 1, 0}})
    for (const auto direction : {Direction::forward, Direction::backward_data, Direction::backward_filter})
      for (const bool bfloat16 : {false, true})
        for (const float beta : {0.0f, 1.0f}) {
          INFO("filter " << k.filter << " stride " << k.stride << " direction " << static_cast<int>(direction) << " beta "
                         << beta);
          check_case(k, direction, bfloat16, beta);
        }
  CHECK(cuda_emulation::live() == before);
}

TEST_CASE("Emulated cuDNN: a bias is added by the graph that the real library offers, and by no other") {
  cuda_emulation::reset();
  const Handle handle;
  const Layout x = channels_last(1, 4, 5, 5), w = channels_last(3, 4, 3, 3), y = channels_last(1, 3, 5, 5),
               b = channels_last(1, 3, 1, 1);
  const auto fused = [&](cudnnDataType_t type, cudnnDataType_t type_of_bias) {
    const auto between = cudnn_graph::tensor(4, y, CUDNN_DATA_FLOAT, {.is_virtual = true});
    const auto convolution = cudnn_graph::operation(Direction::forward, cudnn_graph::convolution(1, 1, 1),
                                                    cudnn_graph::tensor(1, x, type), cudnn_graph::tensor(2, w, type), between);
    const auto bias = cudnn_graph::tensor(5, b, type_of_bias);
    const auto sum = cudnn_graph::pointwise(between, &bias, cudnn_graph::tensor(3, y, type));
    return plans(cudnn_graph::graph({&convolution, &sum}, handle.raw));
  };
  CHECK(fused(CUDNN_DATA_BFLOAT16, CUDNN_DATA_BFLOAT16).size() == 3);
  CHECK(fused(CUDNN_DATA_BFLOAT16, CUDNN_DATA_FLOAT).empty());
  const Device dx(x, false, 1), dw(w, false, 2), dy(y, false, 3), db(b, false, 5),
      workspace(channels_last(1, 1, 1, 1000), false, 4);
  const auto plan = fused(CUDNN_DATA_FLOAT, CUDNN_DATA_FLOAT);
  REQUIRE(plan.size() == 3);
  REQUIRE(execute(handle.raw, plan[0], {1, 2, 3, 5}, {dx.raw, dw.raw, dy.raw, db.raw}, workspace.raw) == CUDNN_STATUS_SUCCESS);
  double expected = db.values[2];  // the middle pixel's last channel
  for (std::int64_t c = 0; c < 4; ++c)
    for (std::int64_t p = 0; p < 3; ++p)
      for (std::int64_t q = 0; q < 3; ++q)
        expected += static_cast<double>(dx.values[at(x, 0, c, 1 + p, 1 + q)]) * dw.values[at(w, 2, c, p, q)];
  CHECK(dy.now()[at(y, 0, 2, 2, 2)] == Approx(expected));
}

TEST_CASE("Emulated cuDNN: wrong use is refused") {
  cuda_emulation::reset();
  const Handle handle;
  const Layout x = channels_last(1, 4, 6, 6), w = channels_last(3, 4, 3, 3), y = channels_last(1, 3, 6, 6);
  const auto make = [&](const Layout& lx, const Layout& lw, const Layout& ly) {
    return cudnn_graph::operation(Direction::forward, cudnn_graph::convolution(1, 1, 1),
                                  cudnn_graph::tensor(1, lx, CUDNN_DATA_FLOAT), cudnn_graph::tensor(2, lw, CUDNN_DATA_FLOAT),
                                  cudnn_graph::tensor(3, ly, CUDNN_DATA_FLOAT));
  };
  CHECK_THROWS_AS(make(x, w, channels_last(1, 3, 5, 6)), Refused);
  CHECK_THROWS_AS(make(x, channels_last(3, 5, 3, 3), y), Refused);
  CHECK_THROWS_AS(make(x, {{3, 4, 3, 3}, {54, 1, 18, 6}}, y), Refused);  // a filter with gaps
  const auto operation = make(x, w, y);
  const auto graph = cudnn_graph::graph({&operation}, handle.raw);
  const auto plan = plans(graph);
  const Device dx(x, false, 1), dw(w, false, 2), dy(y, false, 3), workspace(channels_last(1, 1, 1, 1000), false, 4);
  const auto with = [&](std::vector<std::int64_t> ids, std::vector<void*> pointers, void* space) {
    return execute(handle.raw, plan[0], ids, pointers, space);
  };
  std::vector<float> host(1000);
  CHECK(with({1, 2, 3}, {dx.raw, dw.raw, dy.raw}, nullptr) == CUDNN_STATUS_BAD_PARAM);
  CHECK(with({1, 2}, {dx.raw, dw.raw}, workspace.raw) == CUDNN_STATUS_BAD_PARAM_NULL_POINTER);
  CHECK(with({1, 2, 3}, {host.data(), dw.raw, dy.raw}, workspace.raw) != CUDNN_STATUS_SUCCESS);
  CHECK(with({1, 2, 3}, {static_cast<float*>(dx.raw) + 1, dw.raw, dy.raw}, workspace.raw) ==
        CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER);
  CHECK(with({1, 2, 3}, {dx.raw, dw.raw, dw.raw}, workspace.raw) == CUDNN_STATUS_SUCCESS);  // dw is as large
  controls().fail_library_call = 1;
  CHECK(with({1, 2, 3}, {dx.raw, dw.raw, dy.raw}, workspace.raw) == CUDNN_STATUS_EXECUTION_FAILED);
  controls().refuse = [](const cuda_emulation::ConvolutionRequest& request) { return request.engine == 0; };
  CHECK(plans(graph).size() == 2);
  cuda_emulation::reset();
}
