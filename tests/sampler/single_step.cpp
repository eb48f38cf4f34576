#include "lacuna/sampler/single_step.hpp"

#include <limits>

#include "catch.hpp"
#include "lacuna/nn/unet.hpp"

using namespace lacuna;

namespace {

/// Random fields of one frame on a grid of 36 x 90, 60 % observed.
data::Fields noise_fields(bool periodic) {
  data::Fields f;
  for (int y = 0; y < 36; ++y) f.grid.y.push_back(y);
  for (int x = 0; x < 90; ++x) f.grid.x.push_back(x);
  f.grid.periodic_x = periodic;
  f.names = {"x"};
  f.time = {0, 1};
  const auto key = philox_key(3, Purpose::noise);
  for (std::uint64_t i = 0; i < 2 * 36 * 90; ++i) {
    const auto words = philox(key, 0, i);
    f.values.push_back(uniform(words[2]) < 0.6f ? normals(words)[0] : data::not_observed);
  }
  return f;
}

struct Setting {
  train::Samples samples;
  train::InputLayout layout;
  cpu::Device device;
  Parameters<float> parameters;
  nn::UNet network;

  explicit Setting(const data::Fields& f)
      : samples(f, {.length = 1}, {}),
        layout(train::input_layout(samples)),
        device({.threads = 2}),
        network({.inputs = layout.channels(), .outputs = 1, .hidden = 4, .multipliers = {1}}, parameters, 1) {}

  std::vector<sampler::Estimate> run(const sampler::SingleStepSettings& settings, int members = 1) {
    sampler::SingleStep<nn::UNet> sampler(device, samples, layout, network, parameters, {2.0f}, settings);
    std::vector<sampler::Request> requests;
    for (int i = 0; i < members; ++i) {
      const auto& observed = samples.windows()[0].masks.observed;
      requests.push_back({0, static_cast<std::uint64_t>(i), {observed.begin(), observed.end()}});
    }
    std::vector<sampler::Estimate> estimates(requests.size());
    sampler(requests, [&](std::size_t i, const sampler::Estimate& e) { estimates[i] = e; });
    return estimates;
  }
};

}  // namespace

TEST_CASE("tiles with margins beyond the network's reach give what the whole grid gives") {
  for (const bool periodic : {false, true}) {
    Setting s(noise_fields(periodic));
    // One level reaches 2 + 14 cells.
    const auto whole = s.run({.tile = 256, .margin = 20}), tiled = s.run({.tile = 16, .margin = 20});
    REQUIRE(whole[0].anomaly.size() == 36 * 90);
    for (std::size_t i = 0; i < whole[0].anomaly.size(); ++i)
      CHECK(static_cast<double>(tiled[0].anomaly[i]) == Approx(static_cast<double>(whole[0].anomaly[i])).margin(2e-4));
  }
}

TEST_CASE("members evaluated together are what they are alone, and their noise differs") {
  Setting s(noise_fields(true));
  const auto together = s.run({.cells_per_pass = 100000}, 3), alone = s.run({.cells_per_pass = 1}, 3);
  bool differ = false;
  for (std::size_t k = 0; k < 3; ++k)
    for (std::size_t i = 0; i < together[k].anomaly.size(); ++i) {
      CHECK(static_cast<double>(together[k].anomaly[i]) == Approx(static_cast<double>(alone[k].anomaly[i])).margin(2e-4));
      differ |= k > 0 && together[k].anomaly[i] != together[0].anomaly[i];
    }
  CHECK(differ);
}

TEST_CASE("a plan takes the memory that imputation takes") {
  Setting s(noise_fields(true));
  sampler::SingleStep<nn::UNet> sampler(s.device, s.samples, s.layout, s.network, s.parameters, {1.0f}, {.cells_per_pass = 1});
  sampler.plan(2);
  const auto planned = s.device.arena().high_water();
  CHECK(planned > 0);
  s.run({.cells_per_pass = 1}, 2);
  CHECK(s.device.arena().high_water() == planned);
}

TEST_CASE("a time outside 0 .. 1 and samples of another layout are refused") {
  Setting s(noise_fields(false));
  sampler::SingleStep<nn::UNet> sampler(s.device, s.samples, s.layout, s.network, s.parameters, {1.0f});
  for (const double time : {-0.01, 1.01, std::numeric_limits<double>::quiet_NaN()}) {
    const sampler::Request request{.context = std::vector<std::uint8_t>(36 * 90, 1), .time = time};
    CHECK_THROWS_WITH(sampler(std::span(&request, 1), [](std::size_t, const auto&) {}),
                      Catch::Matchers::Contains("is not in 0 .. 1"));
  }
  const sampler::Request part{.context = std::vector<std::uint8_t>(36, 1)};
  CHECK_THROWS_WITH(sampler(std::span(&part, 1), [](std::size_t, const auto&) {}), Catch::Matchers::Contains("a context of 36"));
  auto other = s.layout;
  other.background = true;
  using Evaluator = sampler::SingleStep<nn::UNet>;
  CHECK_THROWS_AS(Evaluator(s.device, s.samples, other, s.network, s.parameters, {1.0f}), ShapeError);
}
