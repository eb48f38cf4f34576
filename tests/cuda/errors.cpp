// What goes wrong on a GPU, and what is left afterwards: by the emulation, which fails on demand.
#include "catch.hpp"
#include "cuda/devices.hpp"
#include "lacuna/cuda/engine.hpp"
#include "lacuna/nn/unet.hpp"
#include "support/fill.hpp"

using namespace lacuna;
using Catch::Matchers::Contains;

namespace {

constexpr cuda::Device::Settings small{.threads = 1, .arena_bytes = std::size_t{48} << 20};

struct Setting {
  cuda::Device device;
  std::int64_t no_batch = -1;  // the step whose batch cannot be made, once
  Parameters<float> parameters;
  nn::UNet network{{.inputs = 2, .outputs = 1, .hidden = 4, .multipliers = {1, 2}}, parameters, 1};
  std::vector<float> values[2], scale{1};
  std::vector<std::uint8_t> context = test::coins(64, 0.5f, 1), query = test::coins(64, 0.5f, 2);
  train::Engine<nn::UNet, cuda::Device> engine{
      device, network, parameters, {}, {.layout = {.frames = 1, .variables = 1}, .batch = 2, .height = 8, .width = 8}};

  explicit Setting(const cuda::Device::Settings& settings = small) : device(settings) {}

  double step() {
    return engine.step(1e-3, [this](std::int64_t step, int b) { return sample(step, b); }).loss;
  }
  train::SampleView sample(std::int64_t step, int b) {
    if (no_batch == step) throw Error("no batch");
    const auto number = static_cast<std::uint64_t>(2 * step + b);
    values[b] = test::normals<float>(64, number);
    return {.patch = {0, 0, 8, 8},
            .grid_width = 8,
            .values = values[b].data(),
            .context = context.data(),
            .query = query.data(),
            .background = nullptr,
            .climate = nullptr,
            .place = nullptr,
            .season = nullptr,
            .scale = scale.data(),
            .time = 0.5f,
            .alpha = 0.8f,
            .sigma = 0.6f,
            .noise = philox_key(1, Purpose::noise),
            .sample = number};
  }
};

}  // namespace

TEST_CASE("a GPU that is not there, and a driver that is too old, are told in one line") {
  cuda_emulation::reset();
  cuda_emulation::controls().devices = 0;
  CHECK(cuda::device_count() == 0);
  CHECK_THROWS_WITH(cuda::Device(small), Contains("no device: ") && Contains("use the CPU"));
  cuda_emulation::reset();
  CHECK_THROWS_WITH(cuda::Device({.ordinal = 3, .arena_bytes = 1 << 20}), Contains("no device 3: expected 0 to 0"));
  cuda_emulation::controls().driver_too_old = true;
  CHECK_THROWS_WITH(cuda::Device(small), Contains("driver serves CUDA 11.0, too old for runtime"));
  cuda_emulation::reset();
}

TEST_CASE("too little of the GPU's memory: what was asked for and what is free") {
  cuda_emulation::reset();
  cuda_emulation::controls().total_memory = std::size_t{32} << 20;
  CHECK_THROWS_WITH(cuda::Device(small), Contains("asked for 48 MiB") && Contains("of 32 MiB are free"));
  cuda_emulation::reset();
  cuda::Device device({.threads = 1, .arena_bytes = 1 << 20});
  Parameters<float> host;
  const nn::UNet network({.inputs = 2, .outputs = 1, .hidden = 4, .multipliers = {1}}, host, 1);
  cuda::Parameters<float> parameters(device, host);
  Graph<float, cuda::Device> graph(device, parameters, Mode::train, true);
  const float* no_times = nullptr;
  CHECK_THROWS_WITH(network(graph, graph.make({.batch = 4, .height = 64, .width = 64, .channels = 2}), no_times),
                    Contains("use a smaller batch"));
}

TEST_CASE("what a device made is gone with it") {
  cuda_emulation::reset();
  const auto before = cuda_emulation::live();
  {
    Setting s;
    for (int i = 0; i < 3; ++i) s.step();
    CHECK(cuda_emulation::live().executable_graphs == before.executable_graphs + 1);
  }
  CHECK(cuda_emulation::live() == before);
}

TEST_CASE("a launch or a library's call that fails names itself, and the trainer goes on as if it had not been tried") {
  for (const int first :
       {0, 1, 3}) {  // fails as it is enqueued, as it is captured, or not at all: a captured step launches nothing
    CAPTURE(first);
    cuda_emulation::reset();
    Setting unbroken, s;
    std::vector<double> expected, given;
    for (int i = 0; i < 5; ++i) expected.push_back(unbroken.step());
    for (int i = 0; i < first; ++i) given.push_back(s.step());
    if (first < 3) {
      cuda_emulation::controls().fail_launch = 20;
      CHECK_THROWS_WITH(s.step(), Contains("CUDA: lacuna::kernels::") && Contains("_kernel<256") && Contains("was not launched"));
      cuda_emulation::controls().fail_library_call = 4;
      CHECK_THROWS_WITH(s.step(), Contains("cannot run the"));
      CHECK(cudaPeekAtLastError() == cudaSuccess);
    }
    while (given.size() < expected.size()) given.push_back(s.step());
    CHECK(given == expected);
  }
}

TEST_CASE("where a step cannot be captured it runs as it is enqueued") {
  cuda_emulation::reset();
  Setting unbroken, s;
  for (int i = 0; i < 4; ++i) {
    const double expected = unbroken.step();
    if (i == 1) cuda_emulation::controls().fail_capture = 1;
    CHECK(s.step() == expected);
  }
}

TEST_CASE("a batch that cannot be made stops the step that needs it, and no other") {
  cuda_emulation::reset();
  Setting unbroken, s;
  s.no_batch = 2;
  for (int i = 0; i < 2; ++i) CHECK(s.step() == unbroken.step());
  CHECK_THROWS_WITH(s.step(), Contains("no batch"));
  CHECK(s.engine.steps_done() == 2);
  s.no_batch = -1;
  for (int i = 2; i < 5; ++i) CHECK(s.step() == unbroken.step());
}

TEST_CASE("two GPUs take turns") {
  cuda_emulation::reset();
  cuda_emulation::controls().devices = 2;
  Setting first, second({.ordinal = 1, .threads = 1, .arena_bytes = small.arena_bytes});
  for (int i = 0; i < 4; ++i) CHECK(first.step() == second.step());
}

TEST_CASE("a GPU of an older kind is told apart") {
  cuda_emulation::reset();
  cuda_emulation::controls().major = 7;
  cuda_emulation::controls().minor = 5;
  CHECK_THROWS_WITH(cuda::Device(small), Contains("has compute capability 7.5, expected 8.0 or later"));
  cuda_emulation::reset();
}

TEST_CASE("a convolution that cuDNN has no engine for is named") {
  cuda_emulation::reset();
  cuda_emulation::controls().refuse = [](const cuda_emulation::ConvolutionRequest& r) { return r.direction == 1; };
  Setting s;
  CHECK_THROWS_WITH(s.step(), Contains("no engine for the") && Contains("8 x 8 x 4 by 4 x 4 filters, stride 2"));
  cuda_emulation::reset();
  CHECK(std::isfinite(s.step()));
}
