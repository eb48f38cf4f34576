#include "lacuna/mask/policy.hpp"

#include "catch.hpp"
#include "lacuna/mask/lost_planes.hpp"
#include "lacuna/mask/pixels.hpp"
#include "mask/maker.hpp"

using namespace lacuna;
using namespace lacuna::mask;

namespace {
struct NoQuery {
  struct Draw {
    bool in_context(Cell) const { return true; }
  };
  Draw draw(PhiloxKey, std::uint64_t, const Window&) const { return {}; }
};
struct OwnsMemory {
  struct Draw {
    std::vector<int> cells;
    bool in_context(Cell) const { return true; }
    bool in_query(Cell) const { return true; }
  };
  Draw draw(PhiloxKey, std::uint64_t, const Window&) const { return {}; }
};
}  // namespace

TEST_CASE("MaskPolicy: accepts policies and compositions, refuses incomplete ones") {
  STATIC_REQUIRE(MaskPolicy<Pixels>);
  STATIC_REQUIRE(MaskPolicy<LostPlanes<Pixels>>);
  STATIC_REQUIRE(MaskPolicy<LostPlanes<LostPlanes<Observed>>>);
  STATIC_REQUIRE_FALSE(MaskPolicy<NoQuery>);
  STATIC_REQUIRE(MaskPolicy<OwnsMemory>);
  STATIC_REQUIRE_FALSE(MaskPolicy<int>);
}

TEST_CASE("Windows share the bytes of the whole and keep their own groups") {
  const Owned o = pixel_masks(6, 3, 3, 1, 0.5, 3, 4);
  const std::vector<int> starts{0, 3, 2};
  const auto windows = windows_of(o.view(), starts, 3);
  REQUIRE(windows.size() == 3);
  CHECK(windows[0].groups.count == 1);
  CHECK(windows[2].groups.of == std::vector<int>{0, 1, 1});
  CHECK(windows[1].masks.observed.data() == o.bytes.data() + 27);
}

TEST_CASE("Counters of cells and of samples never meet") {
  CHECK(cell_position(0, 0, 1) != cell_position(0, 1, 0));
  CHECK(cell_position(1, 0, 0) != cell_position(0, 1, 0));
  CHECK(sample_position(0) > cell_position(32767, (1 << 24) - 1, (1 << 24) - 1));
}
