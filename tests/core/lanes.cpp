#include "lacuna/core/lanes.hpp"

#include <vector>

#include "catch.hpp"
#include "support/fill.hpp"

using namespace lacuna;

TEST_CASE("Lanes: a kernel gives the same on sixteen floats as on one at a time") {
  static_assert(simd::width<simd::Floats> == 16 && simd::width<float> == 1 && simd::width<double> == 1);
  const auto x = test::normals<float>(48, 1);
  for (const bool whole : {true, false}) {
    std::vector<float> y(48, -1.0f);
    float peak = 0, total = 0;
    int width = 0;
    simd::run_lanes<float>(whole, [&](auto lane) LACUNA_KERNEL {
      using Lane = decltype(lane);
      Lane best = simd::load_lane<Lane>(x.data()), sums{};
      for (int i = 0; i < 48; i += simd::width<Lane>) {
        const Lane v = simd::load_lane<Lane>(x.data() + i);
        best = simd::larger(v, best);
        sums += v;
        simd::store_lane<Lane>(y.data() + i, 2.0f * v);
      }
      peak = simd::largest(best);
      total = simd::sum(sums);
      width = simd::width<Lane>;
    });
    CHECK(width == (whole ? 16 : 1));
    CHECK(peak == *std::max_element(x.begin(), x.end()));
    float expected = 0;
    for (std::size_t i = 0; i < 48; ++i) {
      CHECK(y[i] == 2.0f * x[i]);
      expected += x[i];
    }
    CHECK(total == Approx(expected).epsilon(1e-5));
  }
}

TEST_CASE("Lanes: doubles go one at a time, NaN is not hidden by a comparison's left side") {
  int width = 0;
  simd::run_lanes<double>(true, [&](auto lane) LACUNA_KERNEL { width = simd::width<decltype(lane)>; });
  CHECK(width == 1);
  CHECK(simd::larger(test::nan<double>, 1.0) == 1.0);
  CHECK(simd::square_root(9.0f) == 3.0f);
}
