#include "lacuna/baseline/planes.hpp"

#include "baseline/maker.hpp"
#include "catch.hpp"
#include "lacuna/baseline/interpolation.hpp"

using namespace lacuna;

namespace {

/// Counts how often it is made.
struct Counting {
  static inline int made = 0;
  Counting(const data::Grid& grid, const std::uint8_t* known) : fill(grid, known) { ++made; }
  void operator()(const float* values, float* out) const { fill(values, out); }
  baseline::NearestFill fill;
};

}  // namespace

TEST_CASE("Planes: each is filled by itself; those with the same mask share what the fill prepares") {
  data::Fields fields = test::drifting(test::plane(6, 7), 7, 2, 0.5);
  for (int i = 0; i < 42; ++i) fields.values[fields.index(4, 0, 0, 1) + 2 * static_cast<std::size_t>(i)] = data::not_observed;
  Counting::made = 0;
  const auto filled = baseline::fill_in_runs(fields, 3, 1, baseline::fill_planes<Counting>);
  CHECK(Counting::made == 3);  // one mask a window, and a lost plane that needs none
  for (int t = 0; t < 7; ++t)
    for (int v = 0; v < 2; ++v) {
      std::vector<std::uint8_t> known;
      std::vector<float> plane, expected(42, 0.0f), mine;
      for (std::size_t i = 0; i < 42; ++i) {
        plane.push_back(fields.values[fields.index(t, 0, 0, v) + 2 * i]);
        known.push_back(std::isnan(plane.back()) ? 0 : 1);
        mine.push_back(filled[fields.index(t, 0, 0, v) + 2 * i]);
      }
      baseline::NearestFill(fields.grid, known.data())(plane.data(), expected.data());
      CHECK(mine == expected);
      if (t == 4 && v == 1) CHECK(mine == std::vector<float>(42, 0.0f));
    }
}

TEST_CASE("Planes: runs and threads do not matter") {
  const data::Fields fields = test::drifting(test::plane(6, 7), 7, 2, 0.5);
  const auto once = baseline::fill_in_runs(fields, 3, 1, baseline::fill_planes<baseline::LaplaceFill>);
  CHECK(baseline::fill_in_runs(fields, 3, 3, baseline::fill_planes<baseline::LaplaceFill>) == once);
  CHECK(baseline::fill_in_runs(fields, 1, 2, baseline::fill_planes<baseline::LaplaceFill>) == once);
}
