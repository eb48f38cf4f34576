// ERA5 as the Copernicus Climate Data Store delivers it, today and before September 2024, is read and given back as it is.

#include "era5_maker.hpp"
#include "lacuna/data/netcdf.hpp"
#include "netcdf_maker.hpp"
#include "scratch.hpp"

using namespace lacuna;
using data::Fields;
using data::read_netcdf;

namespace {

constexpr float gap = data::not_observed;
constexpr int cells = 6;  // 2 latitudes x 3 longitudes
const std::vector<std::string> nine = {"u10", "v10", "t2m", "d2m", "msl", "sp", "sst", "tcwv", "tp"};

/// A file of today's form: hours from `first_hour` on, values that number its cells.
void write_new(const std::string& path, const std::vector<std::string>& names, long long first_hour, int hours,
               const std::vector<std::string>& versions) {
  const auto value = [=](const Era5Cell& c) {
    const auto at = static_cast<int>(c.hour - first_hour) * cells + 3 * c.y + c.x;
    return at == 1 ? gap : static_cast<float>(100 * (first_hour - 480000) + 10 * static_cast<int>(c.name.size()) + at);
  };
  write_era5(path, {.names = names, .first_hour = first_hour, .hours = hours, .value = value}, versions);
}

/// A file of the old form: with two versions the first two of three hours are final, the last preliminary; with an overlap the
/// second is both, with other values in the preliminary.
void write_old(const std::string& path, bool versions, int overlap = 0) {
  const auto value = [](const Era5Cell& c) {
    const auto t = static_cast<int>(c.hour - 480000), cell = 3 * c.y + c.x;
    return cell == 4 ? gap : 280 + 0.5F * static_cast<float>(100 * t + cell + (c.version == 5 && t < 2 ? 50 : 0));
  };
  Era5Legacy form{.scale = 0.5, .offset = 280};
  if (versions) form.preliminary_from = 2 - overlap, form.final_until = 2;
  write_legacy_era5(path, {.names = {"t2m"}, .value = value}, form);
}

/// What write_old holds in cell c of frame t.
float expected(int t, int c) { return c == 4 ? gap : 280 + 0.5F * static_cast<float>(100 * t + c); }

void check_old(const Fields& f) {
  REQUIRE(f.frames() == 3);
  for (int t = 0; t < 3; ++t)
    for (int c = 0; c < 6; ++c) {
      INFO(t << ' ' << c);
      const float value = f.at(t, c / 3, c % 3, 0);
      if (c == 4)
        CHECK(std::isnan(value));
      else
        CHECK(value == expected(t, c));
    }
}

}  // namespace

TEST_CASE("Nine variables of today's files, several in time and several by kind of step") {
  const Scratch scratch;
  const std::vector<std::string> instant(nine.begin(), nine.begin() + 8), accumulated{"tp"};
  write_new(scratch / "instant_b.nc", instant, 480002, 2, {"0005", "0005"});
  write_new(scratch / "instant_a.nc", instant, 480000, 2, {"0001", "0005"});
  write_new(scratch / "accum_a.nc", accumulated, 480000, 2, {"0001", "0001"});
  write_new(scratch / "accum_b.nc", accumulated, 480002, 2, {"0005", "0005"});
  const std::vector<std::string> files{scratch / "instant_b.nc", scratch / "instant_a.nc", scratch / "accum_a.nc",
                                       scratch / "accum_b.nc"};
  const Fields f = read_netcdf(files, nine);
  CHECK(f.variables() == 9);
  REQUIRE(f.frames() == 4);
  CHECK(f.time_units == "seconds since 1970-01-01");
  CHECK(f.time == std::vector<double>{480000 * 3600.0, 480001 * 3600.0, 480002 * 3600.0, 480003 * 3600.0});
  CHECK(f.grid.geographic);
  CHECK(f.grid.y == std::vector<double>{50, 49.75});
  CHECK(f.grid.x == std::vector<double>{10, 10.25, 10.5});
  for (int v = 0; v < 9; ++v) {
    INFO(nine[static_cast<std::size_t>(v)]);
    const auto length = static_cast<float>(nine[static_cast<std::size_t>(v)].size());
    CHECK(f.at(1, 1, 0, v) == 10 * length + 9);
    CHECK(f.at(2, 0, 0, v) == 200 + 10 * length);
    CHECK(std::isnan(f.at(0, 0, 1, v)));
    CHECK(std::isnan(f.at(2, 0, 1, v)));
  }
}

