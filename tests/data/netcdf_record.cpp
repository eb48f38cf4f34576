#include "lacuna/data/netcdf_record.hpp"

#include "era5_maker.hpp"
#include "scratch.hpp"

using namespace lacuna;
using data::NetcdfRecord;

namespace {

constexpr long long start = 480000;  // 2024-10-04 00:00
const std::vector<std::string> final_three(3, "0001"), preliminary_three(3, "0005");

/// A number that tells variable, hour and cell, and is a short's in steps of 1.
float plain(const Era5Cell& c) {
  return static_cast<float>(100 * (c.hour - start) + 10 * c.y + c.x + (c.name == "sp" ? 5000 : 0));
}
/// The same with the version told besides.
float versioned(const Era5Cell& c) { return plain(c) + 1000 * static_cast<float>(c.version); }

Era5Content content_of(int first, int hours, float (*value)(const Era5Cell&) = plain) {
  return {.names = {"t2m"}, .first_hour = start + first, .hours = hours, .value = value};
}

/// The versions that the record's hours were taken from.
std::vector<int> versions_of(const std::vector<std::string>& files) {
  const NetcdfRecord record(files, {"t2m"});
  const auto f = record.read({0, record.frames()});
  std::vector<int> out;
  for (int t = 0; t < f.frames(); ++t) {
    CHECK(record.seconds(t) == 3600 * (start + t));
    out.push_back(static_cast<int>(f.at(t, 0, 0, 0) - static_cast<float>(100 * t)) / 1000);
    for (int i = 0; i < 6; ++i) CHECK(f.at(t, i / 3, i % 3, 0) == f.at(t, 0, 0, 0) + static_cast<float>(10 * (i / 3) + i % 3));
  }
  return out;
}

}  // namespace

TEST_CASE("Files of both forms, in any order in time and over variables, rows either way, are one record") {
  const Scratch folder;
  write_era5(folder / "b.nc", content_of(3, 3), preliminary_three);
  write_legacy_era5(folder / "a.nc", content_of(0, 3), {.scale = 1, .offset = 0});
  auto pressure = content_of(0, 6);
  pressure.names = {"sp"};
  pressure.latitudes = {49.75, 50};
  write_era5(folder / "sp.nc", pressure, {}, true);
  const NetcdfRecord record({folder / "b.nc", folder / "sp.nc", folder / "a.nc"}, {"t2m", "sp"});
  REQUIRE(record.frames() == 6);
  CHECK(record.grid().y == std::vector<double>{50, 49.75});
  CHECK(record.grid().geographic);
  record.require_steps(3600);
  const auto check = [&](data::FrameRange range) {
    const auto f = record.read(range);
    REQUIRE(f.frames() == range.size());
    CHECK(f.time_units == "seconds since 1970-01-01");
    for (int t = range.begin; t < range.end; ++t) {
      CHECK(f.time[static_cast<std::size_t>(t - range.begin)] == 3600.0 * static_cast<double>(start + t));
      for (int y = 0; y < 2; ++y)
        for (int x = 0; x < 3; ++x) {
          CHECK(f.at(t - range.begin, y, x, 0) == plain({"t2m", start + t, y, x, 1}));
          CHECK(f.at(t - range.begin, y, x, 1) == plain({"sp", start + t, y, x, 1}));
        }
    }
  };
  check({0, 6});
  check({2, 5});
  check({5, 6});
  CHECK_THROWS_AS(record.read({4, 7}), ShapeError);
  CHECK_THROWS_AS(record.read({4, 4}), ShapeError);
}

