#include "lacuna/data/netcdf_copy.hpp"

#include "netcdf_maker.hpp"
#include "netcdf_rewrite.hpp"
#include "scratch.hpp"

using namespace lacuna;
using namespace lacuna::data;
using namespace rewrite;

TEST_CASE("Several files become one: the first gives coordinates, each its variable") {
  const Scratch scratch;
  Maker(scratch / "a.nc")
      .usual_grid()
      .dim("lev", 1)
      .var<float>("lev", {"lev"})
      .put<float>({1000})
      .var<float>("u", {"time", "lev", "lat", "lon"})
      .put(twelve);
  Maker(scratch / "b.nc", NC_NETCDF4)
      .dim("t", 2)
      .dim("lev", 1)
      .dim("y", 2)
      .dim("x", 3)
      .var<float>("w", {"t", "lev", "y", "x"})
      .put(twelve);
  write_back({scratch / "a.nc", scratch / "b.nc"}, {"u", "w"}, scratch / "out.nc");
  const auto out = netcdf::File::open(scratch / "out.nc");
  CHECK(out.format() == NC_FORMAT_NETCDF4);
  CHECK(netcdf::describe(out.find("u").value()) == "u(time=2, lev=1, lat=2, lon=3)");
  CHECK(netcdf::describe(out.find("w").value()) == "w(time=2, lev_w=1, lat=2, lon=3)");
  CHECK(numbers(scratch / "out.nc", "lev") == std::vector<double>{1000});
  CHECK(numbers(scratch / "out.nc", "w") == std::vector<double>(twelve.begin(), twelve.end()));
}

TEST_CASE("Strings and characters are copied") {
  const Scratch scratch;
  {
    Maker m(scratch / "a.nc", NC_NETCDF4);
    m.usual_grid().var<float>("u", usual).put(twelve);
  }
  int id = -1, chars = -1, words = -1, dim = -1;
  REQUIRE(nc_open((scratch / "a.nc").c_str(), NC_WRITE, &id) == NC_NOERR);
  nc_redef(id);
  REQUIRE(nc_def_dim(id, "n", 3, &dim) == NC_NOERR);
  REQUIRE(nc_def_var(id, "chars", NC_CHAR, 1, &dim, &chars) == NC_NOERR);
  REQUIRE(nc_def_var(id, "words", NC_STRING, 1, &dim, &words) == NC_NOERR);
  const char* list[] = {"one", "two", "three"};
  REQUIRE(nc_put_var_text(id, chars, "abc") == NC_NOERR);
  REQUIRE(nc_put_var_string(id, words, list) == NC_NOERR);
  REQUIRE(nc_put_att_string(id, words, "meaning", 3, list) == NC_NOERR);
  REQUIRE(nc_close(id) == NC_NOERR);
  write_back({scratch / "a.nc"}, {"u"}, scratch / "out.nc");
  const auto out = netcdf::File::open(scratch / "out.nc");
  std::string text(3, ' ');
  REQUIRE(nc_get_var_text(out.id(), out.find("chars").value().id, text.data()) == NC_NOERR);
  CHECK(text == "abc");
  char* got[3] = {};
  REQUIRE(nc_get_var_string(out.id(), out.find("words").value().id, got) == NC_NOERR);
  CHECK(std::string(got[2]) == "three");
  nc_free_string(3, got);
  CHECK(netcdf::text_attribute(out, out.find("words").value().id, "meaning") == "one");
}

TEST_CASE("A _FillValue of another type is written in the variable's, or left out where that does not hold it") {
  const Scratch scratch;
  const double fill = GENERATE(-999.0, 1e300);
  int id = -1, variable = -1, dims[3] = {};
  Maker(scratch / "a.nc").usual_grid();
  REQUIRE(nc_open((scratch / "a.nc").c_str(), NC_WRITE, &id) == NC_NOERR);
  nc_redef(id);
  for (int d = 0; d < 3; ++d) dims[d] = d;
  REQUIRE(nc_def_var(id, "u", NC_FLOAT, 3, dims, &variable) == NC_NOERR);
  REQUIRE(nc_put_att_double(id, variable, "_FillXalue", NC_DOUBLE, 1, &fill) == NC_NOERR);  // the library refuses the real name
  nc_enddef(id);
  const std::size_t start[3] = {}, count[3] = {2, 2, 3};
  REQUIRE(nc_put_vara_float(id, variable, start, count, twelve.data()) == NC_NOERR);
  REQUIRE(nc_close(id) == NC_NOERR);
  std::string bytes = content(scratch / "a.nc");
  bytes[bytes.find("_FillXalue") + 5] = 'V';
  put_content(scratch / "a.nc", bytes);
  write_back({scratch / "a.nc"}, {"u"}, scratch / "out.nc");
  const auto out = netcdf::File::open(scratch / "out.nc");
  const auto written = netcdf::number_attribute(out, out.find("u").value().id, "_FillValue");
  CHECK(written == (fill == -999 ? std::vector<double>{-999} : std::vector<double>{}));
}
