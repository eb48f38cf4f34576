#include "lacuna/sampler/draw_contexts.hpp"

#include "catch.hpp"
#include "lacuna/mask/draw.hpp"
#include "lacuna/mask/pixels.hpp"

using namespace lacuna;

TEST_CASE("contexts come window by window, within what is observed, differ between members, and repeat") {
  constexpr std::size_t cells = 64;
  data::Fields f{.grid = {}, .names = {"u"}, .time = std::vector<double>(20), .time_units = "", .values = {}};
  f.grid.x = f.grid.y = std::vector<double>(8);
  f.values.assign(20 * cells, 1.0f);
  const auto observed = mask::draw_pixels(f.grid, 20, 0.5, 2);
  f = mask::with_gaps(f, observed);
  const train::Samples samples(f, {.length = 1}, {}, std::vector<std::uint8_t>(cells, 1));
  const auto draw = [&](std::uint64_t seed) { return sampler::draw_contexts(samples, mask::Pixels{.ratio = 0.7f}, 3, seed); };
  const auto requests = draw(1);
  REQUIRE(requests.size() == 60);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    CHECK(requests[i].window == static_cast<int>(i / 3));
    for (std::size_t j = 0; j < cells; ++j) REQUIRE(requests[i].context[j] <= observed[i / 3 * cells + j]);
  }
  CHECK(requests[0].context != requests[1].context);
  CHECK(requests[0].member != requests[1].member);
  CHECK(draw(1)[7].context == requests[7].context);
  CHECK(draw(2)[7].context != requests[7].context);
}
