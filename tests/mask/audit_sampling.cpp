#include "lacuna/mask/audit_sampling.hpp"

#include "catch.hpp"
#include "mask/maker.hpp"

using namespace lacuna;
using namespace lacuna::mask;

TEST_CASE("Context distance: chessboard, around a periodic grid, none without context") {
  const std::vector<std::uint8_t> context{0, 0, 0, 0, 1,  //
                                          0, 0, 0, 0, 0,  //
                                          0, 0, 0, 0, 0};
  CHECK(context_distance(context, 3, 5, false) == std::vector<int>{4, 3, 2, 1, 0, 4, 3, 2, 1, 1, 4, 3, 2, 2, 2});
  CHECK(context_distance(context, 3, 5, true) == std::vector<int>{1, 2, 2, 1, 0, 1, 2, 2, 1, 1, 2, 2, 2, 2, 2});
  CHECK(context_distance(std::vector<std::uint8_t>(4, 0), 2, 2, false) == std::vector<int>(4, -1));
}

TEST_CASE("Context bins: single cells, rims and octaves of distance") {
  Structure s;
  s.kind = Structure::Kind::irregular;
  s.height = 1;
  s.width = 40;
  s.variables = 1;
  ContextBins bins(s, false);
  std::vector<std::uint8_t> context(40, 0);
  context[0] = context[2] = 1;
  bins.look_at(context);
  CHECK(bins.bin(0, 1) == 0);  // beyond the grid counts as context: eight neighbours
  CHECK(bins.bin(0, 3) == 0);
  CHECK(bins.bin(0, 4) == 3);
  CHECK(bins.bin(0, 5) == 4);
  CHECK(bins.bin(0, 6) == 4);
  CHECK(bins.bin(0, 7) == 5);
  CHECK(bins.bin(0, 10) == 5);
  CHECK(bins.bin(0, 11) == 6);
  CHECK(bins.bin(0, 18) == 6);
  CHECK(bins.bin(0, 19) == 7);
  CHECK(ContextBins::where(4) == "3 to 4 cells from the context");
}

TEST_CASE("Context bins: blocks that are wholly or partly absent") {
  Structure s;
  s.kind = Structure::Kind::blocks;
  s.rows = s.cols = 2;
  s.live_blocks = 15;
  s.height = s.width = 4;
  s.variables = 1;
  ContextBins bins(s, false);
  std::vector<std::uint8_t> context(16, 0);
  context[0] = context[15] = 1;
  bins.look_at(context);
  CHECK(bins.bin(0, 1) == 9);
  CHECK(bins.bin(0, 2) == 12);
  CHECK(ContextBins::where(12) == "whole blocks, 2 being absent");
}

TEST_CASE("Sampled exposure: context = query = M is never queried outside the context, and all counts are kept") {
  const Owned o = cloud_masks(6, 20, 20, 1, 2, 3, 4);
  const auto windows = windows_of(o.view(), std::vector<int>{0, 2, 4}, 2);
  const Structure s = detect(o.view(), windows);
  const Exposure e = sampled_exposure(Observed{}, s, windows, {.cells = 2e4});
  CHECK(e.mean == 0);
  double to_fill = 0;
  for (const auto& bin : e.bins) to_fill += bin.to_fill;
  CHECK(to_fill == Approx(1));
  CHECK(e.map.size() == 400);
}
