#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "catch.hpp"
#include "cuda/devices.hpp"
#include "lacuna/cuda/ops.hpp"
#include "lacuna/nn/in_bfloat16.hpp"
#include "lacuna/ops/masked_loss.hpp"
#include "support/compare.hpp"
#include "support/fill.hpp"

namespace lacuna::test {

/// @brief What a step with the masked loss gives.
struct Pass {
  std::vector<float> estimate, gradients;
  double loss = 0;
};

/// @brief Operands of a step with a network, on the host: parameters away from where they begin, targets NaN but where queried.
template <class Network>
struct Operands {
  Operands(const typename Network::Settings& settings, const Shape& input_shape)
      : network(settings, parameters, 3),
        shape(input_shape),
        input(normals<float>(shape.size(), 1)),
        target(normals<float>(shape.with_channels(settings.outputs).size(), 2)),
        query(coins(target.size(), 0.5f, 3)),
        times(normals<float>(static_cast<std::size_t>(shape.batch), 4)) {
    const auto z = normals<float>(parameters.size(), 5);
    for (std::size_t i = 0; i < z.size(); ++i) parameters.values()[i] += 0.05f * z[i];
    for (float& t : times) t = 0.5f + 0.1f * t;
    for (std::size_t i = 0; i < target.size(); ++i)
      if (query[i] == 0) target[i] = std::numeric_limits<float>::quiet_NaN();
  }
  Parameters<float> parameters;
  Network network;
  Shape shape;
  std::vector<float> input, target;
  std::vector<std::uint8_t> query;
  std::vector<float> times;
};

template <class Network>
Pass on_cpu(Operands<Network>& o) {
  cpu::Device device({.threads = 1});
  Graph<float> graph(device, o.parameters, Mode::train);
  const auto x = graph.make(o.shape);
  std::copy(o.input.begin(), o.input.end(), x.data);
  o.parameters.zero_gradients();
  const auto y = o.network(graph, x, o.times.data());
  Pass pass{{y.data, y.data + y.shape.size()}, {}, 0};
  pass.loss = ops::masked_loss(graph, y, o.target.data(), o.query.data());
  graph.backward();
  pass.gradients = o.parameters.gradients();
  return pass;
}

template <class Network>
Pass on_gpu(Operands<Network>& o) {
  cuda::Device device({.threads = 1, .arena_bytes = std::size_t{64} << 20});
  cuda::Parameters<float> parameters(device, o.parameters);
  const OnDevice<float> target(device, o.target), times(device, o.times);
  const OnDevice<std::uint8_t> query(device, o.query);
  parameters.zero_gradients();
  Graph<float, cuda::Device> graph(device, parameters, Mode::train);
  const auto x = graph.make(o.shape);
  cuda::copy_now(device.stream(), x.data, static_cast<const float*>(o.input.data()), o.input.size(), cudaMemcpyHostToDevice);
  const auto y = o.network(graph, x, static_cast<const float*>(times.data()));
  Pass pass{fetched(device, y.data, y.shape.size()), {}, 0};
  const auto loss = ops::masked_loss(graph, y, target.data(), query.data());
  pass.loss = fetched(device, loss.result, 2)[0];
  graph.backward();
  pass.gradients = parameters.gradients().download();
  return pass;
}

/// @brief Checks a pass on the GPU against the CPU's: estimate and loss to 1e-5, each parameter's gradient to 1e-4.
template <class Network>
void check_same_pass(const typename Network::Settings& settings, const Shape& input) {
  CAPTURE(input);
  Operands<Network> o(settings, input);
  const Pass cpu = on_cpu(o), gpu = on_gpu(o);
  CHECK(relative_difference(gpu.estimate, cpu.estimate) < 1e-5);
  CHECK(gpu.loss == Approx(cpu.loss).epsilon(1e-5));
  for (const auto& entry : o.parameters.entries()) {
    CAPTURE(entry.name);
    const auto part = [&](const std::vector<float>& all) {
      const auto begin = all.begin() + static_cast<std::ptrdiff_t>(entry.at.offset);
      return std::vector<float>(begin, begin + static_cast<std::ptrdiff_t>(entry.at.size));
    };
    CHECK(relative_difference(part(gpu.gradients), part(cpu.gradients)) < 1e-4);
  }
}

/// @brief Checks a pass on the GPU in bfloat16 against the CPU's in float: estimate and all gradients together to 3e-2. What
/// bfloat16 does to a small network on the CPU is 1e-2, and that it rounds elsewhere makes the two as different.
template <class Network>
void check_bfloat16_pass(const typename Network::Settings& settings, const Shape& input) {
  CAPTURE(input);
  Operands<Network> exact(settings, input);
  Operands<nn::InBfloat16<Network>> narrow(settings, input);
  const Pass cpu = on_cpu(exact), gpu = on_gpu(narrow);
  CHECK(relative_difference(gpu.estimate, cpu.estimate) < 3e-2);
  CHECK(relative_difference(gpu.gradients, cpu.gradients) < 3e-2);
}

}  // namespace lacuna::test
