#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "lacuna/core/parallel.hpp"
#include "lacuna/core/philox.hpp"
#include "lacuna/mask/partition.hpp"
#include "lacuna/sampler/diffusion.hpp"
#include "lacuna/sampler/posterior.hpp"
#include "lacuna/sampler/single_step.hpp"

namespace lacuna::sampler {

/// @brief Eq. 26 by a network: E[x0 | x_t] as the mean over random contexts M_rnd of what it makes of M_rnd x_t.
///
/// M_rnd is a context of the mask of any window, drawn anew at each evaluation from (seed, evaluation, member): the marginal
/// distribution of contexts in training, not a subset of this window's mask; an empty one is drawn anew, as there. A network that
/// is shown the query sees one context at all evaluations, and as its query all of the state that is not static (Algorithm 3,
/// lines 1, 7 and 8). States hold members (F, H, W, V) one after another in units of the anomaly's deviation. Source: paper,
/// appendices D and E.
template <class Evaluator, mask::MaskPolicy Policy>
class NetworkExpectation {
 public:
  /// background (F, H, W, V): kept during sampling. All references must outlive it.
  NetworkExpectation(Evaluator& evaluator, const Policy& policy, int window, std::span<const float> background,
                     const Members& members, int masks)
      : evaluator_(evaluator), policy_(policy), window_(window), background_(background), members_(members), masks_(masks) {
    require<OptionError>(masks >= 1, "multi-step sampling: ", masks, " random masks a step, expected 1 or more");
  }

  void operator()(const Evaluation& at, std::span<const float> state, std::span<float> estimate) {
    const train::Samples& samples = evaluator_.samples();
    const std::size_t size = state.size() / members_.count, masks = static_cast<std::size_t>(masks_);
    const bool shows_query = evaluator_.layout().query;
    const PhiloxKey key = philox_key(mix_bits(members_.seed) + (shows_query ? 0 : at.number), Purpose::ensemble);
    requests_.resize(members_.count * masks);
    parallel_for(evaluator_.threads(), static_cast<int>(requests_.size()), [&](int part) {
      const auto r = static_cast<std::size_t>(part);
      Request& request = requests_[r];
      request.window = window_;
      request.time = at.time;
      request.state = state.subspan(r / masks * size, size);
      request.kept_background = background_;
      draw_context(key, members_.first * masks + r, request.context);
      if (!shows_query) return;
      request.query.resize(size);
      for (std::size_t i = 0; i < size; ++i) request.query[i] = samples.live()[i % samples.live().size()];
    });
    std::fill(estimate.begin(), estimate.end(), 0.0f);
    const auto& scale = evaluator_.scale();
    evaluator_(requests_, [&](std::size_t r, const Estimate& e) {
      float* to = estimate.data() + r / masks * size;
      for (std::size_t v = 0; v < scale.size(); ++v) {
        const float share = 1.0f / (scale[v] * static_cast<float>(masks_));
        for (std::size_t i = v; i < size; i += scale.size()) to[i] += e.anomaly[i] * share;
      }
    });
  }

 private:
  /// A context of any window. Empty ones are drawn anew, a bounded number of times as in training: the network knows nothing of
  /// them.
  void draw_context(const PhiloxKey& key, std::uint64_t number, std::vector<std::uint8_t>& context) const {
    constexpr std::uint64_t attempts = 8;
    const auto& samples = evaluator_.samples();
    for (std::uint64_t sample = number * attempts; sample < (number + 1) * attempts; ++sample) {
      const auto word = philox(key, sample, mask::sample_position(std::uint64_t{1} << 62))[0];
      const auto donor = static_cast<std::size_t>(uniform_below(word, static_cast<int>(samples.windows().size())));
      if (mask::sampling_context(policy_, key, sample, samples.windows()[donor], data::whole(samples.fields().grid), context) > 0)
        return;
    }
  }

  Evaluator& evaluator_;
  const Policy& policy_;
  int window_;
  std::span<const float> background_;
  Members members_;
  int masks_;
  std::vector<Request> requests_;
};

struct MultiStepSettings {
  std::uint64_t seed = 1;
  int contexts = 10;      ///< of the observations' mean mu_obs (K of eq. 27); 0: E[x0 | x_t] alone, without eq. 28
  int random_masks = 1;   ///< a step (K of eq. 26)
  int closing_masks = 0;  ///< end with the mean of so many estimates at t = delta (the paper's published code: 10)
  std::function<double(double)> weight = linear_weight;  ///< w(t) of eq. 28, if there are contexts
};

/// @brief Posterior samples of a window by Algorithm 4 with a trained network.
///
/// The background is computed once from the window's whole mask and kept; mu_obs is the mean over contexts of the single-step
/// estimate, relative to that background. A sample is a draw whose spread is the posterior's as far as eq. 28 holds, where
/// SingleStep's mean has none. With a kriging background the network has seen no anomalies at context cells in training (kriging
/// is exact there), so E[x0 | x_t] is out of its experience: use none or climatology.
/// A network that is shown the query (diffusion probabilistic fields) has no single-step mean: it takes contexts = 0.
/// closing_masks > 0 averages most of the spread away. Determinism: as SingleStep. Source: paper, appendix E.
template <class Evaluator, mask::MaskPolicy Policy, Sampler S>
class MultiStep {
 public:
  /// The evaluator (SingleStep) must outlive it.
  MultiStep(Evaluator& evaluator, const Policy& policy, const S& sampler, const MultiStepSettings& settings = {})
      : evaluator_(evaluator), policy_(policy), sampler_(sampler), settings_(settings) {
    require<OptionError>(settings.contexts >= 0, "multi-step sampling: ", settings.contexts, " contexts, expected 0 or more");
    require<OptionError>(settings.contexts == 0 || !evaluator.layout().query, "multi-step sampling: ", settings.contexts,
                         " contexts for a network that is shown the query, expected 0: it has no single-step mean");
    require<OptionError>(settings.closing_masks >= 0, "multi-step sampling: ", settings.closing_masks,
                         " closing masks, expected 0 or more");
  }

