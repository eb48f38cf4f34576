#include "fill/options.hpp"

#include <cmath>

#include "catch.hpp"
#include "support/probe.hpp"

using namespace lacuna;
using namespace lacuna::fill;

TEST_CASE("defaults are valid, and so is every classical method of this build") {
  CHECK_NOTHROW(validate(Options{}));
  for (const auto& method : method_names())
    if (has_opencv || (method != "telea" && method != "navier-stokes")) CHECK_NOTHROW(validate({.method = method}));
}

TEST_CASE("an unknown method is refused, with the ones there are") {
  CHECK_THROWS_WITH(validate({.method = "spline"}),
                    Catch::Matchers::Contains("--method spline") && Catch::Matchers::Contains("nearest"));
  for (const auto& method : method_names()) CHECK_THROWS_WITH(validate({.method = "spline"}), Catch::Matchers::Contains(method));
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
  const auto message = [](const auto& change) {
    Options o;
    change(o, o.settings);
    return test::message_of<OptionError>([&] { validate(o); });
  };
  using Catch::Matchers::Contains;
  CHECK_THAT(message([](auto&, auto& s) {
               s.policy = {PolicyChoice::blocks, 0.5};
             }),
             Contains("--ratio 0.5: has no meaning but with --mask pixels"));
  CHECK_THAT(message([](auto&, auto& s) { s.policy = {PolicyChoice::pixels, 1.0}; }), Contains("--ratio 1: expected"));
  CHECK_THAT(message([](auto&, auto& s) { s.policy.ratio = std::nan(""); }), Contains("--ratio nan"));
  CHECK_THAT(message([](auto&, auto& s) { s.training.learning_rate = INFINITY; }),
             Contains("--learning-rate inf: expected a positive"));
  CHECK_THAT(message([](auto&, auto& s) { s.training.budget.minutes = INFINITY; }), Contains("--minutes inf"));
  CHECK_THAT(message([](auto& o, auto&) { o.given = {"--minutes"}; }), Contains("--minutes 0: expected more than 0"));
  CHECK_THAT(message([](auto& o, auto&) { o.given = {"--save-every"}; }), Contains("--save-every needs --checkpoint"));
  CHECK_THAT(message([](auto&, auto& s) { s.training.checkpoint.resume = true; }), Contains("--resume needs --checkpoint DIR"));
  CHECK_THAT(message([](auto& o, auto&) { o.given = {"--sampling-steps"}; }), Contains("--sampling-steps needs --samples"));
  CHECK_THAT(message([](auto& o, auto& s) { o.given = {"--members"}, s.ensemble.samples = 8; }),
             Contains("--members: has no meaning"));
  CHECK_THAT(message([](auto&, auto& s) { s.ensemble.members = 0, s.ensemble.samples = 8; }),
             Contains("--members: has no meaning with --samples 8"));
  CHECK_THAT(message([](auto&, auto& s) { s.ensemble.mean = MeanContexts::policy, s.ensemble.samples = 8; }),
             Contains("--contexts: with --samples"));
  CHECK_THAT(message([](auto&, auto& s) { s.background = BackgroundChoice::kriging, s.ensemble.samples = 8; }),
             Contains("--background: with --samples expected"));
  CHECK_THAT(message([](auto&, auto& s) { s.holdout.share = 0.7; }), Contains("--withhold 0.7: expected"));
  CHECK_THAT(message([](auto&, auto& s) { s.network.hidden = 5; }), Contains("--hidden 5: expected an even width"));
  CHECK_THAT(message([](auto& o, auto&) { o.device = "gpu"; }), Contains("--device gpu: expected cpu, cuda or cuda:N"));
  CHECK_THAT(message([](auto&, auto& s) { s.network.precision = Precision::tf32; }), Contains("--precision tf32"));
  Options fine;
  fine.given = {"--samples", "--sampling-steps", "--save-every"};
  fine.settings.ensemble.samples = 8;
  fine.settings.training.checkpoint.folder = "state";
  fine.settings.policy = {PolicyChoice::pixels, 0.5};
  CHECK_NOTHROW(validate(fine));
}

TEST_CASE("words stand for settings, and an unknown one is told the known ones") {
  CHECK(choice_of("--network", "fno", networks()) == NetworkKind::fno);
  CHECK(test::message_of<OptionError>([] { choice_of("--network", "transformer", networks()); }) ==
        "--network transformer: expected unet, space-time-unet or fno");
  CHECK(words_of(policies()) == std::vector<std::string>{"auto", "pixels", "blocks", "empirical"});
}

TEST_CASE("the library's settings are told in the words of the command line") {
  CHECK(in_options("training.batch = 1 network.recompute (350 MB)") == "--batch 1 --recompute (350 MB)");
  CHECK(in_options("windows: 2 frames; expected window.length up to 2") == "windows: 2 frames; expected --window up to 2");
  CHECK(in_options("nothing of ours") == "nothing of ours");
}

TEST_CASE("sizes as people write them") {
  CHECK(parse_memory("8GB") == 8000000000u);
  CHECK(parse_memory("1.5 GiB") == 1610612736u);
  CHECK(parse_memory("512MB") == 512000000u);
  CHECK(parse_memory("2MiB") == 2097152u);
  for (const char* bad : {"", "8", "GB", "8 TB", "-1GB", "0MB", "8GBs", "1e30GB", "nanGB"})
    CHECK(test::message_of<OptionError>([&] { parse_memory(bad); }) ==
          text("--memory ", bad, ": expected a number and MB, GB, MiB or GiB"));
}
