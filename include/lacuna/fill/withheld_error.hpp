#pragma once

#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "lacuna/fill/calibration.hpp"
#include "lacuna/fill/learner.hpp"
#include "lacuna/fill/options.hpp"
#include "lacuna/fill/report.hpp"
#include "lacuna/fill/scoring.hpp"

namespace lacuna::fill {

/// @brief Observations kept aside, and the windows that they are scored in.
struct Scored {
  Withheld withheld;
  std::vector<baseline::ScoredWindow> windows;
};

/// @brief What the options want the spread to come from: contexts (`members` of them), or samples of the posterior. Refers to the
/// sampler.
template <class SamplerType>
Ensemble ensemble_of(SamplerType& sampler, const Policy& policy, const Options& o, int members) {
  if (o.samples > 0) return sample_ensemble(sampler, policy, o.seed, o.samples, o.sampling_steps);
  return context_ensemble(sampler, policy, o.seed, members);
}

/// @brief What the ensemble says about the withheld values, and the masks themselves where they may form the mean.
template <class SamplerType>
EnsembleValues evaluate_withheld(SamplerType& sampler, const train::Samples& samples, const Policy& policy, const Options& o,
                                 int members, const Scored& scored) {
  auto values =
      ensemble_values(ensemble_of(sampler, policy, o, members), samples, sampler.threads(), scored.withheld, scored.windows);
  if (o.contexts.may_be_self()) add_self(values, sampler, samples, scored.withheld, scored.windows);
  return values;
}

/// @brief The error on withheld values from one context a window, as it decides choices and the end of training: the mask itself
/// where that may form the mean, else the first of the contexts that do.
template <class SamplerType>
double quick_error(SamplerType& sampler, const train::Samples& samples, const Policy& contexts, const Options& o,
                   const Scored& scored) {
  return score_contexts(sampler, samples, scored.withheld, scored.windows,
                        [&](int w) {
                          return o.contexts.may_be_self() ? self_request(samples, w)
                                                          : member_request(samples, contexts, o.seed, w, 0);
                        })
      .nmse();
}

/// @brief Picks the contexts of the mean, the weight of the learned part, the spread and, where it is to be chosen, the number of
/// members on withheld observations, and reports what they reach on those that they were not fitted to.
template <class SamplerType>
Calibration calibrate(SamplerType& sampler, const train::Samples& samples, const Policy& policy, const Options& o,
                      const Scored& scored, Report& report) {
  constexpr int pilot = 10;
  const auto fit = [&](const EnsembleValues& v) {
    return fit_calibration(v.values, v.members, o.contexts.kind, gap_kinds(samples));
  };
  auto values = evaluate_withheld(sampler, samples, policy, o, o.members == 0 ? pilot : o.members, scored);
  Calibration c = fit(values);
  if (o.members == 0) {
    const auto needed = members_needed(values, c);
    std::printf("members: the mean asks for %.0f, the spread for %.0f; %d are taken\n", std::ceil(needed.mean),
                std::ceil(needed.spread), needed.count());
    if (needed.count() != pilot) {
      values = evaluate_withheld(sampler, samples, policy, o, needed.count(), scored);
      c = fit(values);
    }
  }
  report.members = c.members;
  report.members_chosen = o.members == 0;
  const std::string members =
      o.samples > 0 ? text(c.members, " samples of ", o.sampling_steps, " steps") : text(c.members, " contexts");
  report.contexts = c.self ? "the mask itself" : text("mean of ", members);
  report.ensemble = members;
  report.weights = c.weights;
  for (const auto& model : c.spread) {
    report.spread_factors.push_back(model.factor);
    report.spread_floors.push_back(model.floor);
  }
  report.trust = cross_validate(values, o.contexts.kind, gap_kinds(samples));
  report.fitted_nmse = c.nmse;
  report.scores.push_back({"lacuna", report.trust.spread.mse()});
  return c;
}

}  // namespace lacuna::fill
