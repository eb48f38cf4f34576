#include "lacuna/mask/static_cells.hpp"

#include <algorithm>
#include <numeric>

#include "catch.hpp"
#include "mask/maker.hpp"

using namespace lacuna;
using namespace lacuna::mask;

namespace {
std::vector<std::uint8_t> live_of(const Owned& o, int frames) {
  std::vector<int> starts;
  for (int t = 0; t + frames <= o.frames; t += frames) starts.push_back(t);
  return live_cells(o.view(), windows_of(o.view(), starts, frames));
}
int still(const std::vector<std::uint8_t>& live) { return static_cast<int>(std::count(live.begin(), live.end(), 0)); }
}  // namespace

TEST_CASE("Static cells: land is static where masks are many") {
  Owned o = pixel_masks(60, 12, 12, 1, 0.5, 1, 2);
  for (int t = 0; t < 60; ++t) o.at(t, 3, 4, 0) = o.at(t, 8, 8, 0) = 0;
  const auto live = live_of(o, 3);
  CHECK(still(live) == 2);
  CHECK(live[3 * 12 + 4] == 0);
}

TEST_CASE("Static cells: sparse masks leave cells unobserved by chance, which does not make them land") {
  const Owned o = pixel_masks(42, 33, 36, 1, 0.1, 3, 2);
  CHECK(still(ever_observed(o.view())) > 150);
  CHECK(still(live_of(o, 3)) == 0);
}

TEST_CASE("Static cells: land is found among cells unobserved by chance") {
  Owned o = pixel_masks(42, 33, 36, 2, 0.1, 3, 2);
  for (int t = 0; t < 42; ++t)
    for (int y = 0; y < 33; ++y)
      for (int x = 0; x < 36; ++x)
        if (x + y < 20) o.at(t, y, x, 0) = 0;  // in variable 0 only
  const auto live = live_of(o, 3);
  int wrong = 0;
  for (int y = 0; y < 33; ++y)
    for (int x = 0; x < 36; ++x) {
      CHECK(live[static_cast<std::size_t>((y * 36 + x) * 2 + 1)] == 1);
      if (x + y < 20) CHECK(live[static_cast<std::size_t>((y * 36 + x) * 2)] == 0);
      if (x + y >= 20) wrong += live[static_cast<std::size_t>((y * 36 + x) * 2)] == 0;
    }
  CHECK(wrong < 20);  // cells at the coast that by chance were not observed
}

TEST_CASE("Static cells: a block that few masks all miss is not land; without windows what is never observed is static") {
  Owned o = block_masks(3, 9, 9, 1, 3, 3, 6, 1, 7);
  REQUIRE(still(ever_observed(o.view())) > 0);
  CHECK(still(live_of(o, 1)) == 0);
  CHECK(live_cells(o.view(), {}) == ever_observed(o.view()));
  o.draw(0, 3, std::string(81, '.'));
  CHECK(still(live_of(o, 1)) == 81);
}
