#include "lacuna/baseline/climatology_fit.hpp"

#include <cmath>
#include <vector>

#include "baseline/maker.hpp"
#include "catch.hpp"

using namespace lacuna;

namespace {

/// What the fit chooses for value(t, y, x) + noise, of which a mask per window shows half; a sixth of that is kept aside.
template <class Value>
baseline::ClimatologySettings chosen(double noise, const Value& value) {
  constexpr int frames = 60, length = 3;
  data::Fields available;
  available.grid = test::plane(16, 18);
  available.names = {"a"};
  const int cells = available.grid.cells();
  const auto white = test::normals<double>(static_cast<std::size_t>(cells) * frames, 5);
  std::vector<float> truth;
  std::vector<std::uint8_t> withheld;
  for (int t = 0; t < frames; ++t) {
    available.time.push_back(t);
    const auto seed = static_cast<std::uint64_t>(t / length);
    const auto observed = test::random_mask(cells, 0.5, 100 + seed), aside = test::random_mask(cells, 1.0 / 6, 200 + seed);
    for (int i = 0; i < cells; ++i) {
      const auto c = static_cast<std::size_t>(i);
      truth.push_back(static_cast<float>(value(t, i / 18, i % 18) + noise * white[truth.size()]));
      withheld.push_back(observed[c] != 0 && aside[c] != 0);
      available.values.push_back(observed[c] != 0 && aside[c] == 0 ? truth.back() : data::not_observed);
    }
  }
  const validation::ValidationData evidence{available, truth, withheld, {}};
  const auto found = baseline::ClimatologyFit(evidence, {.threads = 2})();
  CHECK(baseline::ClimatologyFit(evidence, {.threads = 1})().width == found.width);
  return found;
}

const data::Grid grid = test::plane(16, 18);

}  // namespace

TEST_CASE("ClimatologyFit: a field that is rough and steady is averaged cell by cell, one that is smooth and noisy over cells") {
  const auto rough = test::normals<double>(16 * 18, 7);
  CHECK(chosen(0.1, [&](int, int y, int x) { return rough[static_cast<std::size_t>(y * 18 + x)]; }).width <= 0.5);
  CHECK(chosen(1.0, [](int, int y, int x) { return std::sin(0.2 * x + 0.15 * y); }).width >= 1.2);
}

TEST_CASE("ClimatologyFit: anomalies that last longer than a window are remembered") {
  const auto lasting = [](double period) {
    return chosen(0.1, [=](int t, int y, int x) {
      return std::sin(6.283185307179586 * t / period) * static_cast<double>(test::wave(grid, y, x, 0));
    });
  };
  CHECK(lasting(40).memory > 0);
  CHECK(lasting(40).memory <= 6);
}

TEST_CASE("ClimatologyFit: with nothing withheld the settings are the defaults") {
  data::Fields fields = test::drifting(grid, 6, 1, 0.5);
  const std::vector<std::uint8_t> none(fields.values.size(), 0);
  const auto found = baseline::ClimatologyFit({fields, fields.values, none, {}}, {})();
  const baseline::ClimatologySettings defaults;
  CHECK(found.width == defaults.width);
  CHECK(found.memory == defaults.memory);
}
