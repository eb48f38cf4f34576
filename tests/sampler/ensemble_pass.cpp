#include "lacuna/sampler/ensemble_pass.hpp"

#include "catch.hpp"
#include "lacuna/baseline/classical_background.hpp"
#include "lacuna/mask/pixels.hpp"
#include "lacuna/nn/unet.hpp"
#include "lacuna/sampler/draw_contexts.hpp"
#include "lacuna/sampler/ensemble.hpp"
#include "support/compare.hpp"
#include "support/tolerances.hpp"
#include "support/waves.hpp"

using namespace lacuna;
using baseline::BackgroundKind;

namespace {

/// Moments of an untrained network's estimates, by passes over tiles and from the estimates one by one.
template <class Matching>
void check_moments(BackgroundKind kind) {
  const auto fields = waves::make(3, 2, waves::Gaps::pixels, 0.6f);
  const train::Samples samples(fields, {}, baseline::ClassicalBackground(kind, {}));
  const auto layout = train::input_layout(samples);
  cpu::Device device({.threads = 2});
  Parameters<float> parameters;
  const nn::UNet network({.inputs = layout.channels(), .outputs = layout.fields(), .hidden = 4, .multipliers = {1}}, parameters,
                         1);
  sampler::SingleStep<nn::UNet, schedule::VariancePreserving, Matching> sampler(
      device, samples, layout, network, parameters, {0.8f, 1.2f}, {.tile = 5, .margin = 3, .cells_per_pass = 3 * 11 * 11});
  const auto requests = sampler::draw_contexts(samples, mask::Pixels{}, 7, 3);
  const auto& observed = samples.windows()[0].masks.observed;
  std::vector<float> weights(observed.size());
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = i % 3 == 0 ? 0.25f : 1.0f;
  sampler::Moments given;
  sampler.moments(requests, weights, given);
  sampler::RunningMoments running(weights.size());
  sampler(requests, [&](std::size_t, const sampler::Estimate& e) {
    running.add({e.background.data(), e.anomaly.data(), weights.data()});
  });
  std::vector<float> mean, deviation;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    mean.push_back(observed[i] != 0 ? fields.values[i] : running.mean()[i]);
    deviation.push_back(observed[i] != 0 ? 0.0f : running.deviation(i));
    if (observed[i] != 0) CHECK((given.mean[i] == fields.values[i] && given.deviation[i] == 0));
  }
  CHECK(test::relative_difference(given.mean, mean) < test::tolerance::kernel);
  CHECK(test::relative_difference(given.deviation, deviation) < test::tolerance::kernel);
  weights.pop_back();
  CHECK_THROWS_AS(sampler.moments(requests, weights, given), ShapeError);
}

}  // namespace

TEST_CASE("moments by passes over tiles are those of the estimates, and where observed the values") {
  check_moments<schedule::DataMatching>(BackgroundKind::none);
  check_moments<schedule::DataMatching>(BackgroundKind::climatology);
  check_moments<schedule::NoiseMatching>(BackgroundKind::climatology);
  check_moments<schedule::VelocityMatching>(BackgroundKind::none);
}
