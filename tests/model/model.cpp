#include "lacuna/model/model.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "../data/scratch.hpp"
#include "catch.hpp"
#include "lacuna/mask/blocks.hpp"
#include "lacuna/model/network.hpp"
#include "lacuna/schedule/cosine.hpp"
#include "support/probe.hpp"
#include "support/waves.hpp"

using namespace lacuna;

namespace {

const model::UNetFactory small_unet{{.hidden = 4}};

data::Fields waves_of(int frames, int variables = 1) { return waves::make(frames, variables, waves::Gaps::pixels); }

ModelSettings quick() { return {.batch = 2, .threads = 2, .local = true, .scale = {}, .ensemble = {.members = 3}, .marks = {}}; }

/// A network that answers with so many channels more than it should.
struct Broad {
  int channels = 0;
  Variable<float> operator()(Graph<float>& g, const Variable<float>& input, const float*) const {
    return g.make(input.shape.with_channels(channels));
  }
};

std::string value_of(const model::Fingerprint& marks, const std::string& name) {
  for (const auto& mark : marks)
    if (mark.name == name) return mark.value;
  return "absent";
}

}  // namespace

TEST_CASE("Model: own parts are deduced; it trains, is calibrated, and fills every gap in the data's units") {
  const auto fields = waves_of(12, 2);
  Model model(make_dataset(fields), small_unet, mask::Pixels::random_ratio(), quick(), schedule::Cosine{});
  static_assert(std::is_same_v<decltype(model), Model<nn::UNet, mask::Pixels, schedule::Cosine>>);
  CHECK(model.audit().verdict == mask::Verdict::uniform);
  CHECK_THROWS_WITH(model.fill(fields), "Model: not calibrated; call calibrate() first");
  model.train({.steps = 5});
  CHECK(model.steps_done() == 5);
  CHECK(model.calibrate().members == 3);
  CHECK(model.spread_calibration().spread.count() > 20);
  const auto filled = model.fill(fields);
  std::size_t gaps = 0;
  for (std::size_t i = 0; i < fields.values.size(); ++i) {
    const bool seen = !std::isnan(fields.values[i]);
    gaps += seen ? 0 : 1;
    CHECK(std::isfinite(filled.fields.values[i]));
    CHECK(filled.observed[i] == (seen ? 1 : 0));
    if (seen) CHECK((filled.fields.values[i] == fields.values[i] && filled.spread[i] == 0));
    if (!seen) CHECK(filled.spread[i] > 0);
  }
  CHECK(filled.count == gaps);
}

TEST_CASE("Model: it fills fields that it was not trained on, and refuses those of another grid") {
  Model model(make_dataset(waves_of(12)), small_unet, mask::Pixels::random_ratio(), quick());
  model.train({.steps = 3});
  model.calibrate();
  const auto others = waves_of(30);
  for (const float x : model.fill(others).fields.values) REQUIRE(std::isfinite(x));
  auto narrow = waves_of(12);
  narrow.grid.x.pop_back();
  CHECK_THROWS_WITH(model.fill(narrow), Catch::Matchers::Contains("fields of 12 x 11 cells"));
  auto renamed = waves_of(12);
  renamed.names = {"other"};
  CHECK_THROWS_AS(model.fill(renamed), ShapeError);
}

TEST_CASE("Model: the same seed, threads and parts give the same bits, stopped and resumed or not") {
  const auto fields = waves_of(12);
  const Scratch folder;
  const auto train = [&](Observer& observer, const CheckpointSettings& checkpoint, std::int64_t steps) {
    Model model(make_dataset(fields), small_unet, mask::Pixels::random_ratio(), quick());
    model.train({.steps = steps}, observer, checkpoint);
    return model.trainer().state().average;
  };
  const auto unbroken = train(silent(), {}, 6);
  struct Stops final : Observer {
    int saves = 0, left = 3;
    bool stops() override { return --left == 0; }
    void saved(const std::filesystem::path&, bool) override { ++saves; }
  } stops;
  const CheckpointSettings kept{.folder = folder / "state", .save_every = 1000, .resume = true};
  CHECK_THROWS_AS(train(stops, kept, 6), Stopped);
  CHECK(stops.saves == 1);
  CHECK(train(silent(), kept, 6) == unbroken);
  CHECK_THROWS_WITH(train(silent(), kept, 7), Catch::Matchers::Contains("belongs to another run: steps is 6 there and 7 here"));
}

