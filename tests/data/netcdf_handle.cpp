#include "lacuna/data/netcdf_handle.hpp"

#include <sys/stat.h>

#include "netcdf_maker.hpp"
#include "scratch.hpp"

using namespace lacuna;
using namespace lacuna::data::netcdf;
using Catch::Matchers::Contains;

TEST_CASE("Opening what is no NetCDF file says so") {
  const Scratch scratch;
  const std::string path = scratch / "a.nc";
  const auto failure = [&](const std::string& name) { return error_of([&] { File::open(name); }); };
  CHECK(failure(scratch / "none.nc") == scratch / "none.nc" + ": there is no such file");
  CHECK_THAT(failure(scratch / "."), Contains("is a folder, not a NetCDF file"));
  put_content(path, "");
  CHECK(failure(path) == path + ": is not a NetCDF file (or is damaged, or another program is writing it)");
  put_content(path, "time,lat,lon\n1,2,3\n");
  CHECK(failure(path) == path + ": is not a NetCDF file (or is damaged, or another program is writing it)");
}

TEST_CASE("A truncated file is refused, whatever its format") {
  const Scratch scratch;
  const int mode = GENERATE(0, NC_NETCDF4);
  const std::string path = scratch / "a.nc";
  Maker(path, mode).usual_grid().var<float>("u", {"time", "lat", "lon"}).put(std::vector<float>(1200, 1.F));
  CHECK_NOTHROW(File::open(path));
  put_content(path, content(path).substr(0, content(path).size() / 2));
  CHECK_THAT(error_of([&] { File::open(path); }), Contains(mode == 0 ? "is truncated" : "is damaged"));
}

TEST_CASE("A classic file is refused if it lacks as little as a byte of its values") {
  const Scratch scratch;
  const std::string path = scratch / "a.nc";
  Maker(path).usual_grid().var<float>("u", {"time", "lat", "lon"}).put(std::vector<float>(12, 1.F));
  const std::string bytes = content(path);
  CHECK_NOTHROW(File::open(path));
  for (const std::size_t lost : {1, 4, 48, 80}) {
    put_content(path, bytes.substr(0, bytes.size() - lost));
    CHECK_THAT(error_of([&] { File::open(path); }), Contains("is truncated: it has"));
  }
}

TEST_CASE("What one would wait for is no file") {
  const Scratch scratch;
  REQUIRE(::mkfifo((scratch / "fifo").c_str(), 0600) == 0);
  CHECK(error_of([&] { File::open(scratch / "fifo"); }) == scratch / "fifo" + ": is not a regular file");
}

TEST_CASE("Attributes come as text, as numbers and in the variable's own bits") {
  const Scratch scratch;
  const std::string path = scratch / "a.nc";
  Maker(path, NC_NETCDF4)
      .dim("n", 1)
      .var<signed char>("v", {"n"})
      .att("units", "m s-1")
      .att<double>("scale_factor", {0.5})
      .att<double>("missing_value", {-1, 200, 2.5, -128})
      .att<signed char>("_FillValue", {-1});
  const File file = File::open(path);
  const auto v = file.find("v").value();
  CHECK(describe(v) == "v(n=1)");
  CHECK(text_attribute(file, v.id, "units") == "m s-1");
  CHECK(text_attribute(file, v.id, "scale_factor").empty());
  CHECK(number_attribute(file, v.id, "scale_factor") == std::vector<double>{0.5});
  CHECK(number_attribute(file, v.id, "units").empty());
  CHECK(number_attribute(file, v.id, "none").empty());
  CHECK(native_attribute<std::int8_t>(file, v, "missing_value") == std::vector<std::int8_t>{-1, -128});
  CHECK(native_attribute<std::uint8_t>(file, v, "_FillValue") == std::vector<std::uint8_t>{255});
  CHECK_FALSE(file.find("w"));
}
