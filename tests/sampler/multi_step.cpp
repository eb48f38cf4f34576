#include "lacuna/sampler/multi_step.hpp"

#include "catch.hpp"
#include "lacuna/baseline/classical_background.hpp"
#include "lacuna/mask/pixels.hpp"
#include "lacuna/nn/unet.hpp"
#include "lacuna/schedule/variance_preserving.hpp"
#include "lacuna/train/trainer.hpp"
#include "support/waves.hpp"

using namespace lacuna;
using baseline::BackgroundKind;
using schedule::VariancePreserving;

namespace {

constexpr float mean_of_waves = 5.0f, deviation_of_waves = 1.414f;

data::Fields normalised_waves() {
  auto f = waves::make(24, 1, waves::Gaps::pixels, 0.5f);
  for (auto& x : f.values) x = (x - mean_of_waves) / deviation_of_waves;
  return f;
}

/// Gives back the state's channels, so that a test sees what a network would; remembers the times.
struct Echo {
  int fields = 3;
  std::vector<float>* times;

  Variable<float> operator()(Graph<float>& graph, const Variable<float>& input, const float* given) const {
    times->assign(given, given + input.shape.batch);
    const auto out = graph.make(input.shape.with_channels(fields));
    const auto channels = static_cast<std::size_t>(input.shape.channels), outputs = static_cast<std::size_t>(fields);
    for (std::size_t i = 0; i < out.shape.size(); ++i) out.data[i] = input.data[i / outputs * channels + outputs + i % outputs];
    return out;
  }
};

template <class Network>
struct Setting {
  train::Samples samples;
  cpu::Device device{{.threads = 1}};
  Parameters<float> parameters;
  Network network;
  sampler::SingleStep<Network> evaluator;

  template <class Make>
  Setting(BackgroundKind background, const Make& make)
      : samples(normalised_waves(), {}, baseline::ClassicalBackground(background, {})),
        network(make(train::input_layout(samples), parameters)),
        evaluator(device, samples, train::input_layout(samples), network, parameters, {2.0f}) {}
};

std::size_t window_size(const train::Samples& samples) { return samples.fields().frame_size() * 3; }

}  // namespace

TEST_CASE("the network sees random contexts of the state, at the state's time, with the background kept") {
  std::vector<float> times;
  Setting<Echo> s(BackgroundKind::climatology, [&](const auto&, auto&) { return Echo{3, &times}; });
  const std::size_t size = window_size(s.samples);
  const sampler::Members members{.seed = 4, .first = 7, .count = 2};
  std::vector<float> background(size, 0.25f), state, estimate(2 * size), again(2 * size), other(2 * size);
  for (std::size_t i = 0; i < 2 * size; ++i) state.push_back(0.5f + 0.001f * static_cast<float>(i));
  const mask::Pixels policy;
  sampler::NetworkExpectation expectation(s.evaluator, policy, 1, background, members, 1);
  expectation({0.4, 9}, state, estimate);
  CHECK(times == std::vector<float>{0.4f, 0.4f});
  std::size_t seen = 0, beyond = 0;
  const auto& observed = s.samples.windows()[1].masks.observed;
  for (std::size_t i = 0; i < 2 * size; ++i) {
    if (estimate[i] == 0) continue;
    ++seen;
    beyond += observed[i % size] == 0;
    CHECK(static_cast<double>(estimate[i]) == Approx(static_cast<double>(state[i])).epsilon(1e-5));
  }
  // Half of the pixels are observed in a donor's mask and 0.7 of them are in the context; half of these are not in this mask.
  CHECK(static_cast<double>(seen) / static_cast<double>(2 * size) == Approx(0.35).margin(0.06));
  CHECK(beyond > seen / 3);
  expectation({0.4, 9}, state, again);
  CHECK(again == estimate);
  expectation({0.4, 10}, state, other);
  CHECK(other != estimate);

  // Alone the second member gets what it got beside the first; the mean over masks reaches more cells.
  sampler::NetworkExpectation second(s.evaluator, policy, 1, background, {.seed = 4, .first = 8}, 1);
  std::vector<float> alone(size);
  second({0.4, 9}, std::span<const float>(state).subspan(size), alone);
  CHECK(alone == std::vector<float>(estimate.begin() + static_cast<std::ptrdiff_t>(size), estimate.end()));
  sampler::NetworkExpectation many(s.evaluator, policy, 1, background, members, 8);
  many({0.4, 9}, state, other);
  CHECK(std::count(other.begin(), other.end(), 0.0f) < std::count(estimate.begin(), estimate.end(), 0.0f) / 4);
}

TEST_CASE("random contexts are never empty: a network has learned nothing of those") {
  std::vector<float> times;
  Setting<Echo> s(BackgroundKind::climatology, [&](const auto&, auto&) { return Echo{3, &times}; });
  const std::size_t size = window_size(s.samples), members = 24;
  const std::vector<float> background(size, 0.25f), state(members * size, 0.5f);
  std::vector<float> estimate(members * size);
  const mask::Pixels few{.ratio = 0.01f};  // half of the contexts that it draws of a mask are empty
  sampler::NetworkExpectation expectation(s.evaluator, few, 1, background, {.seed = 4, .count = members}, 1);
  expectation({0.4, 0}, state, estimate);
  for (std::size_t m = 0; m < members; ++m) {
    const auto first = estimate.begin() + static_cast<std::ptrdiff_t>(m * size);
    CHECK(std::any_of(first, first + static_cast<std::ptrdiff_t>(size), [](float x) { return x != 0; }));
  }
}

