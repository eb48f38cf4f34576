// Fills the gaps of fields in memory: moving waves of which three quarters of the pixels are missing.
// usage: quickstart [training steps]

#include <cmath>
#include <cstdio>
#include <cstdlib>

#include <lacuna/core/philox.hpp>
#include <lacuna/impute.hpp>

namespace {

double wave(int t, int y, int x) { return std::sin(0.4 * x + 0.25 * y - 0.5 * t) + 0.5 * std::cos(0.3 * y + 0.2 * x + 0.3 * t); }

lacuna::data::Fields make_waves(int frames, int height, int width) {
  lacuna::data::Fields fields;
  for (int y = 0; y < height; ++y) fields.grid.y.push_back(y);
  for (int x = 0; x < width; ++x) fields.grid.x.push_back(x);
  fields.names = {"height"};
  const auto key = lacuna::philox_key(7, lacuna::Purpose::gaps);
  for (int t = 0; t < frames; ++t) {
    fields.time.push_back(t);
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x) {
        const auto cell = static_cast<std::uint64_t>(y * width + x);
        const bool observed = lacuna::uniform(lacuna::philox(key, static_cast<std::uint64_t>(t / 3), cell)[0]) < 0.25f;
        fields.values.push_back(observed ? static_cast<float>(wave(t, y, x)) : lacuna::data::not_observed);
      }
  }
  return fields;
}

}  // namespace

int main(int argc, char** argv) {
  const auto fields = make_waves(36, 24, 24);
  lacuna::Settings settings;
  settings.training.budget.steps = argc > 1 ? std::atoll(argv[1]) : 200;
  settings.network.hidden = 8;
  settings.policy.choice = lacuna::PolicyChoice::pixels;
  const auto result = lacuna::impute(fields, settings);

  double error = 0, variance = 0;
  for (int t = 0; t < fields.frames(); ++t)
    for (int y = 0; y < 24; ++y)
      for (int x = 0; x < 24; ++x)
        if (!fields.observed(t, y, x, 0)) {
          error += std::pow(static_cast<double>(result.filled.at(t, y, x, 0)) - wave(t, y, x), 2);
          variance += std::pow(wave(t, y, x), 2);
        }
  std::printf("error on the missing points: %.4f of the variance\n", error / variance);
  return error < 0.5 * variance ? 0 : 1;
}
