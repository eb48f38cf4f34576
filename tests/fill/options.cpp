#include "lacuna/fill/options.hpp"

#include <cmath>

#include "catch.hpp"

using namespace lacuna;
using namespace lacuna::fill;

TEST_CASE("defaults are valid, and so is every classical method of this build") {
  CHECK_NOTHROW(validate({}));
  for (const auto& method : classical_methods())
    if (has_opencv || (method != "telea" && method != "navier-stokes")) CHECK_NOTHROW(validate({.method = method}));
}

TEST_CASE("an unknown method is refused, with the ones there are") {
  CHECK_THROWS_WITH(validate({.method = "spline"}),
                    Catch::Matchers::Contains("--method spline") && Catch::Matchers::Contains("nearest"));
  for (const auto& method : classical_methods())
    CHECK_THROWS_WITH(validate({.method = "spline"}), Catch::Matchers::Contains(method));
}

TEST_CASE("what only training knows is refused with a classical method, not ignored") {
  for (const char* option : {"--steps", "--network", "--checkpoint", "--members", "--background", "--mask"})
    CHECK_THROWS_WITH(validate({.method = "nearest", .given = {"--output", "--seed", option}}),
                      Catch::Matchers::StartsWith(option) && Catch::Matchers::Contains("--method nearest"));
  CHECK_NOTHROW(validate({.method = "nearest", .given = {"--output", "--seed", "--withhold", "--picture"}}));
  CHECK_NOTHROW(validate({.given = {"--steps", "--network"}}));
}

TEST_CASE("without OpenCV its methods name the package that they need") {
  for (const char* method : {"telea", "navier-stokes"})
    if (!has_opencv) CHECK_THROWS_WITH(validate({.method = method}), Catch::Matchers::Contains("libopencv-photo-dev"));
}

TEST_CASE("options that would do nothing, and numbers that are none, are refused by name") {
  CHECK_THROWS_WITH(validate({.mask = "blocks", .ratio = 0.5}), Catch::Matchers::Contains("--ratio 0.5: has no meaning"));
  CHECK_THROWS_WITH(validate({.mask = "empirical", .ratio = 0.5}), Catch::Matchers::Contains("--mask empirical"));
  CHECK_NOTHROW(validate({.mask = "pixels", .ratio = 0.5}));
  CHECK_THROWS_WITH(validate({.ratio = 0.5}), Catch::Matchers::Contains("expected --mask pixels"));
  CHECK_THROWS_WITH(validate({.ratio = 1.0}), Catch::Matchers::Contains("--ratio 1: expected"));
  CHECK_THROWS_WITH(validate({.ratio = std::nan("")}), Catch::Matchers::Contains("--ratio nan"));
  CHECK_THROWS_WITH(validate({.learning_rate = INFINITY}), Catch::Matchers::Contains("--learning-rate inf: expected a positive"));
  CHECK_THROWS_WITH(validate({.minutes = INFINITY}), Catch::Matchers::Contains("--minutes inf"));
  CHECK_THROWS_WITH(validate({.given = {"--save-every"}}), Catch::Matchers::Contains("--save-every needs --checkpoint"));
  CHECK_NOTHROW(validate({.given = {"--save-every"}, .checkpoint = "state"}));
  CHECK_THROWS_WITH(validate({.given = {"--sampling-steps"}}), Catch::Matchers::Contains("--sampling-steps needs --samples"));
  CHECK_THROWS_WITH(validate({.given = {"--members"}, .samples = 8}), Catch::Matchers::Contains("--members: has no meaning"));
  CHECK_THROWS_WITH(validate({.members = 0, .samples = 8}), Catch::Matchers::Contains("--members: has no meaning"));
  CHECK_THROWS_WITH(validate({.contexts = {SamplingContexts::Kind::policy}, .samples = 8}),
                    Catch::Matchers::Contains("--contexts: with --samples"));
  CHECK_NOTHROW(validate({.given = {"--samples", "--sampling-steps"}, .samples = 8}));
}
