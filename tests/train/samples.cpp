#include "lacuna/train/samples.hpp"

#include "catch.hpp"
#include "support/waves.hpp"

using namespace lacuna;

TEST_CASE("a patch is cut from a window's frames, around the seam of a periodic grid") {
  auto f = waves::make(6, 2, waves::Gaps::pixels);
  f.grid.periodic_x = true;
  const train::Samples samples(f, {}, {});
  REQUIRE(samples.starts() == std::vector<int>{0, 3});
  std::vector<float> index(f.values.size()), patch;
  for (std::size_t i = 0; i < index.size(); ++i) index[i] = static_cast<float>(i);
  samples.cut(index, 1, {2, 10, 3, 4}, patch);
  REQUIRE(patch.size() == 3 * 3 * 4 * 2);
  std::size_t at = 0;
  for (int t = 3; t < 6; ++t)
    for (int y = 2; y < 5; ++y)
      for (const int x : {10, 11, 0, 1})
        for (int v = 0; v < 2; ++v) CHECK(patch[at++] == static_cast<float>(f.index(t, y, x, v)));
}

TEST_CASE("a mask shared by frames and variables is one group, a mask per frame is several") {
  auto f = waves::make(6, 2, waves::Gaps::pixels);
  CHECK(train::Samples(f, {}, {}).windows()[0].groups.count == 1);
  f.at(1, 0, 0, 0) = f.observed(1, 0, 0, 0) ? data::not_observed : 1.0f;
  CHECK(train::Samples(f, {}, {}).windows()[0].groups.count == 2);
}

TEST_CASE("the season is given where the record spans a year, and tells the middle of the window") {
  auto f = waves::make(24, 1, waves::Gaps::pixels);
  for (int t = 0; t < 24; ++t) f.time[static_cast<std::size_t>(t)] = 30.436875 * t;
  const train::Samples silent(f, {}, {});
  CHECK(silent.season_channels() == 0);
  f.time_units = "days since 1970-01-01";
  const train::Samples samples(f, {}, {});
  REQUIRE(samples.season_channels() == 2);
  const double angle = 2.0 * 3.14159265358979 / 12.0;  // frame 1 of the first window: one month into the year
  CHECK(static_cast<double>(samples.season(0)[0]) == Approx(std::sin(angle)).margin(1e-5));
  CHECK(static_cast<double>(samples.season(0)[1]) == Approx(std::cos(angle)).margin(1e-5));
  f.time_units = "hours since 1970-01-01";
  CHECK(train::Samples(f, {}, {}).season_channels() == 0);
}

TEST_CASE("the frames that are learned from decide whether there is a season") {
  auto f = waves::make(24, 1, waves::Gaps::pixels);
  for (int t = 0; t < 24; ++t) f.time[static_cast<std::size_t>(t)] = 30.436875 * t;
  f.time_units = "days since 1970-01-01";
  CHECK(train::Samples(f, {}, {}, {}, {0, 9}).season_channels() == 0);
  const train::Samples year(f, {}, {}, {}, {6, 18});
  REQUIRE(year.season_channels() == 2);
  const train::Samples all(f, {}, {});
  for (int w = 0; w < 8; ++w) CHECK(year.season(w)[0] == all.season(w)[0]);
}

TEST_CASE("land is a feature of the place") {
  auto f = waves::make(12, 1, waves::Gaps::pixels, 0.7f);
  CHECK(train::Samples(f, {}, {}).place_channels() == 3);
  for (int t = 0; t < 12; ++t)
    for (int y = 0; y < 5; ++y)
      for (int x = 0; x < 5; ++x) f.at(t, y, x, 0) = data::not_observed;
  const train::Samples samples(f, {}, {});
  REQUIRE(samples.place_channels() == 4);
  std::vector<float> place;
  samples.cut_place({0, 0, 12, 12}, place);
  CHECK(place[3] == 1.0f);
  CHECK(place[static_cast<std::size_t>(11 * 12 + 11) * 4 + 3] == 0.0f);
}
