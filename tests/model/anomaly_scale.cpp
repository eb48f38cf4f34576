#include "lacuna/model/anomaly_scale.hpp"

#include <cmath>

#include "catch.hpp"
#include "lacuna/mask/pixels.hpp"
#include "support/waves.hpp"

using namespace lacuna;

TEST_CASE("the anomaly's scale is its deviation, per variable") {
  auto f = waves::make(24, 2, waves::Gaps::pixels);
  for (std::size_t i = 0; i < f.values.size(); ++i) f.values[i] = (f.values[i] - 5.0f) * (i % 2 == 0 ? 1.0f : 3.0f);
  const train::Samples samples(f, {});
  const auto policy = mask::Pixels::random_ratio();
  const auto scale = model::anomaly_scale(samples, policy, 1, 2);
  REQUIRE(scale.size() == 2);
  CHECK(static_cast<double>(scale[0]) == Approx(std::sqrt(2.0)).epsilon(0.1));
  CHECK(static_cast<double>(scale[1]) == Approx(3.0 * std::sqrt(2.0)).epsilon(0.1));
  CHECK(scale == model::anomaly_scale(samples, policy, 1, 1));
}
