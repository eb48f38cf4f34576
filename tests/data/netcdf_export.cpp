#include "lacuna/data/netcdf_export.hpp"

#include "lacuna/data/netcdf_read.hpp"
#include "scratch.hpp"

using namespace lacuna;
using namespace lacuna::data;
using Catch::Matchers::Contains;

namespace {

Fields example(bool geographic) {
  Fields f;
  f.grid = {.y = {10, 20}, .x = {0, 90, 180, 270}, .geographic = geographic, .periodic_x = geographic};
  f.time = {1.5, 2.5, 3.5};
  f.time_units = "days since 2001-01-01";
  f.names = {"u", "v"};
  for (int i = 0; i < 48; ++i) f.values.push_back(i % 7 == 3 ? not_observed : static_cast<float>(i));
  return f;
}

}  // namespace

TEST_CASE("Fields written to a file of their own read back") {
  const Scratch scratch;
  const bool geographic = GENERATE(true, false);
  const Fields out = example(geographic);
  write_netcdf(scratch / "a.nc", out);
  const Fields in = read_netcdf({scratch / "a.nc"}, {"u", "v"});
  CHECK(in.grid.geographic == geographic);
  CHECK(in.grid.periodic_x == geographic);
  CHECK(in.grid.x == out.grid.x);
  CHECK(in.grid.y == out.grid.y);
  CHECK(in.time == out.time);
  CHECK(in.time_units == out.time_units);
  for (std::size_t i = 0; i < out.values.size(); ++i) {
    CHECK((std::isnan(in.values[i]) ? std::isnan(out.values[i]) : in.values[i] == out.values[i]));
  }
}

TEST_CASE("An existing file is kept unless told, and when the disk is full") {
  const Scratch scratch;
  put_content(scratch / "a.nc", "precious");
  const Fields f = example(true);
  CHECK_THAT(error_of([&] { write_netcdf(scratch / "a.nc", f); }), Contains("exists already"));
  {
    const FullDisk full(1000);
    CHECK_THAT(error_of([&] { write_netcdf(scratch / "a.nc", f, true); }), Contains("cannot be written: File too large"));
  }
  CHECK(content(scratch / "a.nc") == "precious");
  CHECK(scratch.entries() == 1);
  Fields bad = f;
  bad.values.pop_back();
  CHECK_THROWS_AS(write_netcdf(scratch / "b.nc", bad), ShapeError);
}