TEST_CASE("windows with the same observations do not share their noise") {
  std::vector<float> times;
  Setting<Echo> s(BackgroundKind::none, [&](const auto&, auto&) { return Echo{3, &times}; });
  sampler::MultiStep draw(s.evaluator, mask::Pixels{},
                          sampler::Diffusion(VariancePreserving{}, sampler::FirstOrder{}, {1.0, 0.5}),
                          {.seed = 3, .contexts = 0});
  const auto first = draw(0, 0, 1), second = draw(1, 0, 1);
  const auto &here = s.samples.windows()[0].masks.observed, &there = s.samples.windows()[1].masks.observed;
  std::size_t gaps = 0, same = 0;
  for (std::size_t i = 0; i < first.size(); ++i) {
    if (here[i] != 0 || there[i] != 0) continue;
    ++gaps;
    same += first[i] == second[i] ? 1 : 0;
  }
  CHECK(gaps > 50);
  CHECK(same < gaps / 2);  // a network that answers 0 outside of its context leaves noise times one number there
}

TEST_CASE("a trained network draws posterior samples that keep the observations and spread where nothing is known") {
  Setting<nn::UNet> s(BackgroundKind::none, [](const train::InputLayout& layout, Parameters<float>& parameters) {
    return nn::UNet({.inputs = layout.channels(), .outputs = layout.fields(), .hidden = 4, .multipliers = {1, 2}}, parameters, 1);
  });
  const auto policy = mask::Pixels::random_ratio();
  train::Trainer<nn::UNet, mask::Pixels> trainer(s.device, s.samples, s.network, s.parameters, policy, {1.0f},
                                                 {.batch = 4, .seed = 1, .optimizer = {}});
  for (int step = 0; step < 160; ++step) trainer.step(3e-3);
  sampler::SingleStep<nn::UNet> evaluator(s.device, s.samples, trainer.layout(), s.network, s.parameters, {1.0f});
  const VariancePreserving vp;
  const auto path = sampler::time_grid(vp, {.steps = 16});
  sampler::MultiStep draw(evaluator, policy, sampler::Diffusion(vp, sampler::FirstOrder{}, path), {.seed = 3, .contexts = 5});

  constexpr std::size_t members = 6;
  const std::size_t size = window_size(s.samples);
  double error = 0, variance = 0, spread = 0, count = 0;
  for (const int window : {0, 4}) {
    const auto samples = draw(window, 0, members);
    REQUIRE(samples.size() == members * size);
    for (std::size_t i = 0; i < size; ++i) {
      const int t = s.samples.starts()[static_cast<std::size_t>(window)] + static_cast<int>(i / 144);
      const float seen = s.samples.fields().values[s.samples.fields().index(t, 0, 0, 0) + i % 144];
      const double truth = static_cast<double>(
          (waves::value(t, static_cast<int>(i % 144 / 12), static_cast<int>(i % 12), 0) - mean_of_waves) / deviation_of_waves);
      double sum = 0, squares = 0;
      for (std::size_t m = 0; m < members; ++m) {
        const float x = samples[m * size + i];
        if (!std::isnan(seen)) REQUIRE(x == seen);
        sum += static_cast<double>(x) / members;
        squares += static_cast<double>(x) * static_cast<double>(x) / members;
      }
      if (!std::isnan(seen)) continue;
      error += (sum - truth) * (sum - truth);
      variance += truth * truth;
      spread += squares - sum * sum;
      count += 1;
    }
  }
  CHECK(error < 0.35 * variance);
  CHECK(spread > 0.01 * count);
  CHECK(spread < variance);

  // A member is the same alone; another member is another sample.
  const auto both = draw(1, 0, 2), one = draw(1, 1, 1), third = draw(1, 2, 1);
  double apart = 0;
  for (std::size_t i = 0; i < size; ++i) apart = std::max(apart, std::abs(static_cast<double>(both[size + i] - one[i])));
  CHECK(apart < 2e-3);  // batches of another size sum in another order, through all steps
  CHECK(one != third);
  CHECK(draw(1, 0, 2) == both);

  // The published ending, a mean over contexts, loses part of the difference between members.
  sampler::MultiStep closing(evaluator, policy, sampler::Diffusion(vp, sampler::FirstOrder{}, path),
                             {.seed = 3, .contexts = 5, .closing_masks = 10});
  const auto closed = closing(1, 0, 2);
  double difference = 0, closed_difference = 0;
  for (std::size_t i = 0; i < size; ++i) {
    difference += std::pow(static_cast<double>(both[i] - both[size + i]), 2);
    closed_difference += std::pow(static_cast<double>(closed[i] - closed[size + i]), 2);
  }
  CHECK(closed_difference < difference);
}

TEST_CASE("multi-step settings outside their range are refused") {
  std::vector<float> times;
  Setting<Echo> s(BackgroundKind::none, [&](const auto&, auto&) { return Echo{3, &times}; });
  const sampler::Diffusion steps(VariancePreserving{}, sampler::FirstOrder{}, {1.0, 0.5});
  const mask::Pixels policy;
  const auto make = [&](const sampler::MultiStepSettings& settings) {
    return sampler::MultiStep(s.evaluator, policy, steps, settings);
  };
  CHECK_THROWS_AS(make({.contexts = -1}), OptionError);
  CHECK_THROWS_AS(make({.closing_masks = -1}), OptionError);
  auto no_masks = make({.random_masks = 0});
  CHECK_THROWS_AS(no_masks(0, 0, 1), OptionError);
  CHECK(make({.closing_masks = 2})(0, 0, 1).size() == window_size(s.samples));
  const std::vector<float> state(5), background(window_size(s.samples));
  sampler::Request request{.window = 0, .context = std::vector<std::uint8_t>(background.size(), 1), .state = state};
  CHECK_THROWS_AS(s.evaluator(std::span<const sampler::Request>(&request, 1), [](std::size_t, const auto&) {}), ShapeError);
}
