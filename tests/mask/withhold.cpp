#include "lacuna/mask/withhold.hpp"

#include <bit>
#include <cmath>
#include <numeric>

#include "catch.hpp"
#include "lacuna/mask/draw.hpp"
#include "mask/maker.hpp"

using namespace lacuna;
using namespace lacuna::mask;

namespace {

struct Withheld {
  Owned data;
  std::vector<int> starts;
  std::vector<Window> windows;
  Structure structure;
  std::vector<std::uint8_t> hidden;

  Withheld(Owned o, int frames, int stride, double fraction, std::uint64_t seed = 1) : data(std::move(o)) {
    for (int t = 0; t + frames <= data.frames; t += stride) starts.push_back(t);
    windows = windows_of(data.view(), starts, frames, live_cells(data.view(), windows_of(data.view(), starts, frames)));
    structure = detect(data.view(), windows);
    hidden = withhold(data.view(), windows, starts, fraction, structure, seed);
    for (std::size_t i = 0; i < hidden.size(); ++i) REQUIRE(hidden[i] <= data.bytes[i]);
  }
  double share() const {
    return std::accumulate(hidden.begin(), hidden.end(), 0.0) / std::accumulate(data.bytes.begin(), data.bytes.end(), 0.0);
  }
  bool at(int t, int y, int x, int v) const { return hidden[data.view().index(t, y, x, v)] != 0; }
};

}  // namespace

TEST_CASE("Withhold: pixels in the given share, alike where the mask is shared, also across overlapping windows") {
  for (const int stride : {3, 1}) {
    const Withheld w(pixel_masks(30, 20, 20, 2, 0.5, 3, 4), 3, stride, 0.2);
    CHECK(w.share() == Approx(0.2).margin(4 * std::sqrt(0.16 / 2000)));
    const std::size_t frame = w.data.view().frame_size();
    for (std::size_t i = 0; i < frame; ++i) {
      CHECK(w.hidden[i] == w.hidden[i + frame]);
      CHECK(w.hidden[i - i % 2] == w.hidden[i - i % 2 + 1]);
    }
    const Masks left{30, 20, 20, 2, false, {}};
    auto bytes = without(w.data.view(), w.hidden);
    Masks rest = left;
    rest.observed = bytes;
    CHECK(detect(rest, windows_of(rest, w.starts, 3)).kind == Structure::Kind::pixels);
  }
}

TEST_CASE("Withhold: whole blocks in about the share, never all of a mask's") {
  for (const int missing : {1, 4, 7}) {
    const Withheld w(block_masks(60, 18, 18, 1, 3, 3, missing, 3, 6), 3, 3, 0.1);
    INFO("missing " << missing << ", share " << w.share());
    CHECK(w.share() == Approx(0.1).margin(0.02));
    const auto p = BlockPartition::of(3, 3, 18, 18);
    for (int t = 0; t < 60; ++t) {
      BlockSet hidden = 0, shown = 0;
      for (int y = 0; y < 18; ++y)
        for (int x = 0; x < 18; ++x)
          if (w.data.view().at(t, y, x, 0)) (w.at(t, y, x, 0) ? hidden : shown) |= block_bit(p.block(y, x));
      CHECK((hidden & shown) == 0);
      CHECK(shown != 0);
    }
  }
}

TEST_CASE("Withhold: irregular gaps are transplanted, no frame twice") {
  for (const int stride : {1, 2}) {
    const Withheld w(cloud_masks(40, 30, 40, 1, 3, 4, 6), 2, stride, 0.05);
    REQUIRE(w.structure.kind == Structure::Kind::irregular);
    CHECK(w.share() == Approx(0.05).margin(0.025));
  }
}

TEST_CASE("Withhold: data with lost planes have planes withheld too, every window keeps something") {
  Owned o = pixel_masks(30, 10, 10, 2, 0.5, 3, 4);
  for (const int t : {4, 11, 20})
    for (int y = 0; y < 10; ++y)
      for (int x = 0; x < 10; ++x) o.at(t, y, x, 0) = 0;
  const Withheld w(o, 3, 3, 0.1);
  CHECK(w.structure.lost_planes == 3);
  int gone = 0;
  for (int t = 0; t < 30; ++t)
    for (int v = 0; v < 2; ++v) {
      int before = 0, after = 0;
      for (int i = 0; i < 100; ++i) {
        before += w.data.view().at(t, i / 10, i % 10, v);
        after += w.data.view().at(t, i / 10, i % 10, v) && !w.at(t, i / 10, i % 10, v);
      }
      gone += before > 0 && after == 0;
    }
  CHECK(gone == 1);
}

TEST_CASE("Withhold: complete data, a single cell, nothing, and nonsense") {
  const Withheld complete(Owned{4, 10, 10, 1}, 1, 1, 0.3);
  CHECK(complete.share() == Approx(0.3).margin(0.1));
  Owned o{2, 3, 3, 1};
  o.draw(0, 2, ".........");
  CHECK(Withheld(o, 1, 1, 0.5).hidden == o.bytes);
  o.at(0, 1, 1, 0) = 1;
  for (std::uint64_t seed = 0; seed < 10; ++seed) CHECK(Withheld(o, 1, 1, 0.9, seed).share() == 0);
  CHECK_THROWS_AS(Withheld(o, 1, 1, 0), OptionError);
  CHECK_THROWS_AS(Withheld(o, 1, 1, 1), OptionError);
}

TEST_CASE("Withhold: the same seed hides the same cells, another seed others") {
  const Withheld a(block_masks(30, 18, 18, 1, 3, 3, 2, 3, 6), 3, 3, 0.1, 5),
      b(block_masks(30, 18, 18, 1, 3, 3, 2, 3, 6), 3, 3, 0.1, 5), c(block_masks(30, 18, 18, 1, 3, 3, 2, 3, 6), 3, 3, 0.1, 6);
  CHECK(a.hidden == b.hidden);
  CHECK(a.hidden != c.hidden);
}

TEST_CASE("Withhold: gaps that were drawn with the same seed do not tell what is withheld") {
  constexpr int frames = 400, side = 9;
  const data::Grid grid = {.y = std::vector<double>(side), .x = std::vector<double>(side)};
  Owned o{frames, side, side, 1};
  o.bytes = draw_blocks(grid, frames, 3, 3, 1, 5);
  const Withheld w(o, 1, 1, 0.1, 5);
  const auto p = BlockPartition::of(3, 3, side, side);
  int found = 0, next = 0;
  for (int t = 0; t < frames; ++t) {
    BlockSet hidden = 0, missing = 0;
    for (int y = 0; y < side; ++y)
      for (int x = 0; x < side; ++x) {
        if (w.at(t, y, x, 0)) hidden |= block_bit(p.block(y, x));
        if (!w.data.view().at(t, y, x, 0)) missing |= block_bit(p.block(y, x));
      }
    if (hidden == 0) continue;
    ++found;
    next += std::abs(std::countr_zero(hidden) - std::countr_zero(missing)) == 1;
  }
  REQUIRE(found > 200);
  CHECK(next < 0.3 * found);  // 16 of 72 pairs of different blocks
}
