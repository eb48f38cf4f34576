#include "lacuna/baseline/climatology.hpp"

#include "baseline/maker.hpp"
#include "catch.hpp"
#include "support/compare.hpp"

using namespace lacuna;
using baseline::Climatology;
using baseline::ClimatologySettings;

namespace {

data::Fields monthly(int frames, double density) {
  data::Fields f = test::drifting(test::plane(8, 10, true), frames, 2, density);
  f.time_units = "months since 1982-01-15";
  return f;
}

}  // namespace

TEST_CASE("Climatology: the mean of the other years' values by hand") {
  data::Fields f;
  f.grid = test::plane(1, 1);
  f.names = {"v"};
  f.time_units = "months since 1990-01-01";
  for (int t = 0; t < 36; ++t) {
    f.time.push_back(t);
    f.values.push_back(static_cast<float>(t));
  }
  const auto c = Climatology(f, {.length = 3})({.width = 0, .fallback = 0, .months = {1, 0, 0}});
  CHECK(c[0] == Approx((12 + 24) / 2.0));
  CHECK(c[13] == Approx((1 + 25) / 2.0));
  // Neighbouring months: of December, November and January; January of the first year lies in a window with none of them.
  const auto d = Climatology(f, {.length = 3})({.width = 0, .fallback = 0, .months = {1, 0.5, 0}});
  CHECK(d[11] == Approx((23 + 35 + 0.5 * (22 + 34) + 0.5 * (0 + 12 + 24)) / (2 + 1 + 1.5)));
}

TEST_CASE("Climatology: frames that are not learned from get a mean and give nothing to it") {
  data::Fields f = monthly(48, 0.5);
  const ClimatologySettings settings{.width = 1, .memory = 4, .memory_width = 1, .shrink = 0.2};
  const auto before = Climatology(f, {.length = 3}, {0, 36})(settings);
  CHECK(test::all_finite(before));
  for (std::size_t i = 36 * f.frame_size(); i < f.values.size(); ++i) f.values[i] = f.values[i] * 1.7f + 900.0f;
  CHECK(Climatology(f, {.length = 3}, {0, 36})(settings) == before);
  CHECK(Climatology(f, {.length = 3})(settings) != before);
  // The frames learned from get what they would get without the others.
  const auto alone = data::frames_of(f, {0, 36});
  const auto known = Climatology(alone, {.length = 3})(settings);
  CHECK(std::equal(known.begin(), known.end(), before.begin()));
}

TEST_CASE("Climatology: a year to learn from has no months, however long the record, and every frame the same mean") {
  const data::Fields f = monthly(48, 0.5);
  const ClimatologySettings settings{.width = 1};
  const auto given = Climatology(f, {.length = 3}, {0, 12})(settings);
  const auto known = Climatology(data::frames_of(f, {0, 12}), {.length = 3})(settings);
  CHECK(std::equal(known.begin(), known.end(), given.begin()));
  const std::size_t frame = f.frame_size();
  for (std::size_t i = 13 * frame; i < given.size(); ++i) REQUIRE(given[i] == given[12 * frame + i % frame]);
}

TEST_CASE("Climatology: without a calendar the mean of the other windows") {
  data::Fields f;
  f.grid = test::plane(1, 1);
  f.names = {"v"};
  f.values = {1, 2, 3, 4, 5, 6, 7};
  for (int t = 0; t < 7; ++t) f.time.push_back(t);
  const auto c = Climatology(f, {.length = 3})({.width = 0, .fallback = 0});
  CHECK(c[0] == Approx((4 + 5 + 6 + 7) / 4.0));
  CHECK(c[3] == Approx((1 + 2 + 3 + 7) / 4.0));
  CHECK(c[4] == Approx((1 + 2 + 3) / 3.0));  // windows 3-5 and 4-6 both hold frame 4
  CHECK(c[6] == Approx((1 + 2 + 3 + 4) / 4.0));
}

