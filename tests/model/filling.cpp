#include "lacuna/model/filling.hpp"

#include "catch.hpp"
#include "support/waves.hpp"

using namespace lacuna;

TEST_CASE("sums of overlapping windows are averaged, brought to the variables' units, and give way to what was observed") {
  auto f = waves::make(2, 2, waves::Gaps::pixels, 2.0f);
  f.at(1, 3, 4, 0) = f.at(0, 5, 5, 1) = data::not_observed;
  model::Overlap sums(f.values.size());
  for (std::size_t i = 0; i < f.values.size(); ++i) {
    sums.mean[i] = 3.0f;
    sums.spread[i] = 1.0f;
    sums.count[i] = 2;
  }
  const data::Normalisation n{{10.0, 20.0}, {2.0, 4.0}};
  const auto filled = model::merge(f, n, std::vector<std::uint8_t>(f.frame_size(), 0), sums, false);
  CHECK(filled.count == 2);
  CHECK(filled.fields.at(1, 3, 4, 0) == 13.0f);  // 1.5 deviations above the mean
  CHECK(filled.fields.at(0, 5, 5, 1) == 26.0f);
  CHECK(filled.spread[f.index(0, 5, 5, 1)] == 2.0f);
  CHECK(filled.fields.at(0, 0, 0, 0) == f.at(0, 0, 0, 0));
  CHECK(filled.spread[0] == 0.0f);
  sums.mean[f.index(1, 3, 4, 0)] = std::numeric_limits<float>::infinity();
  CHECK_THROWS_WITH(model::merge(f, n, std::vector<std::uint8_t>(f.frame_size(), 1), sums, false),
                    "the value imputed for wave0 in frame 1 is not finite");
}

TEST_CASE("cells that were never observed stay missing unless all are asked for") {
  auto f = waves::make(2, 1, waves::Gaps::pixels, 2.0f);
  f.at(0, 3, 4, 0) = f.at(1, 3, 4, 0) = data::not_observed;
  model::Overlap sums(f.values.size());
  std::fill(sums.count.begin(), sums.count.end(), std::uint16_t{1});
  std::vector<std::uint8_t> live(f.frame_size(), 1);
  live[f.index(0, 3, 4, 0)] = 0;
  const data::Normalisation n{{0.0}, {1.0}};
  CHECK(std::isnan(model::merge(f, n, live, sums, false).fields.at(1, 3, 4, 0)));
  CHECK(model::merge(f, n, live, sums, true).fields.at(1, 3, 4, 0) == 0.0f);
}
