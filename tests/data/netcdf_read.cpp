#include "lacuna/data/netcdf_read.hpp"

#include <cmath>
#include <limits>

#include "netcdf_maker.hpp"
#include "scratch.hpp"

using namespace lacuna;
using data::Fields;
using data::read_netcdf;

namespace {

constexpr float gap = data::not_observed;

/// Equal, with NaN equal to NaN.
void check_values(const Fields& f, const std::vector<float>& expected) {
  REQUIRE(f.values.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    INFO("value " << i);
    if (std::isnan(expected[i])) {
      CHECK(std::isnan(f.values[i]));
    } else {
      CHECK(f.values[i] == Approx(expected[i]));
    }
  }
}

const std::vector<float> twelve = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};

}  // namespace

TEST_CASE("A plain file reads the same from every format") {
  const Scratch scratch;
  const int mode = GENERATE(0, NC_64BIT_OFFSET, NC_64BIT_DATA, NC_NETCDF4, NC_NETCDF4 | NC_CLASSIC_MODEL);
  Maker(scratch / "a.nc", mode).usual_grid({3, 5}).var<float>("sst", {"time", "lat", "lon"}).put(twelve);
  const Fields f = read_netcdf({scratch / "a.nc"}, {"sst"});
  CHECK(f.names == std::vector<std::string>{"sst"});
  CHECK(f.time == std::vector<double>{3, 5});
  CHECK(f.time_units == "days since 2000-01-01");
  CHECK(f.grid.y == std::vector<double>{60, 50});  // descending latitudes stay in the file's order
  CHECK(f.grid.x == std::vector<double>{0, 10, 20});
  CHECK(f.grid.geographic);
  CHECK_FALSE(f.grid.periodic_x);
  check_values(f, twelve);
}