TEST_CASE("Model: what a checkpoint belongs to is told by settings first, then by what follows from the data") {
  const auto marks_of = [](const data::Fields& fields, ModelSettings settings) {
    const Model model(make_dataset(fields), small_unet, mask::Pixels::random_ratio(), std::move(settings));
    return model.fingerprint({.steps = 4});
  };
  auto settings = quick();
  settings.seed = 7;
  settings.marks = {{"colour", "blue"}};
  const auto fields = waves_of(12);
  const auto marks = marks_of(fields, settings);
  CHECK(value_of(marks, "seed") == "7");
  CHECK(value_of(marks, "steps") == "4");
  CHECK(value_of(marks, "held-out share") == "0.1");
  CHECK(value_of(marks, "colour") == "blue");
  const auto first_digest = std::find_if(marks.begin(), marks.end(), [](const auto& m) { return m.is_digest; });
  for (const char* name : {"version", "variables", "seed", "steps", "window", "held-out share", "batch", "colour"})
    CHECK(std::any_of(marks.begin(), first_digest, [&](const auto& m) { return m.name == name; }));
  auto changed = fields;
  for (float& x : changed.values)
    if (!std::isnan(x)) x += 1.0f + x * x;
  const auto other = marks_of(changed, settings);
  CHECK(value_of(other, "observed values") != value_of(marks, "observed values"));
  CHECK(value_of(other, "coordinates") == value_of(marks, "coordinates"));
}

TEST_CASE("Model: a policy that leaves gaps unexposed is refused before training, unless that is allowed") {
  const auto fields = waves::make(24, 1, waves::Gaps::blocks);
  Model refused(make_dataset(fields), small_unet, mask::Pixels::random_ratio(), quick());
  CHECK_THROWS_WITH(refused.train({.steps = 1}), Catch::Matchers::StartsWith("exposure audit: "));
  auto settings = quick();
  settings.allow_unexposed = true;
  Model allowed(make_dataset(fields), small_unet, mask::Pixels::random_ratio(), settings);
  CHECK_NOTHROW(allowed.train({.steps = 1}));
  Model blocks(make_dataset(fields), small_unet, mask::Blocks{}, quick());
  CHECK_NOTHROW(blocks.train({.steps = 1}));
}

TEST_CASE("Model: choices and the end of training are decided by the contexts that may form the mean") {
  const auto error = [](MeanContexts mean) {
    auto settings = quick();
    settings.ensemble.mean = mean;
    settings.ensemble.ratio = 0.05;
    Model model(make_dataset(waves_of(24)), small_unet, mask::Pixels::random_ratio(), settings);
    model.train({.steps = 60});
    return model.held_out_error();
  };
  const double all = error(MeanContexts::all);
  CHECK(error(MeanContexts::automatic) == all);
  CHECK(error(MeanContexts::policy) != all);
  CHECK(error(MeanContexts::ratio) > all);  // a twentieth of what there is
}

TEST_CASE("Model: the sampler sees the averaged weights") {
  Model model(make_dataset(waves_of(12)), small_unet, mask::Pixels::random_ratio(), quick());
  model.train({.steps = 3});
  auto state = model.trainer().state();
  CHECK(state.average != model.parameters().values());
  const auto estimate = [&] {
    auto sampler = model.sampler();
    std::vector<float> anomaly;
    sampler(std::vector{model::request_with_all(model.samples(), 0)},
            [&](std::size_t, const sampler::Estimate& e) { anomaly = e.anomaly; });
    return anomaly;
  };
  const auto first = estimate();
  state.average = model.parameters().values();
  model.trainer().restore(state);
  CHECK(first != estimate());
}

TEST_CASE("Model: a network whose answer has another shape is refused by both shapes, in training and in use") {
  const auto factory = [](const train::NetworkShape&, Parameters<float>& parameters, std::uint64_t) {
    parameters.add("unused", {1});
    return Broad{1};
  };
  Model model(make_dataset(waves_of(12)), factory, mask::Pixels::random_ratio(), quick());
  CHECK(test::message_of<ShapeError>([&] { model.train({.steps = 1}); }) ==
        "network: its answer to an input of (2, 1, 12, 12, 9) is of (2, 1, 12, 12, 1), expected (2, 1, 12, 12, 3)");
  CHECK_THROWS_WITH(model.calibrate(), Catch::Matchers::StartsWith("network: its answer"));
}

TEST_CASE("Model: a scale that is not a positive number for each variable is refused") {
  const auto message = [](std::vector<float> scale) {
    auto settings = quick();
    settings.scale = std::move(scale);
    const auto data = make_dataset(waves_of(12, 2));
    return test::message_of<Error>([&] { Model model(data, small_unet, mask::Pixels::random_ratio(), settings); });
  };
  CHECK(message({1.0f}) == "scale: 1 numbers, expected one for each of 2 variables");
  CHECK(message({1.0f, 0.0f}) == "scale: 0 for variable 1, expected a positive number");
  CHECK(message({1.0f, std::numeric_limits<float>::quiet_NaN()}) == "scale: nan for variable 1, expected a positive number");
}

TEST_CASE("Model: parameters of another network are refused") {
  const auto factory = [](const train::NetworkShape& shape, Parameters<float>&, std::uint64_t seed) {
    Parameters<float> others;
    return small_unet(shape, others, seed);
  };
  Model model(make_dataset(waves_of(12)), factory, mask::Pixels::random_ratio(), quick());
  CHECK_THROWS_WITH(model.train({.steps = 1}), Catch::Matchers::Contains("made with other parameters"));
}
