#include "lacuna/mask/adaptive_ratio.hpp"

#include <limits>

#include "catch.hpp"
#include "lacuna/mask/partition.hpp"
#include "lacuna/mask/pixels.hpp"
#include "mask/maker.hpp"

using namespace lacuna;
using namespace lacuna::mask;

TEST_CASE("Adaptive ratio: the paper's example, 80 % at ratio 0.5 used at 60 %") {
  const auto a = adapted_ratio({.density = 0.8, .ratio = 0.5}, 0.6);
  CHECK(a.ratio == Approx(2.0 / 3));
  CHECK(a.warning.empty());
  CHECK(adapted_ratio({.density = 0.8, .ratio = 0.5}, 0.8).ratio == 0.5);
  CHECK(adapted_ratio({.density = 0.8, .ratio = 0.5}, 1.0).ratio == Approx(0.4));
  CHECK(adapted_ratio({.density = 0.8, .ratio = 0.5}, 0.4).ratio == 1);
  CHECK(adapted_ratio({.density = 0.8, .ratio = 0.5}, 0.4).warning.empty());
}

TEST_CASE("Adaptive ratio: with too few observations all of them, and a warning that says so") {
  const auto a = adapted_ratio({.density = 0.8, .ratio = 0.5}, 0.2);
  CHECK(a.ratio == 1);
  CHECK(a.warning.find("0.4") != std::string::npos);
  CHECK(a.warning.find("0.2") != std::string::npos);
}

TEST_CASE("Adaptive ratio: contexts drawn with it have the size of training, whatever the density") {
  const TrainedRatio trained{.density = 0.8, .ratio = 0.5};
  for (const double observed : {0.45, 0.6, 0.9}) {
    const Owned o = pixel_masks(1, 64, 64, 1, observed, 1, 3);
    const Window window = window_of(o.view(), 0, 1);
    const Pixels policy{.ratio = static_cast<float>(adapted_ratio(trained, density(window)).ratio)};
    std::vector<std::uint8_t> context;
    const auto count = sampling_context(policy, test_key, 0, window, {0, 0, 64, 64}, context);
    CHECK(static_cast<double>(count) / (64 * 64) == Approx(0.4).margin(4 * std::sqrt(0.25 / (64 * 64))));
  }
}

TEST_CASE("Adaptive ratio: density of a window, and of what is not static in it") {
  Owned o{2, 2, 2, 1};
  o.draw(0, 1, "##..").draw(1, 1, "#...");
  const Window window = window_of(o.view(), 0, 2);
  CHECK(density(window) == Approx(3.0 / 8));
  const std::vector<std::uint8_t> live{1, 1, 0, 1}, none(4, 0), wrong(3, 1);
  CHECK(density(window, live) == Approx(3.0 / 6));
  CHECK(density(window, none) == 0);
  CHECK_THROWS_AS(density(window, wrong), ShapeError);
}

TEST_CASE("Adaptive ratio: shares outside (0, 1] are refused") {
  for (const double bad : {0.0, -0.1, 1.1, std::numeric_limits<double>::quiet_NaN()}) {
    CHECK_THROWS_AS(adapted_ratio({.density = bad}, 0.5), OptionError);
    CHECK_THROWS_AS(adapted_ratio({.ratio = bad}, 0.5), OptionError);
    CHECK_THROWS_AS(adapted_ratio({}, bad), OptionError);
  }
}