TEST_CASE("Every convention of missing values becomes NaN") {
  const Scratch scratch;
  const int mode = GENERATE(0, NC_NETCDF4);
  const auto with = [&](auto&& attributes, std::vector<float> values) {
    Maker m(scratch / "a.nc", mode);
    m.usual_grid().var<float>("v", {"time", "lat", "lon"});
    attributes(m);
    m.put(values);
  };
  const auto read = [&] { return read_netcdf({scratch / "a.nc"}, {"v"}); };
  SECTION("_FillValue") {
    with([](Maker& m) { m.att<float>("_FillValue", {-99.9F}); }, {0, -99.9F, 2, 3, 4, 5, 6, 7, 8, 9, -99.9F, 11});
    check_values(read(), {0, gap, 2, 3, 4, 5, 6, 7, 8, 9, gap, 11});
  }
  SECTION("missing_value, several and of a wider type") {
    with([](Maker& m) { m.att<double>("missing_value", {-99.9, -1e34}); }, {0, -99.9F, -1e34F, 3, 4, 5, 6, 7, 8, 9, 10, 11});
    check_values(read(), {0, gap, gap, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  }
  SECTION("both, with different values") {
    with([](Maker& m) { m.att<float>("_FillValue", {-1}).att<float>("missing_value", {-2}); },
         {-1, -2, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
    check_values(read(), {gap, gap, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  }
  SECTION("an infinite _FillValue") {
    const float inf = std::numeric_limits<float>::infinity();
    with([&](Maker& m) { m.att<float>("_FillValue", {inf}); }, {inf, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
    check_values(read(), {gap, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  }
  SECTION("valid_range") {
    with([](Maker& m) { m.att<float>("valid_range", {1, 10}); }, twelve);
    check_values(read(), {gap, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, gap});
  }
  SECTION("valid_min and valid_max") {
    with([](Maker& m) { m.att<double>("valid_min", {2}).att<int>("valid_max", {9}); }, twelve);
    check_values(read(), {gap, gap, 2, 3, 4, 5, 6, 7, 8, 9, gap, gap});
  }
  SECTION("NaN") {
    with([](Maker&) {}, {0, gap, 2, 3, 4, 5, 6, 7, 8, 9, 10, gap});
    check_values(read(), {0, gap, 2, 3, 4, 5, 6, 7, 8, 9, 10, gap});
  }
  SECTION("the type's default fill, for values never written") {
    with([](Maker&) {}, {0, 1, 2, 3, 4, 5});
    check_values(read(), {0, 1, 2, 3, 4, 5, gap, gap, gap, gap, gap, gap});
  }
}

TEST_CASE("Packed integers are unpacked, their missing codes and ranges in packed units") {
  const Scratch scratch;
  Maker(scratch / "a.nc")
      .usual_grid()
      .var<short>("t", {"time", "lat", "lon"})
      .att<double>("scale_factor", {0.01})
      .att<double>("add_offset", {273.15})
      .att<short>("_FillValue", {-32768})
      .att<short>("valid_range", {-500, 500})
      .put<short>({0, 100, -32768, 501, -500, 1, 2, 3, 4, 5, 6, 7});
  check_values(read_netcdf({scratch / "a.nc"}, {"t"}),
               {273.15F, 274.15F, gap, gap, 268.15F, 273.16F, 273.17F, 273.18F, 273.19F, 273.20F, 273.21F, 273.22F});
}

TEST_CASE("Unsigned bytes, plain bytes and wide types") {
  const Scratch scratch;
  SECTION("_Unsigned") {
    Maker(scratch / "a.nc")
        .usual_grid()
        .var<signed char>("v", {"time", "lat", "lon"})
        .att("_Unsigned", "true")
        .att<signed char>("_FillValue", {-1})
        .put<signed char>({0, 1, -1, -2, 127, -128, 6, 7, 8, 9, 10, 11});
    check_values(read_netcdf({scratch / "a.nc"}, {"v"}), {0, 1, gap, 254, 127, 128, 6, 7, 8, 9, 10, 11});
  }
  SECTION("a byte has no default fill") {
    Maker(scratch / "a.nc")
        .usual_grid()
        .var<signed char>("v", {"time", "lat", "lon"})
        .put<signed char>({-127, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
    CHECK(read_netcdf({scratch / "a.nc"}, {"v"}).values[0] == -127);
  }
  SECTION("64-bit integers compare exactly") {
    const long long big = 9007199254740993;  // 2^53 + 1 is no double
    Maker(scratch / "a.nc", NC_NETCDF4)
        .usual_grid()
        .var<long long>("v", {"time", "lat", "lon"})
        .att<long long>("_FillValue", {big})
        .put<long long>({big, big - 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
    const Fields f = read_netcdf({scratch / "a.nc"}, {"v"});
    CHECK(std::isnan(f.values[0]));
    CHECK(f.values[1] == Approx(9007199254740992.0));
  }
  SECTION("double") {
    Maker(scratch / "a.nc")
        .usual_grid()
        .var<double>("v", {"time", "lat", "lon"})
        .put<double>({.5, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
    CHECK(read_netcdf({scratch / "a.nc"}, {"v"}).values[0] == 0.5F);
  }
}

TEST_CASE("Variables from several files on one grid are interleaved") {
  const Scratch scratch;
  Maker(scratch / "a.nc").usual_grid().var<float>("u", {"time", "lat", "lon"}).put(twelve);
  Maker(scratch / "b.nc", NC_NETCDF4)
      .usual_grid()
      .var<int>("w", {"time", "lat", "lon"})
      .put<int>({100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111});
  const auto input = data::read_netcdf_input({scratch / "a.nc", scratch / "b.nc", scratch / "a.nc"}, {"w", "u"});
  CHECK(input.paths.size() == 2);
  CHECK(input.fields.at(1, 0, 2, 0) == 108);
  CHECK(input.fields.at(1, 0, 2, 1) == 8);
}

TEST_CASE("A variable split in time is put together in time order, whatever the order and epochs of the files") {
  const Scratch scratch;
  Maker(scratch / "a.nc").usual_grid({31, 32}).var<float>("u", {"time", "lat", "lon"}).put(twelve);
  Maker(scratch / "b.nc")
      .dim("time", 1)
      .dim("lat", 2)
      .dim("lon", 3)
      .var<int>("time", {"time"})
      .att("units", "hours since 2000-01-31 12:00:00")
      .put<int>({0})
      .var<double>("lat", {"lat"})
      .att("units", "degrees_north")
      .put<double>({60, 50})
      .var<double>("lon", {"lon"})
      .att("units", "degrees_east")
      .put<double>({0, 10, 20})
      .var<float>("u", {"time", "lat", "lon"})
      .put<float>({-1, -2, -3, -4, -5, -6});
  const Fields f = read_netcdf({scratch / "a.nc", scratch / "b.nc"}, {"u"});
  CHECK(f.time_units == "hours since 2000-01-31 12:00:00");  // the earliest file's, whichever was named first
  CHECK(f.time == std::vector<double>{0, 12, 36});
  CHECK(f.at(0, 1, 2, 0) == -6);
  CHECK(f.at(1, 0, 0, 0) == 0);
  CHECK(f.at(2, 1, 2, 0) == 11);
  const Fields named_in_order = read_netcdf({scratch / "b.nc", scratch / "a.nc"}, {"u"});
  CHECK(named_in_order.time == f.time);
  CHECK(named_in_order.time_units == f.time_units);
  CHECK(named_in_order.values == f.values);
}

TEST_CASE("Doubles keep what varies: large offsets are taken away, huge and tiny numbers are scaled") {
  const Scratch scratch;
  const double offset = GENERATE(0.0, 1e9, -1e15), size = GENERATE(1.0, 0.1, 1e300, 1e-200);
  if (offset != 0 && (size > 1e9 || size < 1e-9)) return;
  std::vector<double> values;
  for (const double signal : {0, 3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5}) values.push_back(offset + size * signal);
  values[4] = NC_FILL_DOUBLE;
  Maker(scratch / "a.nc").usual_grid().var<double>("v", {"time", "lat", "lon"}).put(values);
  const Fields f = read_netcdf({scratch / "a.nc"}, {"v"});
  const auto affine = f.affine_of(0);
  CHECK(affine.is_identity() == (offset == 0 && size > 0.01 && size < 10));
  const double spacing = 1e-6 * 9 * size + 1e-15 * std::abs(offset);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i == 4)
      CHECK(std::isnan(f.values[i]));
    else
      CHECK(std::abs(affine.value(f.values[i]) - values[i]) <= spacing);
  }
}

TEST_CASE("Floats in a file are the same floats in memory, and a constant is exact") {
  const Scratch scratch;
  Maker(scratch / "a.nc")
      .usual_grid()
      .var<float>("v", {"time", "lat", "lon"})
      .put<float>({1e9F, 1e9F + 64, 1e9F, 1e9F, 1e9F, 1e9F, 1e9F, 1e9F, 1e9F, 1e9F, 1e9F, 1e9F})
      .var<double>("c", {"time", "lat", "lon"})
      .put(std::vector<double>(12, 1e9 + 0.1));
  const Fields f = read_netcdf({scratch / "a.nc"}, {"v", "c"});
  CHECK(f.affine_of(0).is_identity());
  CHECK(f.at(0, 0, 1, 0) == 1e9F + 64);
  CHECK(f.affine_of(1).value(f.at(0, 0, 1, 1)) == 1e9 + 0.1);
}

TEST_CASE("What is observed is remembered whatever becomes of the fields") {
  const Scratch scratch;
  Maker(scratch / "a.nc")
      .usual_grid()
      .var<float>("u", {"time", "lat", "lon"})
      .put<float>({0, gap, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  const auto input = data::read_netcdf_input({scratch / "a.nc"}, {"u"});
  CHECK(input.observed == std::vector<std::uint8_t>{1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1});
}

TEST_CASE("Bad input gets one line that says what is wrong") {
  using Catch::Matchers::Contains;
  const Scratch scratch;
  const std::string a = scratch / "a.nc", b = scratch / "b.nc";
  const auto failure = [](const std::vector<std::string>& paths, const std::vector<std::string>& names) {
    const std::string message = error_of([&] { read_netcdf(paths, names); });
    CHECK_THAT(message, !Contains("\n"));
    return message;
  };
  Maker(a)
      .usual_grid()
      .var<float>("u", {"time", "lat", "lon"})
      .put(twelve)
      .var<float>("land", {"lat", "lon"})
      .put<float>({1, 2, 3, 4, 5, 6});
  CHECK(failure({scratch / "none.nc"}, {"u"}) == scratch / "none.nc" + ": there is no such file");
  CHECK(failure({a}, {"x"}) == "there is no variable x: " + a + " has u(time=2, lat=2, lon=3), land(lat=2, lon=3)");
  CHECK(failure({a}, {"land"}) == a + ": variable land(lat=2, lon=3) has no time dimension");
  CHECK(failure({a}, {"u", "u"}) == "variable u was given twice");
  CHECK(failure({}, {"u"}) == "no input file was given");
  CHECK(failure({a}, {}) == "no variable was given");
  SECTION("infinite values") {
    const float inf = std::numeric_limits<float>::infinity();
    Maker(b).usual_grid().var<float>("v", {"time", "lat", "lon"}).put<float>({0, 1, 2, 3, 4, 5, 6, inf, -inf, 9, 10, 11});
    CHECK_THAT(failure({b}, {"v"}), Contains("variable v holds 2 infinite values, the first in frame 1, row 0, column 1"));
  }
  SECTION("all missing") {
    Maker(b).usual_grid().var<float>("v", {"time", "lat", "lon"}).put(std::vector<float>(12, gap));
    CHECK(failure({a, b}, {"u", "v"}) == "variable v: all values are missing");
  }
  SECTION("grids that differ in size, and in coordinates") {
    Maker(b).dim("time", 2).dim("lat", 1).dim("lon", 3).var<float>("v", {"time", "lat", "lon"}).put<float>({1, 2, 3, 4, 5, 6});
    CHECK(failure({a, b}, {"u", "v"}) ==
          "grids differ: variable u(time=2, lat=2, lon=3) in " + a + " and variable v(time=2, lat=1, lon=3) in " + b);
    Maker(b)
        .dim("time", 2)
        .dim("lat", 2)
        .dim("lon", 3)
        .var<float>("lat", {"lat"})
        .put<float>({50, 60})
        .var<float>("v", {"time", "lat", "lon"})
        .put(twelve);
    CHECK_THAT(failure({a, b}, {"u", "v"}), Contains("grids differ: the row coordinates") && Contains("begin with 60 and 50"));
  }
  SECTION("times that do not increase") {
    Maker(b).usual_grid({0, 0}).var<float>("v", {"time", "lat", "lon"}).put(twelve);
    CHECK(failure({b}, {"v"}) ==
          "times of variable v(time=2, lat=2, lon=3) in " + b +
              " do not increase: frame 0 is at 0, frame 1 at 0 too (sort them first, and keep one of each)");
    Maker(b).usual_grid({5, 0}).var<float>("v", {"time", "lat", "lon"}).put(twelve);
    CHECK_THAT(failure({b}, {"v"}), Contains("frame 0 is at 5, frame 1 at 0 ("));
  }
  SECTION("numbers that are written as text") {
    for (const char* name : {"scale_factor", "add_offset", "missing_value", "valid_min"}) {
      Maker(b).usual_grid().var<short>("v", {"time", "lat", "lon"}).att(name, "0.1").put(std::vector<short>(12, 1));
      CHECK(failure({b}, {"v"}) == b + ": variable v: " + name + " is text, expected a number");
    }
  }
  SECTION("more values than fit into memory") {
    Maker(b, NC_NETCDF4).dim("time", 1 << 20).dim("lat", 1 << 15).dim("lon", 1 << 15).var<float>("v", {"time", "lat", "lon"});
    CHECK_THAT(failure({b}, {"v"}), Contains("GB of values, which is more memory than can be had"));
    Maker(b, NC_NETCDF4).dim("time", 1).dim("lat", 1 << 20).dim("lon", 1 << 20).var<float>("v", {"time", "lat", "lon"});
    CHECK_THAT(failure({b}, {"v"}), Contains("more cells or frames"));
  }
  SECTION("a group's variable") {
    int id = -1, group = -1, variable = -1, dims[3] = {};
    Maker(b, NC_NETCDF4).usual_grid().var<float>("v", {"time", "lat", "lon"}).put(twelve);
    REQUIRE(nc_open(b.c_str(), NC_WRITE, &id) == NC_NOERR);
    REQUIRE(nc_def_grp(id, "ocean", &group) == NC_NOERR);
    REQUIRE(nc_def_var(group, "sst", NC_FLOAT, 3, dims, &variable) == NC_NOERR);
    REQUIRE(nc_close(id) == NC_NOERR);
    CHECK_THAT(failure({b}, {"ocean/sst"}), Contains("ocean/sst") && Contains("group") && Contains("ncks"));
  }
  SECTION("times that differ or overlap") {
    Maker(b).usual_grid({0, 1, 2}).var<float>("v", {"time", "lat", "lon"}).put(std::vector<float>(18, 1.F));
    CHECK(failure({a, b}, {"u", "v"}) == "times differ: variable u has 2 frames, variable v has 3");
    Maker(b).usual_grid({1, 2}).var<float>("u", {"time", "lat", "lon"}).put(twelve);
    CHECK(failure({a, b}, {"u"}) == "variable u is in both " + a + " and " + b + " with times that overlap (0 to 1 and 1 to 2)");
  }
}
