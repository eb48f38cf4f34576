// Training and imputation on a GPU against the CPU. Runs on the emulation, and where there is one on a GPU.
#include "lacuna/train/trainer.hpp"

#include "catch.hpp"
#include "cuda/devices.hpp"
#include "lacuna/cuda/engine.hpp"
#include "lacuna/cuda/evaluator.hpp"
#include "lacuna/mask/pixels.hpp"
#include "lacuna/model/network.hpp"
#include "lacuna/nn/fno.hpp"
#include "lacuna/nn/in_bfloat16.hpp"
#include "lacuna/nn/unet.hpp"
#include "lacuna/sampler/draw_contexts.hpp"
#include "support/compare.hpp"
#include "support/waves.hpp"

using namespace lacuna;

namespace {

data::Fields normalised_waves() {
  auto f = waves::make(24, 1, waves::Gaps::pixels);
  for (auto& x : f.values) x = (x - 5.0f) / 1.4f;
  return f;
}

using SpaceTime = model::FramesAsAxis<nn::SpaceTimeUNet>;

template <class Network>
Network make(const train::InputLayout& layout, Parameters<float>& parameters) {
  if constexpr (std::is_same_v<typename Network::Settings, SpaceTime::Settings>)
    return {{layout, 4}, parameters, 1};
  else if constexpr (std::is_same_v<typename Network::Settings, nn::Fno::Settings>)
    return {
        {.inputs = layout.channels(), .outputs = layout.fields(), .hidden = 6, .modes = {3, 4}, .layers = 1, .time_features = 4},
        parameters,
        1};
  else
    return {{.inputs = layout.channels(), .outputs = layout.fields(), .hidden = 4, .multipliers = {1, 2}}, parameters, 1};
}

/// A small network on waves, on either device.
template <class Device, class Network = nn::UNet>
struct Setting {
  using Trainer = train::Trainer<Network, mask::Pixels, schedule::VariancePreserving, schedule::DataMatching, Device>;
  using Sampler = sampler::SingleStep<Network, schedule::VariancePreserving, schedule::DataMatching, Device>;

  data::Fields fields = normalised_waves();
  train::Samples samples{fields, {}, {}};
  train::InputLayout layout = train::input_layout(samples);
  Device& device;
  Parameters<float> parameters;
  Network network = make<Network>(layout, parameters);
  Trainer trainer{device, samples, network, parameters, mask::Pixels::random_ratio(), {1.0f}, {.batch = 4, .optimizer = {}}};

  explicit Setting(Device& d) : device(d) {}

  std::vector<double> losses(int steps) {
    std::vector<double> losses;
    for (int i = 0; i < steps; ++i) losses.push_back(trainer.step(1e-3));
    return losses;
  }
  /// Estimates of a few contexts by the averaged weights, asked for so many times over.
  std::vector<float> estimates(int times = 1) {
    Parameters<float> averaged = parameters;
    averaged.values() = trainer.state().average;
    Sampler sampler(device, samples, layout, network, averaged, {1.0f});
    auto requests = sampler::draw_contexts(samples, mask::Pixels::random_ratio(), 2, 5);
    requests.resize(7);
    std::vector<float> all;
    for (int i = 0; i < times; ++i)
      sampler(requests,
              [&](std::size_t, const sampler::Estimate& e) { all.insert(all.end(), e.anomaly.begin(), e.anomaly.end()); });
    return all;
  }
};

constexpr cuda::Device::Settings small{.threads = 2, .arena_bytes = std::size_t{96} << 20};

}  // namespace