TEST_CASE("Climatology: of a record of several blocks, the mean of all frames but the window's own") {
  for (const bool calendar : {false, true}) {
    data::Fields f;
    f.grid = test::plane(1, 1);
    f.names = {"v"};
    if (calendar) f.time_units = "months since 1900-01-15";
    constexpr int first = 7, last = 1291, frames = 1300;
    const auto wave = [](int t) { return static_cast<float>(std::sin(0.37 * t) + 0.001 * t); };
    for (int t = 0; t < frames; ++t) {
      f.time.push_back(t);
      f.values.push_back(t % 5 == 0 ? data::not_observed : wave(t));
    }
    const Climatology climatology(f, {.length = 4}, {first, last});
    REQUIRE(climatology.blocks() == 3);
    const auto c = climatology({.width = 0, .fallback = 0, .months = {1, 0, 0}});
    for (const int t : {0, 7, 510, 519, 520, 521, 1030, 1290, 1299}) {
      INFO(t);
      const auto out = climatology.left_out(t);
      double sum = 0, count = 0;
      for (int other = first; other < last; ++other)
        if (other % 5 != 0 && !out.contains(other) && (!calendar || other % 12 == t % 12)) sum += wave(other), ++count;
      CHECK(c[static_cast<std::size_t>(t)] == Approx(sum / count).epsilon(1e-5));
    }
  }
}

TEST_CASE("Climatology: a window's own values leave no trace in its climatology") {
  for (const bool calendar : {false, true}) {
    data::Fields f = monthly(38, 0.4);
    if (!calendar) f.time_units.clear();
    const ClimatologySettings settings{.width = 1, .memory = 4, .memory_width = 1, .shrink = 0.2};
    const auto before = Climatology(f, {.length = 3})(settings);
    REQUIRE(test::all_finite(before));
    const std::vector<int> starts = data::window_starts(38, {.length = 3});
    for (const int start : {0, 15, starts.back()}) {
      data::Fields changed = f;
      const auto first = changed.frame_size() * static_cast<std::size_t>(start), last = first + 3 * changed.frame_size();
      for (std::size_t i = first; i < last; ++i) changed.values[i] = changed.values[i] * 1.7f + 900.0f;
      const auto after = Climatology(changed, {.length = 3})(settings);
      bool same = true, moved = false;
      for (std::size_t i = 0; i < after.size(); ++i) (i >= first && i < last ? same : moved) &= after[i] == before[i];
      CHECK(same);
      moved = after != before;
      CHECK(moved);
    }
  }
}

TEST_CASE("Climatology: cells never observed get a number from around") {
  data::Fields f = monthly(36, 0.6);
  for (int t = 0; t < 36; ++t)
    for (int x = 0; x < 5; ++x) f.at(t, 3, x, 1) = data::not_observed;
  for (auto& value : f.values)
    if (!std::isnan(value)) value = 2.0f;
  const auto c = Climatology(f, {.length = 3})({.width = 0.8});
  CHECK(test::all_finite(c));
  CHECK(c[f.index(7, 3, 2, 1)] == Approx(2));
}

TEST_CASE("Climatology: memory follows what lasts longer than a window") {
  data::Fields f = test::drifting(test::plane(6, 6), 30, 1, 1.0);
  for (int t = 0; t < 30; ++t)
    for (int i = 0; i < 36; ++i) f.values[static_cast<std::size_t>(t * 36 + i)] = t < 15 ? 1.0f : -1.0f;
  const auto flat = Climatology(f, {.length = 3})({.width = 0});
  const auto recent = Climatology(f, {.length = 3})({.width = 0, .memory = 2, .memory_width = 0, .shrink = 0.01});
  CHECK(std::abs(flat[4 * 36]) < 0.2);
  CHECK(recent[4 * 36] == Approx(1).margin(0.05));
  CHECK(recent[25 * 36] == Approx(-1).margin(0.05));
}

TEST_CASE("Climatology: the same with any number of threads, and some frames as in all") {
  const data::Fields f = monthly(30, 0.5);
  const Climatology climatology(f, {.length = 3});
  const ClimatologySettings settings{.memory = 3};
  const auto all = climatology(settings, 1);
  CHECK(climatology(settings, 3) == all);
  std::vector<float> some(all.size(), -7.0f);
  climatology.evaluate(settings, {{6, 9}}, some, 1);
  bool same = true;
  for (std::size_t i = 0; i < all.size(); ++i) same &= some[i] == (i / f.frame_size() / 3 == 2 ? all[i] : -7.0f);
  CHECK(same);
}