TEST_CASE("An hour that several files have counts once, the final version first") {
  const Scratch folder;
  const auto file = [&](const std::string& name) { return folder / name; };
  SECTION("whole files") {
    write_era5(file("late.nc"), content_of(0, 3, versioned), preliminary_three);
    write_era5(file("final.nc"), content_of(0, 2, versioned), {"0001", "0001"});
    CHECK(versions_of({file("late.nc"), file("final.nc")}) == std::vector<int>{1, 1, 5});
    CHECK(versions_of({file("final.nc"), file("late.nc")}) == std::vector<int>{1, 1, 5});
  }
  SECTION("hours of different versions in a file") {
    write_era5(file("mixed.nc"), content_of(0, 3, versioned), {"0001", "0001", "0005"});
    write_era5(file("other.nc"), content_of(1, 3, versioned), {"0005", "0001", "0005"});
    CHECK(versions_of({file("other.nc"), file("mixed.nc")}) == std::vector<int>{1, 1, 1, 5});
  }
  SECTION("the old form's dimension") {
    write_legacy_era5(file("split.nc"), content_of(0, 4, versioned), {.scale = 1, .offset = 0, .preliminary_from = 2});
    write_era5(file("late.nc"), content_of(0, 3, versioned), preliminary_three);
    CHECK(versions_of({file("late.nc"), file("split.nc")}) == std::vector<int>{1, 1, 5, 5});
    write_era5(file("final.nc"), content_of(1, 2, versioned), {"0001", "0001"});
    CHECK(versions_of({file("late.nc"), file("split.nc"), file("final.nc")}) == std::vector<int>{1, 1, 1, 5});
  }
  SECTION("a file that does not say comes between; of equals the first that was named") {
    write_era5(file("silent.nc"), content_of(0, 3, versioned), {});
    write_era5(file("mixed.nc"), content_of(0, 3, versioned), {"0005", "0001", "0005"});
    CHECK(versions_of({file("mixed.nc"), file("silent.nc")}) == std::vector<int>{0, 1, 0});
    write_era5(file("again.nc"), content_of(0, 3, [](const Era5Cell& c) { return plain(c) + 7000; }), {});
    CHECK(versions_of({file("silent.nc"), file("again.nc")}) == std::vector<int>{0, 0, 0});
    CHECK(versions_of({file("again.nc"), file("silent.nc")}) == std::vector<int>{7, 7, 7});
  }
}

TEST_CASE("What makes no record is an error of one line") {
  using Catch::Matchers::Contains;
  const Scratch folder;
  const std::string a = folder / "a.nc", b = folder / "b.nc";
  write_era5(a, content_of(0, 3), final_three);
  const auto failure = [&](const std::vector<std::string>& files, const std::vector<std::string>& names = {"t2m"}) {
    const std::string message = error_of([&] { NetcdfRecord(files, names).require_steps(3600); });
    CHECK_THAT(message, !Contains("\n"));
    return message;
  };
  CHECK(failure({a}) == "");
  CHECK(failure({a}, {"t2m", "msl"}) == "there is no variable msl: " + a + " has t2m(valid_time=3, latitude=2, longitude=3)");
  SECTION("no NetCDF") {
    put_content(b, "PK\x03\x04 and so on");
    CHECK(failure({a, b}) ==
          b + ": is not a NetCDF file but a ZIP archive (as the Copernicus store packs several files in): unpack it");
    put_content(b, "GRIB and so on");
    CHECK(failure({b}) == b + ": is not a NetCDF file but GRIB: get it, or convert it, as NetCDF");
    put_content(b, "x");
    CHECK_THAT(failure({b}), Contains(b + ": is not a NetCDF file (or is damaged"));
  }
  SECTION("another grid") {
    auto other = content_of(3, 3);
    other.latitudes = {50, 49.5};
    write_era5(b, other, final_three);
    CHECK_THAT(failure({a, b}), Contains("grids differ: the row coordinates (latitudes) of variable t2m("));
    other.latitudes = {50, 49.75, 49.5};
    write_era5(b, other, final_three);
    CHECK_THAT(failure({a, b}), Contains("grids differ: variable t2m(valid_time=3, latitude=2, longitude=3) in " + a));
  }
  SECTION("hours that are left out") {
    write_era5(b, content_of(5, 3), final_three);
    CHECK(failure({a, b}) == "times are not in steps of 1 hours: after 2024-10-04 02:00 comes 2024-10-04 05:00");
  }
  SECTION("a variable without an hour that another has") {
    auto other = content_of(0, 2);
    other.names = {"sp"};
    write_era5(b, other, {"0001", "0001"});
    const std::string what = "frames, variable sp has 2; 2024-10-04 02:00 is there of t2m and not of sp";
    CHECK(failure({a, b}, {"t2m", "sp"}) == "times differ: variable t2m has 3 " + what);
    other.hours = 3;
    other.first_hour = start + 1;
    write_era5(b, other, final_three);
    CHECK_THAT(failure({a, b}, {"sp", "t2m"}), Contains("2024-10-04 00:00 is there of t2m and not of sp"));
  }
  SECTION("times without a date") {
    Maker(b).dim("time", 1).dim("lat", 2).dim("lon", 3).var<float>("t2m", {"time", "lat", "lon"}).put(std::vector<float>(6, 1.F));
    CHECK_THAT(failure({b}), Contains("t2m(time=1, lat=2, lon=3) in " + b + " has no times that can be put in order"));
  }
}
