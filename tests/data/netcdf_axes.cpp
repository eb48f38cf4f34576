#include "lacuna/data/netcdf_axes.hpp"

#include "netcdf_maker.hpp"
#include "scratch.hpp"

using namespace lacuna;
using namespace lacuna::data::netcdf;

namespace {

Layout layout_of(const std::string& path, const std::string& name) {
  const File file = File::open(path);
  return locate(file, file.find(name).value());
}

std::vector<double> even(std::size_t count, double first, double step) {
  std::vector<double> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(first + step * static_cast<double>(i));
  return out;
}

}  // namespace

TEST_CASE("Axes are known by attributes even where names and order mislead") {
  const Scratch scratch;
  Maker(scratch / "a.nc")
      .dim("x", 2)
      .dim("lon", 3)
      .dim("lat", 4)
      .var<double>("x", {"x"})
      .att("standard_name", "latitude")
      .att("units", "degrees_north")
      .put<double>({10, 20})
      .var<double>("lon", {"lon"})
      .att("axis", "T")
      .put<double>({7, 8, 9})
      .var<double>("lat", {"lat"})
      .att("units", "degree_E")
      .put<double>({1, 2, 3, 4})
      .var<float>("v", {"x", "lon", "lat"});
  const Layout l = layout_of(scratch / "a.nc", "v");
  CHECK(l.y_axis == 0);
  CHECK(l.time_axis == 1);
  CHECK(l.x_axis == 2);
  CHECK(l.time == std::vector<double>{7, 8, 9});
  CHECK(l.grid.geographic);
}

TEST_CASE("Axes are known by names, then the unlimited dimension, then position") {
  const Scratch scratch;
  SECTION("names") {
    Maker(scratch / "a.nc")
        .dim("valid_time", 2)
        .dim("longitude", 3)
        .dim("latitude", 4)
        .var<float>("v", {"longitude", "latitude", "valid_time"});
    const Layout l = layout_of(scratch / "a.nc", "v");
    CHECK(l.x_axis == 0);
    CHECK(l.y_axis == 1);
    CHECK(l.time_axis == 2);
    CHECK_FALSE(l.grid.geographic);  // no coordinates, no degrees
    CHECK(l.grid.y == std::vector<double>{0, 1, 2, 3});
    CHECK(l.time == std::vector<double>{0, 1});
  }
  SECTION("unlimited") {
    Maker(scratch / "a.nc", NC_NETCDF4).dim("a", 4).dim("b", NC_UNLIMITED).dim("c", 3).var<float>("v", {"a", "b", "c"});
    const File file = File::open(scratch / "a.nc");
    CHECK(dimension_roles(file, file.find("v").value()) == std::vector<Role>{Role::y, Role::time, Role::x});
  }
  SECTION("position") {
    Maker(scratch / "a.nc").dim("a", 4).dim("b", 5).dim("c", 3).var<float>("v", {"a", "b", "c"});
    const Layout l = layout_of(scratch / "a.nc", "v");
    CHECK(l.time_axis == 0);
    CHECK(l.y_axis == 1);
    CHECK(l.x_axis == 2);
  }
}

TEST_CASE("One level is dropped, more are refused") {
  const Scratch scratch;
  Maker(scratch / "a.nc")
      .dim("time", 2)
      .dim("level", 1)
      .dim("plev", 3)
      .dim("lat", 2)
      .dim("lon", 3)
      .var<float>("one", {"time", "level", "lat", "lon"})
      .var<float>("three", {"time", "plev", "lat", "lon"})
      .var<float>("flat", {"time", "lon"});
  const Layout l = layout_of(scratch / "a.nc", "one");
  CHECK(l.y_axis == 2);
  CHECK(l.x_axis == 3);
  CHECK(error_of([&] { layout_of(scratch / "a.nc", "three"); }) ==
        scratch / "a.nc" +
            ": variable three(time=2, plev=3, lat=2, lon=3): dimension plev has 3 levels, only one is possible (extract one "
            "first)");
  CHECK(error_of([&] { layout_of(scratch / "a.nc", "flat"); }) ==
        scratch / "a.nc" + ": variable flat(time=2, lon=3) needs time, rows (latitude) and columns (longitude)");
}

TEST_CASE("A curvilinear grid is one of cell numbers") {
  const Scratch scratch;
  Maker(scratch / "a.nc")
      .dim("time", 2)
      .dim("nj", 2)
      .dim("ni", 3)
      .var<float>("lat", {"nj", "ni"})
      .att("units", "degrees_north")
      .var<float>("lon", {"nj", "ni"})
      .att("units", "degrees_east")
      .var<float>("ice", {"time", "nj", "ni"})
      .att("coordinates", "lon lat");
  const Layout l = layout_of(scratch / "a.nc", "ice");
  CHECK_FALSE(l.grid.geographic);
  CHECK(l.grid.x == std::vector<double>{0, 1, 2});
}

TEST_CASE("A grid is geographic when its coordinates are degrees on the sphere") {
  const Scratch scratch;
  const auto geographic = [&](const std::string& lat, const std::string& units_y, const std::string& units_x, double first) {
    Maker m(scratch / "a.nc");
    m.dim("time", 1).dim(lat, 2).dim("lon", 2);
    m.var<double>(lat, {lat}).att("units", units_y).put<double>({first, first + 1});
    m.var<double>("lon", {"lon"})
        .att("units", units_x)
        .put<double>({5, 6})
        .var<float>("v", {"time", lat, "lon"})
        .put<float>({1, 2, 3, 4});
  };
  geographic("lat", "degrees_north", "degrees_east", 88);
  CHECK(layout_of(scratch / "a.nc", "v").grid.geographic);
  geographic("lat", "", "", 20);
  CHECK(layout_of(scratch / "a.nc", "v").grid.geographic);
  geographic("lat", "degrees_north", "degrees_east", 90);  // 91 degrees is no latitude
  CHECK_FALSE(layout_of(scratch / "a.nc", "v").grid.geographic);
  geographic("y", "m", "m", 20);
  CHECK_FALSE(layout_of(scratch / "a.nc", "v").grid.geographic);
  geographic("rlat", "degrees", "degrees", 20);  // a rotated pole
  CHECK_FALSE(layout_of(scratch / "a.nc", "v").grid.geographic);
}

TEST_CASE("Only a full circle of even steps is periodic") {
  CHECK(full_circle(even(144, 20, 2.5)));
  CHECK(full_circle(even(360, -179.5, 1)));
  CHECK(full_circle(even(360, 179.5, -1)));
  CHECK(full_circle({0, 90, 180, -90}));
  CHECK_FALSE(full_circle(even(145, 20, 2.5)));  // the first column repeated at the end
  CHECK_FALSE(full_circle(even(143, 20, 2.5)));
  CHECK_FALSE(full_circle(even(36, -140, 2.5)));
  CHECK_FALSE(full_circle({0, 80, 180, 270}));
  CHECK_FALSE(full_circle({0, 120, 240}));
}

TEST_CASE("Coordinates with missing values are refused") {
  const Scratch scratch;
  Maker(scratch / "a.nc")
      .dim("time", 2)
      .dim("lat", 2)
      .dim("lon", 2)
      .var<float>("lat", {"lat"})
      .var<float>("v", {"time", "lat", "lon"});
  CHECK(error_of([&] { layout_of(scratch / "a.nc", "v"); }) ==
        scratch / "a.nc" + ": coordinate lat has missing or infinite values");
}
