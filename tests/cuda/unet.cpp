// The UNet on a GPU against the CPU: estimates and every gradient. Runs on the emulation, and where there is one on a GPU.
#include "lacuna/nn/unet.hpp"

#include "catch.hpp"
#include "cuda/devices.hpp"
#include "lacuna/ops/masked_loss.hpp"
#include "support/compare.hpp"
#include "support/fill.hpp"

using namespace lacuna;

namespace {

struct Pass {
  std::vector<float> estimate, gradients;
  double loss = 0;
};

struct Case {
  nn::UNet::Settings settings;
  Shape input;
};

/// Operands of a step with this network, on the host.
struct Operands {
  explicit Operands(const Case& c)
      : network(c.settings, parameters, 3),
        shape(c.input),
        input(test::normals<float>(shape.size(), 1)),
        target(test::normals<float>(shape.with_channels(c.settings.outputs).size(), 2)),
        query(test::coins(target.size(), 0.5f, 3)),
        times(test::normals<float>(static_cast<std::size_t>(shape.batch), 4)) {
    const auto z = test::normals<float>(parameters.size(), 5);
    for (std::size_t i = 0; i < z.size(); ++i) parameters.values()[i] += 0.05f * z[i];
    for (float& t : times) t = 0.5f + 0.1f * t;
    for (std::size_t i = 0; i < target.size(); ++i)
      if (query[i] == 0) target[i] = std::numeric_limits<float>::quiet_NaN();
  }
  Parameters<float> parameters;
  nn::UNet network;
  Shape shape;
  std::vector<float> input, target;
  std::vector<std::uint8_t> query;
  std::vector<float> times;
};

Pass on_cpu(Operands& o) {
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

Pass on_gpu(Operands& o) {
  cuda::Device device({.threads = 1, .arena_bytes = std::size_t{64} << 20});
  cuda::Parameters<float> parameters(device, o.parameters);
  const test::OnDevice<float> input(device, o.input), target(device, o.target), times(device, o.times);
  const test::OnDevice<std::uint8_t> query(device, o.query);
  parameters.zero_gradients();
  Graph<float, cuda::Device> graph(device, parameters, Mode::train);
  const auto y = o.network(graph, graph.view(o.shape, input.data()), static_cast<const float*>(times.data()));
  Pass pass{test::fetched(device, y.data, y.shape.size()), {}, 0};
  const auto loss = ops::masked_loss(graph, y, target.data(), query.data());
  pass.loss = test::fetched(device, loss.result, 2)[0];
  graph.backward();
  pass.gradients = parameters.gradients().download();
  return pass;
}

}  // namespace

TEST_CASE("UNet on a GPU: estimate, loss and every gradient are the CPU's") {
  if (!test::gpu()) return;
  const Case cases[] = {
      {{.inputs = 7, .outputs = 3, .hidden = 8}, {.batch = 2, .height = 8, .width = 12, .channels = 7}},
      {{.inputs = 3, .outputs = 1, .hidden = 6, .multipliers = {1, 2}}, {.batch = 1, .height = 9, .width = 7, .channels = 3}},
      {{.inputs = 2,
        .outputs = 2,
        .hidden = 4,
        .multipliers = {1, 1},
        .borders = {ops::Border::replicated, ops::Border::periodic}},
       {.batch = 3, .height = 6, .width = 8, .channels = 2}},
      {{.inputs = 4, .outputs = 2, .hidden = 8, .multipliers = {1, 2}, .recompute = true},
       {.batch = 1, .height = 8, .width = 8, .channels = 4}}};
  for (const auto& c : cases) {
    CAPTURE(c.input);
    Operands o(c);
    const Pass cpu = on_cpu(o), gpu = on_gpu(o);
    CHECK(test::relative_difference(gpu.estimate, cpu.estimate) < 1e-5);
    CHECK(gpu.loss == Approx(cpu.loss).epsilon(1e-5));
    for (const auto& entry : o.parameters.entries()) {
      CAPTURE(entry.name);
      const auto part = [&](const std::vector<float>& all) {
        const auto begin = all.begin() + static_cast<std::ptrdiff_t>(entry.at.offset);
        return std::vector<float>(begin, begin + static_cast<std::ptrdiff_t>(entry.at.size));
      };
      CHECK(test::relative_difference(part(gpu.gradients), part(cpu.gradients)) < 1e-4);
    }
  }
}