TEMPLATE_TEST_CASE("training on a GPU: twenty steps have the CPU's losses, and what was learned its estimates", "", nn::UNet,
                   nn::Fno) {
  if (!test::gpu()) return;
  cpu::Device cpu({.threads = 2});
  cuda::Device gpu(small);
  Setting<cpu::Device, TestType> a(cpu);
  Setting<cuda::Device, TestType> b(gpu);
  CHECK(test::relative_difference(b.estimates(), a.estimates()) < 1e-5);
  const auto expected = a.losses(20), given = b.losses(20);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CAPTURE(i);
    CHECK(given[i] == Approx(expected[i]).epsilon(1e-4));
  }
  CHECK(expected.back() < 0.9 * expected.front());
  // Adam makes much of small differences where a gradient is nearly nothing: weights are compared by what the same ones answer.
  b.trainer.state();
  b.parameters.values() = a.parameters.values();
  b.trainer.restore(a.trainer.state());
  CHECK(b.trainer.state().average == a.trainer.state().average);
  CHECK(test::relative_difference(b.estimates(), a.estimates()) < 1e-4);
}

TEMPLATE_TEST_CASE("training on a GPU: captured steps are those that are enqueued one by one, and repeat bit for bit", "",
                   nn::UNet, nn::Fno, nn::InBfloat16<nn::Fno>, nn::InBfloat16<SpaceTime>) {
  if (!test::gpu()) return;
  cuda::Device captured(small), plain({.threads = 2, .arena_bytes = small.arena_bytes, .capture = false});
  Setting<cuda::Device, TestType> a(captured), b(plain), c(captured);
  const auto losses = a.losses(5);
  CHECK(b.losses(5) == losses);
  CHECK(c.losses(5) == losses);
  CHECK(a.trainer.state().average == b.trainer.state().average);
}

TEST_CASE("imputation on a GPU: the passes of an ensemble are captured, and repeat those that are enqueued one by one") {
  if (!test::gpu()) return;
  cuda::Device captured(small), plain({.threads = 2, .arena_bytes = small.arena_bytes, .capture = false});
  Setting<cuda::Device> a(captured), b(plain);
  const auto once = b.estimates();
  std::vector<float> thrice;
  for (int i = 0; i < 3; ++i) thrice.insert(thrice.end(), once.begin(), once.end());
  CHECK(a.estimates(3) == thrice);  // enqueued, captured, launched
  CHECK(b.estimates(3) == thrice);
}

TEST_CASE(
    "training on a GPU: the space-time UNet has the CPU's losses and estimates, captured or not, in the memory of its plan") {
  if (!test::gpu()) return;
  cpu::Device cpu({.threads = 2});
  cuda::Device captured(small), plain({.threads = 2, .arena_bytes = small.arena_bytes, .capture = false});
  Setting<cpu::Device, SpaceTime> a(cpu);
  Setting<cuda::Device, SpaceTime> b(captured), c(plain);
  CHECK(test::relative_difference(b.estimates(), a.estimates()) < 1e-5);
  b.trainer.plan();
  const std::size_t planned = captured.arena().high_water();
  const auto expected = a.losses(3), given = b.losses(3);
  CHECK(captured.arena().high_water() == planned);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CAPTURE(i);
    CHECK(given[i] == Approx(expected[i]).epsilon(1e-4));
  }
  CHECK(c.losses(3) == given);
  CHECK(c.trainer.state().average == b.trainer.state().average);
}

TEST_CASE("training on a GPU: a run that goes on from a state repeats an unbroken one") {
  if (!test::gpu()) return;
  cuda::Device device(small);
  Setting<cuda::Device> unbroken(device), first(device), second(device);
  const auto losses = unbroken.losses(6);
  first.losses(3);
  auto state = first.trainer.state();
  second.parameters.values() = first.parameters.values();
  second.trainer.restore(state);
  CHECK(second.losses(3) == std::vector<double>(losses.begin() + 3, losses.end()));
  CHECK(second.trainer.state().average == unbroken.trainer.state().average);
}

TEMPLATE_TEST_CASE("training on a GPU: a plan tells what a step takes of the device's memory, and goes with it", "", nn::UNet,
                   nn::Fno, nn::InBfloat16<nn::Fno>, nn::InBfloat16<SpaceTime>) {
  if (!test::gpu()) return;
  cuda::Device device(small);
  Setting<cuda::Device, TestType> s(device), other(device);
  s.trainer.plan();
  const std::size_t planned = device.arena().high_water();
  const auto losses = s.losses(3);
  CHECK(device.arena().high_water() == planned);
  CHECK(other.losses(3) == losses);
}
