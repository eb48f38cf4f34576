// Fills the gaps of fields in memory: moving waves of which three quarters of the pixels are missing.
// usage: quickstart [training steps]

#include <cstdio>
#include <cstdlib>
#include <lacuna/lacuna.hpp>

#include "common/waves.hpp"

int main(int argc, char** argv) {
  const auto fields = lacuna::common::gappy_waves(36, 24, 24, 0.25);
  lacuna::Settings settings;
  settings.training.budget.steps = argc > 1 ? std::atoll(argv[1]) : 200;
  settings.network.hidden = 8;
  settings.policy.choice = lacuna::PolicyChoice::pixels;
  const auto result = lacuna::impute(fields, settings);
  const double error = lacuna::common::error_on_waves(fields, result.filled);
  std::printf("error on the missing points: %.4f of the variance\n", error);
  return error < 0.5 ? 0 : 1;
}
