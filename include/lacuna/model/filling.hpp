#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/data/field.hpp"
#include "lacuna/data/normalisation.hpp"
#include "lacuna/model/calibration.hpp"
#include "lacuna/model/ensemble.hpp"
#include "lacuna/model/ensemble_values.hpp"
#include "lacuna/observer.hpp"
#include "lacuna/sampler/ensemble_pass.hpp"

namespace lacuna::model {

/// @brief Filled fields in the variables' units.
struct Filled {
  data::Fields fields;                 ///< observed values exactly as they came; NaN where never observed (unless asked for)
  std::vector<float> spread;           ///< (T,H,W,V) one standard deviation; 0 where observed, NaN where not filled
  std::vector<std::uint8_t> observed;  ///< (T,H,W,V)
  std::size_t count = 0;               ///< values that were filled
};

/// @brief Sums of means and spreads over the windows that cover each value.
struct Overlap {
  explicit Overlap(std::size_t size) : mean(size, 0.0f), spread(size, 0.0f), count(size, 0) {}
  std::vector<float> mean, spread;
  std::vector<std::uint16_t> count;
};

/// @brief Buffers of impute_window, kept from window to window.
struct WindowMoments {
  std::vector<float> weights;   ///< of the learned part, per value of the window
  std::vector<float> expected;  ///< error that the background expects of itself
  baseline::AnyBackground::Workspace workspace;
  sampler::Moments moments;
};

/// @brief Imputes one window: the mean by the calibration's contexts, the spread always by the ensemble.
template <class SamplerType>
void impute_window(SamplerType& sampler, const train::Samples& samples, const Ensemble& ensemble, const Calibration& c,
                   int window, WindowMoments& buffers, Overlap& out) {
  const std::size_t frame = samples.fields().frame_size(), size = frame * static_cast<std::size_t>(samples.length());
  const std::size_t at = frame * static_cast<std::size_t>(samples.starts()[static_cast<std::size_t>(window)]);
  auto& weights = buffers.weights;  // no structured binding: Clang before 16 cannot capture it
  auto& expected = buffers.expected;
  auto& moments = buffers.moments;
  expect_error(samples, window, sampler.threads(), buffers.workspace, expected);
  weights.resize(size);
  for (std::size_t j = 0; j < size; ++j) weights[j] = static_cast<float>(c.weights[gap_kind(samples, window, j)]);
  ensemble.moments(window, weights, moments);
  const std::vector<sampler::Request> with_all{request_with_all(samples, window)};
  if (c.all)
    sampler(with_all, [&](std::size_t, const sampler::Estimate& e) {
      for (std::size_t j = 0; j < size; ++j) out.mean[at + j] += e.background[j] + weights[j] * e.anomaly[j];
    });
  for (std::size_t j = 0; j < size; ++j) {
    if (!c.all) out.mean[at + j] += moments.mean[j];
    out.spread[at + j] += static_cast<float>(c.spread[gap_kind(samples, window, j)].spread(
        static_cast<double>(moments.deviation[j]), static_cast<double>(expected[j])));
    ++out.count[at + j];
  }
}

/// @brief Imputes every window.
template <class SamplerType>
Overlap impute_windows(SamplerType& sampler, const Ensemble& ensemble, const Calibration& calibration, Observer& observer) {
  const train::Samples& samples = sampler.samples();
  Overlap sums(samples.fields().values.size());
  WindowMoments buffers;
  const int windows = static_cast<int>(samples.windows().size());
  for (int w = 0; w < windows; ++w) {
    impute_window(sampler, samples, ensemble, calibration, w, buffers, sums);
    observer.progresses({.stage = Stage::filling, .done = static_cast<double>(w + 1) / windows});
  }
  return sums;
}

/// @brief Averages overlaps, restores units, and puts the observed values back exactly. Filled are the live cells (H,W,V) and
/// those observed in any frame of the input, learned from or not; with fill_static all.
inline Filled merge(const data::Fields& input, const data::Normalisation& normalisation, std::vector<std::uint8_t> live,
                    const Overlap& sums, bool fill_static) {
  const auto variables = input.names.size();
  Filled result{.fields = input,
                .spread = std::vector<float>(input.values.size(), data::not_observed),
                .observed = std::vector<std::uint8_t>(input.values.size(), 0)};
  for (std::size_t i = 0; i < input.values.size(); ++i)
    if (!std::isnan(input.values[i])) live[i % live.size()] = 1;
  for (std::size_t i = 0; i < input.values.size(); ++i) {
    const std::size_t v = i % variables;
    if (!std::isnan(input.values[i])) {
      result.observed[i] = 1;
      result.spread[i] = 0.0f;
      continue;
    }
    if (!fill_static && live[i % live.size()] == 0) continue;
    const double count = sums.count[i];
    result.fields.values[i] =
        static_cast<float>(static_cast<double>(sums.mean[i]) / count * normalisation.deviation[v] + normalisation.mean[v]);
    result.spread[i] = static_cast<float>(static_cast<double>(sums.spread[i]) / count * normalisation.deviation[v]);
    require(std::isfinite(result.fields.values[i]), "the value imputed for ", input.names[v], " in frame ",
            i / input.frame_size(), " is not finite");
    ++result.count;
  }
  return result;
}

}  // namespace lacuna::model
