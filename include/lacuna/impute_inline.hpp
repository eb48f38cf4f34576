#pragma once

// The definition of impute(), for programs that do not link lacuna::compiled.

#include "lacuna/impute.hpp"
#include "lacuna/model/impute_with.hpp"
#include "lacuna/model/network.hpp"

namespace lacuna {
inline namespace LACUNA_CONFIGURATION {

LACUNA_DEFINITION Result impute(const data::Fields& fields, const Settings& settings, Observer& observer) {
  return impute_with(model::NetworkFactory<cpu::Device>{settings.network}, fields, settings, observer);
}

}  // namespace LACUNA_CONFIGURATION
}  // namespace lacuna
