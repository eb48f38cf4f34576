#include "lacuna/model/pipeline.hpp"

#include "catch.hpp"
#include "support/probe.hpp"
#include "support/waves.hpp"

using namespace lacuna;

TEST_CASE("batch and crop follow grid and gaps, unless they are set") {
  data::Grid grid;
  grid.y.resize(200);
  grid.x.resize(300);
  mask::Structure pixels, blocks;
  pixels.kind = mask::Structure::Kind::pixels;
  blocks.kind = mask::Structure::Kind::blocks;
  const auto sizes = [&](const data::Grid& g, const mask::Structure& s, NetworkKind network, int batch, int crop) {
    model::choose_sizes(g, s, network, batch, crop);
    return std::pair(batch, crop);
  };
  CHECK(sizes(grid, pixels, NetworkKind::unet, 0, -1) == std::pair(16, 36));
  CHECK(sizes(grid, blocks, NetworkKind::unet, 0, -1) == std::pair(4, 96));
  CHECK(sizes(grid, pixels, NetworkKind::fno, 0, -1) == std::pair(4, 0));
  CHECK(sizes(grid, pixels, NetworkKind::unet, 7, 20) == std::pair(7, 20));
}

TEST_CASE("where a device's memory does not suffice, the error tells what would fit") {
  Settings s;
  s.training.budget.steps = 1;
  s.training.batch = 8;
  s.network.hidden = 16;
  s.policy.choice = PolicyChoice::pixels;
  const auto run = [&](std::size_t bytes) {
    const auto device = std::make_shared<cpu::Device>(cpu::Device::Settings{.threads = 1, .arena_bytes = bytes});
    model::impute_on(device, waves::make(9, 1, waves::Gaps::pixels), s, model::NetworkFactory<cpu::Device>{s.network});
  };
  CHECK_NOTHROW(run(std::size_t{1} << 28));
  CHECK_THROWS_WITH(run(std::size_t{1} << 21),
                    Catch::Matchers::Contains("; training.batch = ") && Catch::Matchers::Contains(" would fit"));
}

TEST_CASE("a network of one's own goes through all that impute() does") {
  struct Factory {
    using Network = nn::UNet;
    Network operator()(const train::NetworkShape& shape, Parameters<float>& parameters, std::uint64_t seed) const {
      return {{.inputs = shape.inputs(), .outputs = shape.outputs(), .hidden = 4, .multipliers = {1}}, parameters, seed};
    }
  };
  Settings s;
  s.training.budget.steps = 2;
  s.training.batch = 2;
  s.ensemble.members = 2;
  s.policy.choice = PolicyChoice::pixels;
  const auto device = std::make_shared<cpu::Device>(cpu::Device::Settings{.threads = 1});
  const auto result = model::impute_on(device, waves::make(9, 1, waves::Gaps::pixels), s, Factory{});
  CHECK(result.report.network == "own");
  CHECK(result.report.steps == 2);
  for (const float x : result.filled.values) REQUIRE(std::isfinite(x));
}
