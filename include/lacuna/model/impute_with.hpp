#pragma once

#include "lacuna/model/pipeline.hpp"

namespace lacuna {

/// @brief impute() with the networks of one factory (model::UNetFactory, or a user's own): nothing else is compiled.
template <class Factory>
Result impute_with(const Factory& factory, const data::Fields& fields, const Settings& settings = {},
                   Observer& observer = silent()) {
  validate(settings);
  return model::impute_on(model::make_device<cpu::Device>(settings.threads), fields, settings, factory, observer);
}

}  // namespace lacuna
