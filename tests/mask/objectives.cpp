#include "lacuna/mask/objectives.hpp"

#include "catch.hpp"
#include "lacuna/mask/blocks.hpp"
#include "lacuna/mask/empirical.hpp"
#include "lacuna/mask/partition.hpp"
#include "lacuna/mask/pixels.hpp"
#include "mask/maker.hpp"

using namespace lacuna;
using namespace lacuna::mask;

namespace {

template <MaskPolicy Policy>
Partition parts(const Policy& policy, const Window& window, std::uint64_t sample) {
  Partition out;
  partition(policy, test_key, sample, window, {0, 0, window.masks.height, window.masks.width}, out);
  return out;
}

}  // namespace

TEST_CASE("MissDiff sees and scores all of M") {
  const Owned o = pixel_masks(1, 12, 12, 1, 0.5, 1, 1);
  const auto p = parts(MissDiff{}, window_of(o.view(), 0, 1), 3);
  CHECK(p.context == o.bytes);
  CHECK(p.query == o.bytes);
}

TEST_CASE("AmbientDiff keeps the policy's context and scores all of M") {
  const Owned pixels = pixel_masks(2, 12, 12, 1, 0.5, 1, 1), blocks = block_masks(2, 12, 12, 1, 3, 3, 2, 1, 1);
  const auto check = [](const auto& policy, const Window& window) {
    for (std::uint64_t sample = 0; sample < 5; ++sample) {
      const auto ours = parts(policy, window, sample),
                 ambient = parts(AmbientDiff<std::decay_t<decltype(policy)>>{policy}, window, sample);
      CHECK(ambient.context == ours.context);
      CHECK(ambient.query == std::vector<std::uint8_t>(window.masks.observed.begin(), window.masks.observed.end()));
      CHECK(ambient.context_count < ambient.query_count);
    }
  };
  check(Pixels{}, window_of(pixels.view(), 0, 1));
  check(Blocks{}, window_of(blocks.view(), 0, 1));
  const auto windows = windows_of(pixels.view(), std::vector<int>{0, 1}, 1);
  check(Empirical(windows), windows[0]);
}