  /// @brief Samples first .. first + count - 1 of a window, (count, F, H, W, V) in normalised units; observed values are exact.
  std::vector<float> operator()(int window, std::uint64_t first, std::size_t count) {
    const auto own = static_cast<std::uint64_t>(window);  // windows do not share their noise
    const Members members{mix_bits(settings_.seed ^ mix_bits(own + 1)), first, count};
    prepare(window, members);
    std::vector<float> state(known_.size());
    NetworkExpectation expectation(evaluator_, policy_, window, background_, members, settings_.random_masks);
    const auto sample = [&](auto& denoiser) {
      sampler_(denoiser, Known<float>{known_, observed_}, members, std::span<float>(state));
    };
    if (settings_.contexts > 0) {
      Posterior<decltype(expectation)> posterior(expectation, mean_, settings_.weight);
      sample(posterior);
    } else {
      sample(expectation);
    }
    if (settings_.closing_masks > 0) close(window, members, state);
    const auto& scale = evaluator_.scale();
    for (std::size_t i = 0; i < state.size(); ++i)
      state[i] = observed_[i] != 0 ? values_[i % size()] : background_[i % size()] + scale[i % scale.size()] * state[i];
    return state;
  }

  /// Background (F, H, W, V) of the window that was sampled last.
  const std::vector<float>& background() const { return background_; }

 private:
  std::size_t size() const { return background_.size(); }

  /// Background and known anomalies of a window, repeated for every member, and the observations' mean.
  void prepare(int window, const Members& members) {
    const train::Samples& samples = evaluator_.samples();
    const auto patch = data::whole(samples.fields().grid);
    const mask::Window& masks = samples.windows()[static_cast<std::size_t>(window)];
    samples.cut(samples.fields().values, window, patch, values_);
    background_.resize(values_.size());
    baseline::AnyBackground::Workspace workspace;
    samples.background().evaluate(samples.background_request(window, masks.masks.observed.data()), background_.data(), workspace);
    const auto& scale = evaluator_.scale();
    known_.clear(), observed_.clear();
    for (std::size_t m = 0; m < members.count; ++m)
      for (std::size_t j = 0; j < values_.size(); ++j) {
        known_.push_back((values_[j] - background_[j]) / scale[j % scale.size()]);
        observed_.push_back(masks.masks.observed[j]);
      }
    if (settings_.contexts > 0) average(window, members);
  }

  /// mu_obs (eq. 27) as an anomaly from the background, repeated for every member.
  void average(int window, const Members& members) {
    const mask::Window& masks = evaluator_.samples().windows()[static_cast<std::size_t>(window)];
    const auto patch = data::whole(evaluator_.samples().fields().grid);
    std::vector<Request> requests;
    for (int k = 0; k < settings_.contexts; ++k) {
      const std::uint64_t member = static_cast<std::uint64_t>(k) << 32 | static_cast<std::uint64_t>(window);
      requests.push_back({.window = window, .member = member, .context = {}});
      mask::sampling_context(policy_, philox_key(settings_.seed, Purpose::ensemble), member, masks, patch,
                             requests.back().context);
    }
    const std::vector<float> weights(values_.size(), 1.0f);
    evaluator_.moments(requests, weights, moments_);
    const auto& scale = evaluator_.scale();
    mean_.clear();
    for (std::size_t m = 0; m < members.count; ++m)
      for (std::size_t j = 0; j < weights.size(); ++j)
        mean_.push_back((moments_.mean[j] - background_[j]) / scale[j % scale.size()]);
  }

  void close(int window, const Members& members, std::vector<float>& state) {
    NetworkExpectation closing(evaluator_, policy_, window, background_, members, settings_.closing_masks);
    std::vector<float> estimate(state.size());
    closing({schedule::smallest_time, ~std::uint64_t{0}}, state, estimate);
    state.swap(estimate);
  }

  Evaluator& evaluator_;
  Policy policy_;
  S sampler_;
  MultiStepSettings settings_;
  std::vector<float> values_, background_, known_, mean_;
  std::vector<std::uint8_t> observed_;
  Moments moments_;
};

}  // namespace lacuna::sampler
