#include "lacuna/model/ensemble_values.hpp"

#include "catch.hpp"
#include "lacuna/mask/pixels.hpp"
#include "lacuna/schedule/variance_preserving.hpp"
#include "support/waves.hpp"

using namespace lacuna::model;
using lacuna::HeldOut;

TEST_CASE("the variance of background plus weighted anomaly counts their covariance") {
  EnsembleValue value;
  value.var_background = 1.0;
  value.var_anomaly = 4.0;
  value.covariance = -2.0;
  CHECK(value.variance(0.5) == Approx(0.0).margin(1e-12));
  CHECK(value.variance(1.0) == Approx(1.0));
}

TEST_CASE("gaps in planes with observations and in lost planes are kinds of their own") {
  auto f = waves::make(90, 1, waves::Gaps::pixels);
  for (int i = 0; i < 144; ++i) f.at(40, i / 12, i % 12, 0) = lacuna::data::not_observed;
  const lacuna::train::Samples samples(f, {}, {});
  CHECK(gap_kind(samples, 13, f.index(1, 3, 3, 0)) == 1);
  CHECK(gap_kind(samples, 13, f.index(0, 3, 3, 0)) == 0);
}

TEST_CASE("where windows overlap, a held-out value is counted in the first that is scored") {
  const auto f = waves::make(12, 1, waves::Gaps::pixels);
  const lacuna::data::WindowSettings sliding{.length = 3, .stride = 1};
  std::vector<std::uint8_t> mask(f.values.size(), 0);
  for (int t = 0; t < 12; ++t) mask[f.index(t, 5, 5, 0)] = 1;
  const lacuna::train::Samples samples(f, sliding, {});
  const std::vector<float> truth(f.values.size(), 0.0f);
  const auto windows = lacuna::validation::windows_to_score({f, truth, mask, sliding});
  std::vector<int> frames;
  for (const auto& value : held_out_values(HeldOut{samples, truth, mask, windows}))
    frames.push_back(static_cast<int>(value.at / f.frame_size()));
  std::vector<int> each(12);
  for (int t = 0; t < 12; ++t) each[static_cast<std::size_t>(t)] = t;
  CHECK(frames == each);
}

TEST_CASE("samples are drawn a bounded number at once, each the same whatever is drawn beside it") {
  // A network that answers half of what it is shown.
  const auto f = waves::make(6, 1, waves::Gaps::pixels);
  const lacuna::train::Samples samples(f, {}, {});
  struct Half {
    lacuna::Variable<float> operator()(lacuna::Graph<float>& g, const lacuna::Variable<float>& input, const float*) const {
      auto out = g.make(input.shape.with_channels(3));
      const auto channels = static_cast<std::size_t>(input.shape.channels);
      for (std::size_t i = 0; i < out.shape.size(); ++i) out.data[i] = 0.5f * input.data[i / 3 * channels + 3 + i % 3];
      return out;
    }
  };
  lacuna::cpu::Device device({.threads = 2});
  lacuna::Parameters<float> parameters;
  const Half network;
  lacuna::sampler::SingleStep<Half> sampler(device, samples, lacuna::train::input_layout(samples), network, parameters, {2.0f});
  const lacuna::mask::Pixels policy;
  const auto drawn = [&](int count, int window) {
    std::vector<std::vector<float>> all;
    const auto ensemble = sample_ensemble(sampler, policy, lacuna::schedule::VariancePreserving{}, 1, count, 4);
    CHECK(ensemble.count == count);
    ensemble.evaluate(window, [&](std::size_t k, const lacuna::sampler::Estimate& e) {
      CHECK(k == all.size());
      all.push_back(e.anomaly);
    });
    return all;
  };
  const auto many = drawn(40, 0), few = drawn(3, 0);
  REQUIRE(many.size() == 40);
  for (std::size_t k = 0; k < few.size(); ++k) CHECK(many[k] == few[k]);
  CHECK(many[33] != many[1]);
  std::size_t differ = 0;
  for (std::size_t i = 0; i < few[0].size(); ++i) differ += few[0][i] != few[1][i] ? 1 : 0;
  CHECK(differ > 0);
  for (std::size_t i = 0; i < few[0].size(); ++i)  // observed values are exact in every sample
    if (!std::isnan(f.values[i])) REQUIRE(few[1][i] == f.values[i]);
}
