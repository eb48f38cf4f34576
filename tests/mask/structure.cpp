#include "lacuna/mask/structure.hpp"

#include <numeric>

#include "catch.hpp"
#include "mask/maker.hpp"

using namespace lacuna;
using namespace lacuna::mask;
using Kind = Structure::Kind;

namespace {
Structure structure_of(const Owned& o, int frames) {
  std::vector<int> starts;
  for (int t = 0; t + frames <= o.frames; t += frames) starts.push_back(t);
  const auto live = live_cells(o.view(), windows_of(o.view(), starts, frames));
  return detect(o.view(), windows_of(o.view(), starts, frames, live), live);
}
}  // namespace

TEST_CASE("Structure: pixel masks at all densities, shared or not") {
  for (const double density : {0.1, 0.2, 0.5, 0.8, 0.97})
    for (const int shared : {1, 3}) {
      const Structure s = structure_of(pixel_masks(30, 24, 30, 2, density, shared, 11), 3);
      INFO(describe(s));
      CHECK(s.kind == Kind::pixels);
      CHECK(std::find(s.live.begin(), s.live.end(), 0) == s.live.end());
      CHECK(s.density == Approx(density).margin(0.03));
      CHECK(s.shared_by_frames == (shared == 3));
      CHECK(s.shared_by_variables);
    }
}

TEST_CASE("Structure: pixel masks per variable") {
  const Owned a = pixel_masks(12, 20, 20, 1, 0.5, 3, 1), b = pixel_masks(12, 20, 20, 1, 0.5, 3, 2);
  Owned o{12, 20, 20, 2};
  for (int t = 0; t < 12; ++t)
    for (int i = 0; i < 400; ++i) {
      o.at(t, i / 20, i % 20, 0) = a.bytes[static_cast<std::size_t>(t * 400 + i)];
      o.at(t, i / 20, i % 20, 1) = b.bytes[static_cast<std::size_t>(t * 400 + i)];
    }
  const Structure s = structure_of(o, 3);
  CHECK(s.kind == Kind::pixels);
  CHECK(s.shared_by_frames);
  CHECK_FALSE(s.shared_by_variables);
}

TEST_CASE("Structure: blocks of any partition, with the remainder in the last block") {
  for (const auto& [rows, cols] : {std::pair{3, 3}, {2, 2}, {4, 5}, {2, 7}}) {
    const Structure s = structure_of(block_masks(60, 35, 37, 1, rows, cols, 2, 1, 5), 3);
    INFO(describe(s));
    CHECK(s.kind == Kind::blocks);
    CHECK(std::pair{s.rows, s.cols} == std::pair{rows, cols});
    CHECK(std::popcount(s.live_blocks) == rows * cols);
    CHECK(s.missing_blocks[2] == Approx(1));
    CHECK(std::accumulate(s.missing_blocks.begin(), s.missing_blocks.end(), 0.0) == Approx(1));
  }
}

TEST_CASE("Structure: clouds, and pixels that persist from frame to frame, are irregular") {
  CHECK(structure_of(cloud_masks(12, 30, 40, 1, 4, 4, 3), 3).kind == Kind::irregular);
  Owned o = pixel_masks(12, 20, 20, 1, 0.5, 3, 1);
  for (int t = 0; t < 12; ++t)
    for (int y = 0; y < 20; ++y)
      if (const auto x = (7 * t + 3 * y) % 20; true) o.at(t, y, x, 0) ^= 1;  // one cell a row changes
  const Structure s = structure_of(o, 3);
  CHECK(s.kind == Kind::irregular);
  CHECK(s.frame_correlation > 0.5);
  CHECK_FALSE(s.shared_by_frames);
}

TEST_CASE("Structure: land and lost planes do not disturb what the gaps are") {
  Owned o = block_masks(30, 18, 18, 2, 3, 3, 2, 3, 5);
  for (int t = 0; t < 30; ++t)
    for (int y = 0; y < 18; ++y)
      for (int x = 0; x < 18; ++x) {
        if (x + y < 9) o.at(t, y, x, 0) = 0;  // land in variable 0
        if (t == 4 || (t == 8 && x >= 0)) o.at(t, y, x, 1) = 0;
        if (t == 8) o.at(t, y, x, 0) = 0;
      }
  const Structure s = structure_of(o, 3);
  INFO(describe(s));
  CHECK(s.kind == Kind::blocks);
  CHECK(std::pair{s.rows, s.cols} == std::pair{3, 3});
  CHECK(s.lost_planes == 3);
  CHECK(s.lost_share == Approx(0.05));
  CHECK(s.lost_with_all == Approx(2.0 / 3));
  CHECK((s.shared_by_frames && s.shared_by_variables));
  CHECK_FALSE(is_live(s, 0, 0, 0));
  CHECK(is_live(s, 0, 0, 1));
}

TEST_CASE("Structure: everything observed, nothing observed, one gap") {
  Owned o{3, 5, 5, 1};
  CHECK(structure_of(o, 3).kind == Kind::complete);
  o.at(1, 2, 2, 0) = 0;
  CHECK(structure_of(o, 3).kind == Kind::pixels);
  o.draw(0, 3, std::string(25, '.'));
  const Structure s = structure_of(o, 3);
  CHECK(s.kind == Kind::complete);
  CHECK(s.lost_planes == 0);
  CHECK(describe(s) == "gaps: complete, 100 % observed, 25 static cells");
}
