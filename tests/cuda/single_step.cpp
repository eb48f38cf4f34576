// Imputation on a GPU against the CPU: estimates and moments of ensembles, by tiles. Runs on the emulation, and where there is
// one on a GPU.
#include "lacuna/sampler/single_step.hpp"

#include "catch.hpp"
#include "cuda/devices.hpp"
#include "lacuna/baseline/classical_background.hpp"
#include "lacuna/cuda/evaluator.hpp"
#include "lacuna/mask/pixels.hpp"
#include "lacuna/nn/unet.hpp"
#include "lacuna/sampler/draw_contexts.hpp"
#include "support/compare.hpp"
#include "support/waves.hpp"

using namespace lacuna;
using baseline::BackgroundKind;

namespace {

const std::vector<float> scale{0.8f, 1.2f};

/// Tiles of half the grid, continued around the seam, and three members a pass.
constexpr sampler::SingleStepSettings tiles{.tile = 6, .margin = 4, .cells_per_pass = 3 * 10 * 14};

data::Fields periodic_waves() {
  auto f = waves::make(6, 2, waves::Gaps::pixels, 0.6f);
  f.grid.periodic_x = true;
  for (auto& x : f.values) x = (x - 5.0f) / 1.4f;
  return f;
}

/// An untrained network on either device.
template <class Matching, class Device>
struct Setting {
  using Sampler = sampler::SingleStep<nn::UNet, schedule::VariancePreserving, Matching, Device>;

  train::InputLayout layout;
  Parameters<float> parameters;
  nn::UNet network;
  Sampler sampler;

  Setting(Device& device, const train::Samples& samples, bool query = false)
      : layout(train::input_layout(samples, query)),
        network({.inputs = layout.channels(), .outputs = layout.fields(), .hidden = 4, .multipliers = {1, 2}}, parameters, 1),
        sampler(device, samples, layout, network, parameters, scale, tiles) {}

  std::vector<float> anomalies(std::span<const sampler::Request> requests) {
    std::vector<float> all;
    sampler(requests,
            [&](std::size_t, const sampler::Estimate& e) { all.insert(all.end(), e.anomaly.begin(), e.anomaly.end()); });
    return all;
  }
};

template <class Matching>
void check_same(const train::Samples& samples) {
  cpu::Device cpu({.threads = 2});
  cuda::Device gpu({.threads = 2, .arena_bytes = std::size_t{64} << 20});
  Setting<Matching, cpu::Device> a(cpu, samples);
  Setting<Matching, cuda::Device> b(gpu, samples);
  auto requests = sampler::draw_contexts(samples, mask::Pixels{}, 7, 3);
  requests.resize(7);  // of the first window: passes of three, three and one
  CHECK(test::relative_difference(b.anomalies(requests), a.anomalies(requests)) < 1e-4);

  const auto& observed = samples.windows()[0].masks.observed;
  std::vector<float> weights(observed.size()), values;
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = i % 2 == 0 ? 0.5f : 1.0f;
  samples.cut(samples.fields().values, 0, data::whole(samples.fields().grid), values);
  sampler::Moments expected, given;
  a.sampler.moments(requests, weights, expected);
  for (int i = 0; i < 3; ++i) b.sampler.moments(requests, weights, given);  // enqueued, captured, launched
  CHECK(test::relative_difference(given.mean, expected.mean) < 1e-4);
  CHECK(test::relative_difference(given.deviation, expected.deviation) < 1e-4);
  for (std::size_t i = 0; i < observed.size(); ++i)
    if (observed[i] != 0) CHECK((given.mean[i] == values[i] && given.deviation[i] == 0 && expected.mean[i] == values[i]));

  auto state = requests;  // as a sampler in many steps asks
  for (auto& request : state) request.state = weights, request.time = 0.4;
  CHECK(test::relative_difference(b.anomalies(state), a.anomalies(state)) < 1e-4);
}

}  // namespace

TEST_CASE("imputation on a GPU by tiles: estimates and moments are the CPU's for every matching, observed values bit for bit") {
  if (!test::gpu()) return;
  const auto fields = periodic_waves();
  const train::Samples plain(fields, {}, {});
  check_same<schedule::DataMatching>(plain);
  check_same<schedule::VelocityMatching>(plain);
  const train::Samples climatology(fields, {}, baseline::ClassicalBackground(BackgroundKind::climatology, {}));
  check_same<schedule::DataMatching>(climatology);
  check_same<schedule::NoiseMatching>(climatology);
}

TEST_CASE("imputation on a GPU: a network that is shown the query") {
  if (!test::gpu()) return;
  const auto fields = periodic_waves();
  const train::Samples samples(fields, {}, {});
  cpu::Device cpu({.threads = 2});
  cuda::Device gpu({.threads = 2, .arena_bytes = std::size_t{64} << 20});
  Setting<schedule::NoiseMatching, cpu::Device> a(cpu, samples, true);
  Setting<schedule::NoiseMatching, cuda::Device> b(gpu, samples, true);
  const auto& observed = samples.windows()[0].masks.observed;
  const std::vector<std::uint8_t> all(observed.begin(), observed.end());
  const std::vector<sampler::Request> requests{{.window = 0, .context = all, .query = all, .time = 0.3}};
  CHECK(test::relative_difference(b.anomalies(requests), a.anomalies(requests)) < 1e-4);
  sampler::Moments moments;
  CHECK_THROWS_AS(b.sampler.moments(requests, std::vector<float>(all.size(), 1.0f), moments), OptionError);
}

TEST_CASE("imputation on a GPU: a plan takes the memory that the passes take") {
  if (!test::gpu()) return;
  const auto fields = periodic_waves();
  const train::Samples samples(fields, {}, baseline::ClassicalBackground(BackgroundKind::climatology, {}));
  cuda::Device gpu({.threads = 2, .arena_bytes = std::size_t{64} << 20});
  Setting<schedule::DataMatching, cuda::Device> s(gpu, samples);
  s.sampler.plan(7);
  const std::size_t planned = gpu.arena().high_water();
  auto requests = sampler::draw_contexts(samples, mask::Pixels{}, 7, 3);
  requests.resize(7);
  s.anomalies(requests);
  CHECK(gpu.arena().high_water() == planned);
}
