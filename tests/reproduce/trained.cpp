#include "reproduce/trained.hpp"

#include "../data/scratch.hpp"
#include "catch.hpp"
#include "lacuna/mask/draw.hpp"
#include "reproduce/tiny.hpp"

using namespace lacuna;
using namespace lacuna::experiment;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;

namespace {

/// Eight frames of a wave on 12 x 12 points, a fifth of it missing.
std::shared_ptr<const Dataset> gappy_waves() {
  data::Fields f{.grid = {}, .names = {"u"}, .time = std::vector<double>(8), .time_units = "", .values = {}};
  f.grid.x = f.grid.y = std::vector<double>(12);
  for (int i = 0; i < 8 * 144; ++i)
    f.values.push_back(std::sin(0.4f * static_cast<float>(i % 12) + 0.9f * static_cast<float>(i / 12)));
  f = mask::with_gaps(f, mask::draw_pixels(f.grid, 8, 0.8, 1));
  return std::make_shared<const Dataset>(f, data::WindowSettings{.length = 1}, baseline::AnyBackground{},
                                         std::vector<std::uint8_t>(144, 1));
}

struct Case {
  std::shared_ptr<cpu::Device> device = std::make_shared<cpu::Device>(cpu::Device::Settings{.threads = 1});
  SetSettings settings = tiny();
  Job job{.set = "advection", .gaps = "p80", .method = "ours"};
  std::shared_ptr<const Dataset> data = gappy_waves();
};

}  // namespace

TEST_CASE("training that was cut off goes on from its checkpoint and ends bit for bit where unbroken training ends") {
  Case c;
  const Scratch folder;
  const auto unbroken = Trained(c.device, c.data, c.job, c.settings, 1, folder / "unbroken").fill(c.data->samples());
  {
    struct Stops final : Observer {
      int left = 5;
      bool stops() override { return --left == 0; }
    } stops;
    Trained<>::ModelType model(c.data, model::NetworkFactory<cpu::Device>{Trained<>::network_of(c.job, c.settings)},
                               {policy_of(c.job), 0.0f}, Trained<>::model_settings(c.job, c.settings, 1), {}, {}, c.device);
    CHECK_THROWS_AS(model.train(Trained<>::budget(c.settings), stops, {.folder = folder / "cut"}), Stopped);
  }
  Trained resumed(c.device, c.data, c.job, c.settings, 1, folder / "cut");
  CHECK(resumed.fill(c.data->samples()) == unbroken);
}

TEST_CASE("a checkpoint that is damaged or another job's is an error, and stays as it is") {
  Case c;
  const Scratch folder;
  Trained(c.device, c.data, c.job, c.settings, 1, folder / "n");
  const std::string path = folder / "n/state.safetensors", before = content(path);
  Job other = c.job;
  other.method = "missdiff";
  CHECK_THROWS_AS(Trained(c.device, c.data, other, c.settings, 1, folder / "n"), DataError);
  CHECK(content(path) == before);
  put_content(path, "damaged");
  CHECK_THROWS_WITH(Trained(c.device, c.data, c.job, c.settings, 1, folder / "n"),
                    Contains("state.safetensors") && EndsWith("; to have it trained anew, remove " + (folder / "n")));
  CHECK(content(path) == "damaged");
}
