#pragma once

#include <vector>

#include "lacuna/baseline/background.hpp"
#include "lacuna/core/configuration.hpp"
#include "lacuna/model/report.hpp"
#include "lacuna/observer.hpp"
#include "lacuna/settings.hpp"
#include "lacuna/validation/holdout_split.hpp"

namespace lacuna::model {
inline namespace LACUNA_CONFIGURATION {

/// @brief Fits and scores the classical fills for the report and takes the background that the settings name, or the best one
/// (for posterior samples the better one of climatology and none, see sampler::MultiStep). Not yet fitted to fields.
baseline::AnyBackground choose_background(const Settings& settings, const validation::HoldoutSplit& split,
                                          const std::vector<validation::ScoredWindow>& windows, int threads, Report& report,
                                          Observer& observer);

}  // namespace LACUNA_CONFIGURATION
}  // namespace lacuna::model

#ifndef LACUNA_COMPILED
#include "lacuna/model/background_choice_inline.hpp"
#endif
