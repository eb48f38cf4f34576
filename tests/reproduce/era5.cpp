#include "reproduce/era5.hpp"

#include "../data/era5_maker.hpp"
#include "../data/scratch.hpp"
#include "catch.hpp"
#include "reproduce/gaps.hpp"
#include "reproduce/tiny.hpp"

using namespace lacuna;
using namespace lacuna::experiment;
using Catch::Matchers::Contains;

namespace {

const std::vector<std::string> two = {"t2m", "z"};

/// A smooth field: a wave that moves, large numbers with small differences.
float wave(const Era5Cell& c) {
  const double at = 0.7 * c.x + 0.4 * c.y - 0.11 * static_cast<double>(c.hour);
  return static_cast<float>(c.name == "z" ? 55000 + 900 * std::cos(at) : 285 + 6 * std::sin(at));
}

Era5Content days(int count) {
  return {.names = two,
          .first_hour = 480000,
          .hours = 24 * count,
          .value = wave,
          .latitudes = {51, 50.75, 50.5, 50.25},
          .longitudes = {10, 10.25, 10.5, 10.75, 11}};
}
std::string write(const Scratch& folder, const Era5Content& content) {
  write_era5(folder / "era5.nc", content, {});
  return folder / "era5.nc";
}
std::shared_ptr<const data::NetcdfRecord> open(const std::string& file) {
  return std::make_shared<const data::NetcdfRecord>(std::vector{file}, two);
}
SetSettings settings(int train, int test) {
  SetSettings s = tiny();
  s.train = train;
  s.test = test;
  return s;
}

}  // namespace

TEST_CASE("Samples are windows of three hours, spread over the record; every tenth day is for filling") {
  const Scratch folder;
  const auto record = open(write(folder, days(21)));
  const Era5Samples all(record, settings(19 * 8, 16));
  std::vector<int> expected;
  for (const bool filled : {false, true})
    for (int t = 0; t < 21 * 24; t += 3)
      if ((t / 24 == 9 || t / 24 == 19) == filled) expected.push_back(t);
  CHECK(all.starts() == expected);
  const Era5Samples some(record, settings(4, 2));
  CHECK(some.starts() == std::vector<int>{0, 114, 252, 366, 216, 456});
}

TEST_CASE("Samples are the files' values in units of the deviation of those that are learned from") {
  const Scratch folder;
  const auto record = open(write(folder, days(20)));
  const SetSettings s = settings(30, 5);
  const Era5Samples samples(record, s);
  const SampleSet learned = samples(0, 30), filled = samples(30, 5);
  REQUIRE(learned.samples() == 30);
  REQUIRE(filled.truth.frames() == 15);
  data::require_consistent(learned.truth);
  const auto measured = data::measure_normalisation(learned.truth);
  for (std::size_t v = 0; v < 2; ++v) {
    CHECK(measured.mean[v] == Approx(0).margin(1e-5));
    CHECK(measured.deviation[v] == Approx(1).epsilon(1e-5));
  }
  for (int i = 0; i < 5; ++i)
    for (int t = 0; t < 3; ++t)
      for (int v = 0; v < 2; ++v) {
        const auto variable = static_cast<std::size_t>(v);
        const long long hour = 480000 + samples.starts()[static_cast<std::size_t>(30 + i)] + t;
        const double value = static_cast<double>(filled.truth.at(3 * i + t, 2, 4, v)) * samples.scale().deviation[variable] +
                             samples.scale().mean[variable];
        CHECK(value == Approx(static_cast<double>(wave({two[variable], hour, 2, 4, 1}))).epsilon(1e-6));
      }
}

TEST_CASE("The error of a fill is the mean square over all positions, x 100, in these units") {
  const Scratch folder;
  const Era5Samples samples(open(write(folder, days(10))), settings(8, 2));
  const SampleSet set = samples(8, 2);
  const auto masks = share_masks(set, Gaps("p50").draw(set.truth.grid, 2, 1));
  auto filled = set.truth.values;
  std::size_t missing = 0;
  for (std::size_t i = 0; i < filled.size(); ++i)
    if (masks[i] == 0) filled[i] += 0.5f, ++missing;
  const Errors errors = errors_of("era5", set, masks, filled);
  CHECK(errors.missing == Approx(0.25).epsilon(1e-4));
  CHECK(errors.table == Approx(100 * 0.25 * static_cast<double>(missing) / static_cast<double>(filled.size())).epsilon(1e-4));
}

TEST_CASE("Files that the protocol cannot use are errors of one line") {
  const Scratch folder;
  const auto failure = [&](const Era5Content& content, const SetSettings& s) {
    return error_of([&] { Era5Samples(open(write(folder, content)), s)(0, s.train + s.test); });
  };
  CHECK(failure(days(10), settings(8, 2)) == "");
  CHECK(failure(days(9), settings(8, 2)) ==
        "era5: the files hold 216 hours, with 72 samples of 3 hours to learn from and, every tenth day, 0 to fill; the budget "
        "takes 8 and 2");
  SetSettings odd = settings(8, 2);
  odd.frames = 5;
  CHECK(failure(days(10), odd) == "era5: samples of 5 hours do not divide a day");
  auto content = days(10);
  content.value = [](const Era5Cell& c) {
    return c.y == 1 && c.name == "t2m" && c.hour >= 480216 ? data::not_observed : wave(c);
  };
  CHECK_THAT(failure(content, settings(8, 2)),
             Contains("era5: variable t2m has missing values, the first read at 2024-10-13 00:00; "));
  content.value = [](const Era5Cell& c) { return c.name == "z" ? 5.0F : wave(c); };
  CHECK(failure(content, settings(8, 2)) == "era5: variable z has the same value everywhere");
  write_era5(
      folder / "b.nc",
      {.names = two, .first_hour = 480241, .value = wave, .latitudes = days(1).latitudes, .longitudes = days(1).longitudes}, {});
  const auto gap = [&] {
    return std::make_shared<const data::NetcdfRecord>(std::vector<std::string>{folder / "era5.nc", folder / "b.nc"}, two);
  };
  CHECK_THAT(error_of([&] { Era5Samples(gap(), settings(8, 2)); }),
             Contains("times are not in steps of 1 hours: after 2024-10-13 23:00"));
}

TEST_CASE("The word for a record's content knows its values, not how they lie in files") {
  const Scratch folder;
  const auto word = [](const std::vector<std::string>& files) { return content_word(data::NetcdfRecord(files, two)); };
  auto content = days(2);
  const std::string whole = write(folder, content);
  const std::string first = word({whole});
  content.hours = 24;
  write_era5(folder / "a.nc", content, {});
  content.first_hour += 24;
  write_era5(folder / "b.nc", content, {});
  CHECK(word({folder / "b.nc", folder / "a.nc"}) == first);
  CHECK(word({folder / "a.nc"}) != first);
  content.value = [](const Era5Cell& c) { return wave(c) + (c.y == 3 ? 0.5F : 0.0F); };
  write_era5(folder / "b.nc", content, {});
  CHECK(word({folder / "b.nc", folder / "a.nc"}) != first);
}
