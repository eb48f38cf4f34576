#include "lacuna/data/netcdf_companions.hpp"

#include "netcdf_maker.hpp"
#include "netcdf_rewrite.hpp"
#include "scratch.hpp"

using namespace lacuna;
using namespace lacuna::data;
using namespace rewrite;
using Catch::Matchers::Contains;

namespace {

/// A file with bounds and a frame number beside the variable.
void make_part(const std::string& path, const std::string& units, const std::vector<double>& times, int mode, short scale) {
  Maker(path, mode)
      .dim("time", NC_UNLIMITED)
      .dim("lat", 2)
      .dim("lon", 3)
      .dim("two", 2)
      .var<double>("time", {"time"})
      .att("units", units)
      .att("bounds", "time_bnds")
      .put(times)
      .var<double>("time_bnds", {"time", "two"})
      .put<double>({times[0], times[1], times[1], times[1] + 1})
      .var<short>("u", usual)
      .att<float>("scale_factor", {static_cast<float>(scale)})
      .put<short>({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
}

/// Two frames with times of type T, packed by `scale`, and what more() adds.
template <class T, class More>
void make_timed(const std::string& path, const std::string& units, const std::vector<T>& times, double scale, const More& more,
                int mode = NC_NETCDF4) {
  Maker maker(path, mode);
  maker.dim("time", NC_UNLIMITED).dim("lat", 2).dim("lon", 3).var<T>("time", {"time"}).att("units", units);
  if (scale != 1) maker.template att<double>("scale_factor", {scale});
  maker.put(times).template var<float>("u", usual).put(twelve);
  more(maker);
}

const auto nothing = [](Maker&) {};

}  // namespace

TEST_CASE("A variable split in time is written as one, with all that depends on time") {
  const Scratch scratch;
  const int mode = GENERATE(0, NC_NETCDF4);
  make_part(scratch / "a.nc", "days since 2000-01-01", {2, 3}, mode, 2);
  make_part(scratch / "b.nc", "days since 2000-01-01", {0, 1}, mode, 2);
  write_back({scratch / "a.nc", scratch / "b.nc"}, {"u"}, scratch / "out.nc");
  CHECK(numbers(scratch / "out.nc", "time") == std::vector<double>{0, 1, 2, 3});
  CHECK(numbers(scratch / "out.nc", "time_bnds") == std::vector<double>{0, 1, 1, 2, 2, 3, 3, 4});
  const auto u = numbers(scratch / "out.nc", "u");
  CHECK(u.size() == 24);
  CHECK(u[11] == 11);
  CHECK(u[12] == 0);
  CHECK(netcdf::File::open(scratch / "out.nc").find("u").value().type == NC_SHORT);
}

TEST_CASE("Parts with other epochs and packing are brought to one") {
  const Scratch scratch;
  make_part(scratch / "a.nc", "days since 2000-01-01", {0, 1}, 0, 2);
  make_part(scratch / "b.nc", "hours since 2000-01-03 12:00", {0, 12}, 0, 3);
  write_back({scratch / "a.nc", scratch / "b.nc"}, {"u"}, scratch / "out.nc");
  CHECK(numbers(scratch / "out.nc", "time") == std::vector<double>{0, 1, 2.5, 3});
  const auto out = netcdf::File::open(scratch / "out.nc");
  CHECK(numbers(scratch / "out.nc", "time_bnds") == std::vector<double>{0, 1, 1, 2, 2.5, 3, 3, 3 + 1 / 24.0});
  CHECK(netcdf::text_attribute(out, out.find("time").value().id, "units") == "days since 2000-01-01");
  CHECK(out.find("u").value().type == NC_FLOAT);
  const auto u = numbers(scratch / "out.nc", "u");
  CHECK(u[11] == 22);
  CHECK(u[23] == 33);
  CHECK(netcdf::text_attribute(out, NC_GLOBAL, "history") == "line (u is unpacked to float: the files pack it differently)");
}

TEST_CASE("Times of other types and packing are brought to one, in whatever order the files are named") {
  const Scratch scratch;
  const bool swapped = GENERATE(false, true);
  const std::string a = scratch / "a.nc", b = scratch / "b.nc";
  SECTION("whole numbers, then doubles") {
    make_timed<int>(a, "hours since 2000-01-01", {0, 24}, 1, nothing);
    make_timed<double>(b, "hours since 2000-01-01", {48, 72.5}, 1, nothing);
  }
  SECTION("doubles, then whole numbers") {
    make_timed<double>(a, "hours since 2000-01-01", {0, 24}, 1, nothing);
    make_timed<short>(b, "hours since 2000-01-01", {48, 72}, 1, nothing);
  }
  SECTION("packed in two ways") {
    make_timed<short>(a, "hours since 2000-01-01", {0, 4}, 6, nothing);
    make_timed<short>(b, "hours since 2000-01-01", {4, 6}, 12, nothing);
  }
  SECTION("other units") {
    make_timed<double>(a, "hours since 2000-01-01", {0, 24}, 1, nothing);
    make_timed<double>(b, "days since 2000-01-02", {1, 2}, 1, nothing);
  }
  std::vector<std::string> paths{a, b};
  if (swapped) std::swap(paths[0], paths[1]);
  write_back(paths, {"u"}, scratch / "out.nc");
  const auto times = numbers(scratch / "out.nc", "time");
  CHECK(std::vector<double>(times.begin(), times.begin() + 3) == std::vector<double>{0, 24, 48});
  CHECK(std::abs(times[3] - 72) <= 0.5);
  const auto out = netcdf::File::open(scratch / "out.nc");
  const int time = out.find("time").value().id;
  CHECK(netcdf::text_attribute(out, time, "units") == "hours since 2000-01-01");
  CHECK(netcdf::number_attribute(out, time, "scale_factor").empty());
}

TEST_CASE("Companions of other types are unpacked; those that do not fit together are refused before anything is written") {
  const Scratch scratch;
  const std::string a = scratch / "a.nc", b = scratch / "b.nc";
  const auto with = [&](const auto& first, const auto& second) {
    make_timed<double>(a, "days since 2000-01-01", {0, 1}, 1, first);
    make_timed<double>(b, "days since 2000-01-01", {2, 3}, 1, second);
  };
  const auto failure = [&] {
    const auto input = read_netcdf_input({a, b}, {"u"});
    const std::string before = error_of([&] { require_writable(input, scratch / "out.nc"); });
    CHECK(error_of([&] { write_back({a, b}, {"u"}, scratch / "out.nc"); }) == before);
    CHECK_FALSE(std::filesystem::exists(scratch / "out.nc"));
    return before;
  };
  SECTION("a packed number and a plain one, with a gap") {
    with(
        [](Maker& m) {
          m.var<short>("level", {"time"}).att<double>("scale_factor", {0.5}).att<short>("_FillValue", {-1}).put<short>({3, -1});
        },
        [](Maker& m) {
          m.var<float>("level", {"time"}).put<float>({7, 8.25F});
        });
    write_back({a, b}, {"u"}, scratch / "out.nc");
    CHECK(numbers(scratch / "out.nc", "level") == std::vector<double>{1.5, NC_FILL_DOUBLE, 7, 8.25});
    const auto out = netcdf::File::open(scratch / "out.nc");
    CHECK(netcdf::number_attribute(out, out.find("level").value().id, "scale_factor").empty());
  }
  SECTION("one that only the first file has stays missing in the others") {
    with([](Maker& m) { m.var<double>("level", {"time"}).put<double>({3, 4}); }, nothing);
    write_back({a, b}, {"u"}, scratch / "out.nc");
    CHECK(numbers(scratch / "out.nc", "level") == std::vector<double>{3, 4, NC_FILL_DOUBLE, NC_FILL_DOUBLE});
  }
  SECTION("another length") {
    const auto bounds = [](std::size_t length) {
      return [length](Maker& m) {
        m.dim("n", length).var<double>("part", {"time", "n"}).put(std::vector<double>(2 * length, 1.0));
      };
    };
    with(bounds(2), bounds(4));
    CHECK_THAT(failure(), Contains("variable part of") && Contains("part(time=2, n=2) and part(time=2, n=4)"));
  }
  SECTION("text and numbers") {
    with(
        [](Maker& m) {
          m.strings("name", "time", {"one", "two"});
        },
        [](Maker& m) {
          m.var<int>("name", {"time"}).put<int>({1, 2});
        });
    CHECK_THAT(failure(), Contains("variable name of") && Contains("numbers in one and text in the other"));
  }
  SECTION("other units") {
    with(
        [](Maker& m) {
          m.var<double>("level", {"time"}).att("units", "m").put<double>({3, 4});
        },
        [](Maker& m) {
          m.var<double>("level", {"time"}).att("units", "km").put<double>({3, 4});
        });
    CHECK_THAT(failure(), Contains("variable level of") && Contains("is in 'm' in one and in 'km' in the other"));
  }
}

TEST_CASE("Bounds and times are found by their part, not by their name") {
  const Scratch scratch;
  make_part(scratch / "a.nc", "days since 2000-01-01", {0, 1}, NC_NETCDF4, 2);
  Maker(scratch / "b.nc", NC_NETCDF4)
      .dim("t", 2)
      .dim("lat", 2)
      .dim("lon", 3)
      .dim("two", 2)
      .var<double>("t", {"t"})
      .att("units", "days since 2000-01-01")
      .att("bounds", "t_bnds")
      .put<double>({2, 3})
      .var<double>("t_bnds", {"t", "two"})
      .put<double>({2, 3, 3, 4})
      .var<short>("u", {"t", "lat", "lon"})
      .att<float>("scale_factor", {2})
      .put<short>({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  write_back({scratch / "a.nc", scratch / "b.nc"}, {"u"}, scratch / "out.nc");
  CHECK(numbers(scratch / "out.nc", "time") == std::vector<double>{0, 1, 2, 3});
  CHECK(numbers(scratch / "out.nc", "time_bnds") == std::vector<double>{0, 1, 1, 2, 2, 3, 3, 4});
}