TEST_CASE("Today's files are given back with their coordinates, the scalar and the strings among them") {
  const Scratch scratch;
  write_new(scratch / "a.nc", {"t2m"}, 480000, 2, {"0001", "0005"});
  write_new(scratch / "b.nc", {"t2m"}, 480002, 1, {"0005"});
  const auto input = data::read_netcdf_input({scratch / "a.nc", scratch / "b.nc"}, {"t2m"});
  std::vector<float> values = input.fields.values, spread(values.size(), 0.5F);
  for (float& x : values) x = std::isnan(x) ? 7 : x;
  data::write_filled(input, {values, spread}, scratch / "out.nc");
  CHECK(read_netcdf({scratch / "out.nc"}, {"t2m"}).values == values);
  const auto out = data::netcdf::File::open(scratch / "out.nc");
  const auto expver = out.find("expver"), number = out.find("number");
  REQUIRE(expver);
  REQUIRE(number);
  CHECK(number->dims.empty());
  std::vector<char*> strings(3);
  REQUIRE(nc_get_var_string(out.id(), expver->id, strings.data()) == NC_NOERR);
  CHECK(std::string(strings[0]) + strings[1] + strings[2] == "000100050005");
  nc_free_string(3, strings.data());
}

TEST_CASE("The old form's versions are merged: the first that has a value counts") {
  const Scratch scratch;
  write_old(scratch / "plain.nc", false);
  check_old(read_netcdf({scratch / "plain.nc"}, {"t2m"}));
  const int overlap = GENERATE(0, 1);  // with 1 the second hour is in both, with other values in the preliminary
  write_old(scratch / "split.nc", true, overlap);
  check_old(read_netcdf({scratch / "split.nc"}, {"t2m"}));
}

TEST_CASE("A file of two versions is given back without that dimension, observed values bit for bit") {
  const Scratch scratch;
  write_old(scratch / "split.nc", true);
  const auto input = data::read_netcdf_input({scratch / "split.nc"}, {"t2m"});
  std::vector<float> values = input.fields.values, spread(values.size(), 0.5F);
  for (float& x : values) x = std::isnan(x) ? 281.5F : x;
  data::write_filled(input, {values, spread}, scratch / "out.nc", {.fill_never_observed = true});
  const Fields back = read_netcdf({scratch / "out.nc"}, {"t2m"});
  CHECK(back.values == values);
  const auto out = data::netcdf::File::open(scratch / "out.nc");
  CHECK(data::netcdf::describe(*out.find("t2m")) == "t2m(time=3, latitude=2, longitude=3)");
  CHECK(out.find("t2m")->type == NC_SHORT);
}

TEST_CASE("One pressure level is taken, several are refused") {
  const Scratch scratch;
  const int levels = GENERATE(1, 2);
  const auto count = static_cast<std::size_t>(levels);
  {
    Maker m(scratch / "p.nc", NC_NETCDF4);
    m.dim("valid_time", 2).dim("pressure_level", count).dim("latitude", 2).dim("longitude", 3);
    m.var<long long>("valid_time", {"valid_time"}).att("units", "seconds since 1970-01-01").put<long long>({0, 3600});
    m.var<double>("latitude", {"latitude"}).att("units", "degrees_north").put<double>({50, 49.75});
    m.var<double>("longitude", {"longitude"}).att("units", "degrees_east").put<double>({10, 10.25, 10.5});
    m.var<double>("pressure_level", {"pressure_level"}).att("units", "hPa").put(std::vector<double>(count, 500.0));
    m.var<float>("z", {"valid_time", "pressure_level", "latitude", "longitude"}).put(std::vector<float>(12 * count, 5.0F));
  }
  const auto message = error_of([&] { read_netcdf({scratch / "p.nc"}, {"z"}); });
  if (levels == 1)
    CHECK(message.empty());
  else
    CHECK_THAT(message, Catch::Matchers::Contains("dimension pressure_level has 2 levels"));
}
