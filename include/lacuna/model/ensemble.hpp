#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

#include "lacuna/mask/partition.hpp"
#include "lacuna/sampler/diffusion.hpp"
#include "lacuna/sampler/ensemble.hpp"
#include "lacuna/sampler/multi_step.hpp"
#include "lacuna/sampler/single_step.hpp"
#include "lacuna/sampler/solvers.hpp"
#include "lacuna/sampler/time_path.hpp"
#include "lacuna/train/samples.hpp"

namespace lacuna::model {

/// @brief All observations of a window as its context.
inline std::vector<std::uint8_t> all_observations(const train::Samples& samples, int window) {
  const auto& observed = samples.windows()[static_cast<std::size_t>(window)].masks.observed;
  return {observed.begin(), observed.end()};
}

/// @brief The request with all observations as context.
inline sampler::Request request_with_all(const train::Samples& samples, int window) {
  return {window, static_cast<std::uint64_t>(window), all_observations(samples, window)};
}

/// @brief Member k's context of a window, by the policy.
template <mask::MaskPolicy Policy>
sampler::Request member_request(const train::Samples& samples, const Policy& policy, std::uint64_t seed, int window, int member) {
  const auto& w = samples.windows()[static_cast<std::size_t>(window)];
  sampler::Request request{window, (static_cast<std::uint64_t>(member + 1) << 32) | static_cast<std::uint64_t>(window), {}};
  mask::sampling_context(policy, philox_key(seed, Purpose::ensemble), request.member, w, data::whole(samples.fields().grid),
                         request.context);
  return request;
}

/// @brief The members of a window's ensemble: evaluate(window, visit) calls visit(k, estimate) for k = 0 .. count - 1, in order.
struct Ensemble {
  using Visit = std::function<void(std::size_t, const sampler::Estimate&)>;

  int count = 0;
  std::function<void(int window, const Visit&)> evaluate;
  /// Mean and deviation over the members of background + weight * anomaly, of what was not observed.
  std::function<void(int window, std::span<const float> weights, sampler::Moments&)> moments;
};

/// @brief Single-step estimates from contexts that a policy draws. Refers to the sampler and its samples.
template <class Sampler, mask::MaskPolicy Policy>
Ensemble context_ensemble(Sampler& sampler, const Policy& policy, std::uint64_t seed, int count) {
  const auto requests = [&sampler, policy, seed, count](int window) {
    std::vector<sampler::Request> members;
    for (int k = 0; k < count; ++k) members.push_back(member_request(sampler.samples(), policy, seed, window, k));
    return members;
  };
  return {count, [&sampler, requests](int window, const Ensemble::Visit& visit) { sampler(requests(window), visit); },
          [&sampler, requests](int window, std::span<const float> weights, sampler::Moments& out) {
            sampler.moments(requests(window), weights, out);
          }};
}

/// @brief Most samples of the posterior that are drawn at once: they bound the memory.
inline constexpr std::size_t samples_at_once = 32;

/// @brief Samples of the posterior in many steps (Algorithm 4), each as its background and what it adds. Refers to the sampler.
template <class Sampler, mask::MaskPolicy Policy, schedule::NoiseSchedule Schedule>
Ensemble sample_ensemble(Sampler& sampler, const Policy& policy, const Schedule& schedule, std::uint64_t seed, int count,
                         int steps) {
  const sampler::Diffusion path(schedule, sampler::FirstOrder{}, sampler::time_grid(schedule, {.steps = steps}));
  const auto draw = std::make_shared<sampler::MultiStep<Sampler, Policy, std::remove_const_t<decltype(path)>>>(
      sampler, policy, path, sampler::MultiStepSettings{.seed = seed});
  const auto evaluate = [draw, total = static_cast<std::size_t>(count)](int window, const Ensemble::Visit& visit) {
    for (std::size_t first = 0; first < total; first += samples_at_once) {
      const std::size_t some = std::min(samples_at_once, total - first);
      const auto states = (*draw)(window, first, some);
      sampler::Estimate one{draw->background(), {}};
      one.anomaly.resize(one.background.size());
      for (std::size_t k = 0; k < some; ++k) {
        for (std::size_t i = 0; i < one.anomaly.size(); ++i)
          one.anomaly[i] = states[k * one.anomaly.size() + i] - one.background[i];
        visit(first + k, one);
      }
    }
  };
  return {count, evaluate, [evaluate](int window, std::span<const float> weights, sampler::Moments& out) {
            sampler::RunningMoments running(weights.size());
            evaluate(window, [&](std::size_t, const sampler::Estimate& e) {
              running.add({e.background.data(), e.anomaly.data(), weights.data()});
            });
            out.mean = running.mean();
            out.deviation.resize(weights.size());
            for (std::size_t i = 0; i < weights.size(); ++i) out.deviation[i] = running.deviation(i);
          }};
}

}  // namespace lacuna::model
