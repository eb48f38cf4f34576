#include "lacuna/experiment/trained.hpp"

#include "../data/scratch.hpp"
#include "catch.hpp"
#include "experiment/tiny.hpp"
#include "lacuna/mask/draw.hpp"

using namespace lacuna;
using namespace lacuna::experiment;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;

namespace {

/// Eight frames of a wave on 12 x 12 points, a fifth of it missing.
train::Samples gappy_waves() {
  data::Fields f{.grid = {}, .names = {"u"}, .time = std::vector<double>(8), .time_units = "", .values = {}};
  f.grid.x = f.grid.y = std::vector<double>(12);
  for (int i = 0; i < 8 * 144; ++i)
    f.values.push_back(std::sin(0.4f * static_cast<float>(i % 12) + 0.9f * static_cast<float>(i / 12)));
  f = mask::with_gaps(f, mask::draw_pixels(f.grid, 8, 0.8, 1));
  return {f, {.length = 1}, {}, std::vector<std::uint8_t>(144, 1)};
}

struct Case {
  cpu::Device device{{.threads = 1}};
  SetSettings settings = tiny();
  Job job{.set = "advection", .gaps = "p80", .method = "ours"};
  train::Samples samples = gappy_waves();
};

}  // namespace

TEST_CASE("training that was cut off goes on from its checkpoint and ends bit for bit where unbroken training ends") {
  Case c;
  const Scratch folder;
  const auto unbroken = Trained(c.device, c.samples, c.job, c.settings, 1, folder / "unbroken").fill(c.samples);
  {
    fill::Learner learner(c.device, c.samples, {policy_of(c.job), 0.0f}, Trained<>::learner_settings(c.job, c.settings, 1));
    const train::LearningRate rate{.peak = c.settings.learning_rate};
    for (int step = 0; step < 5; ++step) learner.trainer().step(rate(step / 12.0));
    const fill::Checkpoint checkpoint(folder / "cut", Trained<>::fingerprint(c.job, c.settings));
    checkpoint.save(learner.parameters(), learner.trainer().state(), {.training = {.seconds = 100}, .threads = 1});
  }
  Trained resumed(c.device, c.samples, c.job, c.settings, 1, folder / "cut");
  CHECK(resumed.seconds() > 100);
  CHECK(resumed.fill(c.samples) == unbroken);
}

TEST_CASE("a checkpoint that is damaged or another job's is an error, and stays as it is") {
  Case c;
  const Scratch folder;
  Trained(c.device, c.samples, c.job, c.settings, 1, folder / "n");
  const std::string path = folder / "n/state.safetensors", before = content(path);
  Job other = c.job;
  other.method = "missdiff";
  CHECK_THROWS_AS(Trained(c.device, c.samples, other, c.settings, 1, folder / "n"), DataError);
  CHECK(content(path) == before);
  put_content(path, "damaged");
  CHECK_THROWS_WITH(Trained(c.device, c.samples, c.job, c.settings, 1, folder / "n"),
                    Contains("state.safetensors") && EndsWith("; to have it trained anew, remove " + (folder / "n")));
  CHECK(content(path) == "damaged");
}
