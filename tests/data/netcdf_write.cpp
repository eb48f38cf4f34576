#include "lacuna/data/netcdf_write.hpp"

#include <cmath>
#include <map>

#include "netcdf_maker.hpp"
#include "scratch.hpp"

using namespace lacuna;
using namespace lacuna::data;
using Catch::Matchers::Contains;

namespace {

constexpr float gap = not_observed;
const std::vector<std::string> usual = {"time", "lat", "lon"};

/// Fills every gap of `input` with `value`, spread 0.5.
void fill_with(const NetcdfInput& input, float value, const std::string& path,
               const NetcdfWriteOptions& options = {.history = "line"}) {
  std::vector<float> values = input.fields.values;
  for (float& x : values) x = std::isnan(x) ? value : x;
  write_filled(input, {values, std::vector<float>(values.size(), 0.5F)}, path, options);
}

template <class T>
std::vector<T> raw(const std::string& path, const std::string& name) {
  const auto file = netcdf::File::open(path);
  const auto variable = file.find(name).value();
  CHECK(variable.type == netcdf_type<T>());
  std::size_t size = 1;
  for (const auto& d : variable.dims) size *= d.size;
  std::vector<T> out(size);
  file.check(nc_get_var(file.id(), variable.id, out.data()), "reading");
  return out;
}

std::string attribute(const std::string& path, const std::string& variable, const std::string& name) {
  const auto file = netcdf::File::open(path);
  return netcdf::text_attribute(file, variable.empty() ? NC_GLOBAL : file.find(variable).value().id, name);
}

}  // namespace

TEST_CASE("A filled file keeps all but the gaps, in the input's format") {
  const Scratch scratch;
  const int mode = GENERATE(0, NC_64BIT_DATA, NC_NETCDF4, NC_NETCDF4 | NC_CLASSIC_MODEL);
  Maker(scratch / "in.nc", mode)
      .global()
      .att("history", "made")
      .att<float>("version", {3})
      .usual_grid()
      .dim("chars", 3)
      .var<float>("area", {"lat", "lon"})
      .put<float>({1, 2, 3, 4, 5, 6})
      .var<float>("other", usual)
      .var<float>("sst", usual)
      .att("units", "K")
      .att("long_name", "sea surface temperature")
      .att<float>("_FillValue", {-1})
      .put<float>({0.1F, -1, 2, 3, 4, -1, 6, 7, 8, -1, 10, -1});
  fill_with(read_netcdf_input({scratch / "in.nc"}, {"sst"}), 99, scratch / "out.nc");
  const std::string out = scratch / "out.nc";
  CHECK(netcdf::File::open(out).format() == netcdf::File::open(scratch / "in.nc").format());
  // The last cell is never observed: it stays missing.
  CHECK(raw<float>(out, "sst") == std::vector<float>{0.1F, 99, 2, 3, 4, -1, 6, 7, 8, 99, 10, -1});
  CHECK(raw<signed char>(out, "sst_observed") == std::vector<signed char>{1, 0, 1, 1, 1, -1, 1, 1, 1, 0, 1, -1});
  CHECK(raw<float>(out, "sst_spread")[1] == 0.5F);
  CHECK(raw<float>(out, "sst_spread")[5] == NC_FILL_FLOAT);
  CHECK(raw<float>(out, "area") == std::vector<float>{1, 2, 3, 4, 5, 6});
  CHECK(raw<double>(out, "time") == std::vector<double>{0, 1});
  CHECK(raw<float>(out, "lat") == std::vector<float>{60, 50});
  CHECK_FALSE(netcdf::File::open(out).find("other"));
  CHECK(netcdf::File::open(out).find("sst").value().dims[0].unlimited);
  CHECK(attribute(out, "sst", "units") == "K");
  CHECK(attribute(out, "sst_spread", "units") == "K");
  CHECK(attribute(out, "sst_spread", "long_name") == "sea surface temperature, standard deviation of the fill");
  CHECK(attribute(out, "sst_observed", "flag_meanings") == "filled observed");
  CHECK(attribute(out, "time", "units") == "days since 2000-01-01");
  CHECK(attribute(out, "", "history") == "made\nline");
  const auto file = netcdf::File::open(out);
  CHECK(netcdf::number_attribute(file, NC_GLOBAL, "version") == std::vector<double>{3});
  CHECK(netcdf::number_attribute(file, file.find("sst_observed").value().id, "flag_values") == std::vector<double>{0, 1});
}

TEST_CASE("A filled file reads back, and can be the input of another run") {
  const Scratch scratch;
  Maker(scratch / "in.nc").usual_grid().var<float>("v", usual).put<float>({0, gap, 2, 3, 4, 5, 6, 7, 8, 9, 10, gap});
  const auto input = read_netcdf_input({scratch / "in.nc"}, {"v"});
  fill_with(input, 50, scratch / "out.nc");
  const auto again = read_netcdf_input({scratch / "out.nc"}, {"v"});
  CHECK(again.fields.values == std::vector<float>{0, 50, 2, 3, 4, 5, 6, 7, 8, 9, 10, 50});
  CHECK(again.fields.grid.y == input.fields.grid.y);
  CHECK(again.fields.time == input.fields.time);
  fill_with(again, 50, scratch / "third.nc");
  CHECK(attribute(scratch / "third.nc", "", "history") == "line\nline");
}

TEST_CASE("A NaN fill value is no reason to unpack, and a NetCDF-4 output can be worked on") {
  const Scratch scratch;
  Maker(scratch / "in.nc", NC_NETCDF4)
      .usual_grid()
      .var<float>("v", usual)
      .att<float>("_FillValue", {gap})
      .put<float>({0, gap, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  fill_with(read_netcdf_input({scratch / "in.nc"}, {"v"}), 50, scratch / "out.nc");
  CHECK(attribute(scratch / "out.nc", "", "history") == "line");
  std::string order;
  for (const auto& variable : netcdf::File::open(scratch / "out.nc").variables()) order += variable.name + " ";
  CHECK(order == "time lat lon v v_spread v_observed ");
  int id = -1;
  REQUIRE(nc_open((scratch / "out.nc").c_str(), NC_WRITE, &id) == NC_NOERR);  // needs the order of creation in the file
  CHECK(nc_put_att_text(id, NC_GLOBAL, "note", 3, "abc") == NC_NOERR);
  CHECK(nc_close(id) == NC_NOERR);
}

TEST_CASE("Land is filled when asked") {
  const Scratch scratch;
  Maker(scratch / "in.nc").usual_grid().var<float>("v", usual).put<float>({0, 1, 2, 3, 4, gap, 6, 7, 8, 9, 10, gap});
  const auto input = read_netcdf_input({scratch / "in.nc"}, {"v"});
  fill_with(input, 50, scratch / "out.nc", {.fill_never_observed = true});
  CHECK(raw<float>(scratch / "out.nc", "v") == std::vector<float>{0, 1, 2, 3, 4, 50, 6, 7, 8, 9, 10, 50});
  CHECK_THAT(attribute(scratch / "out.nc", "", "history"), Contains("Z: gaps filled by lacuna"));
}

TEST_CASE("Packing is kept where it holds the result, and observed numbers are the same bits") {
  const Scratch scratch;
  Maker(scratch / "in.nc", NC_NETCDF4)
      .usual_grid()
      .var<short>("t", usual)
      .att<double>("scale_factor", {0.01})
      .att<double>("add_offset", {300})
      .att<short>("_FillValue", {-32768})
      .att<short>("missing_value", {77})
      .put<short>({-32768, 100, 77, 32767, -32767, 1, 2, 3, 4, 5, 6, 7});
  const auto input = read_netcdf_input({scratch / "in.nc"}, {"t"});
  SECTION("it holds it") {
    fill_with(input, 310.004F, scratch / "out.nc");
    CHECK(raw<short>(scratch / "out.nc", "t") == std::vector<short>{1000, 100, 1000, 32767, -32767, 1, 2, 3, 4, 5, 6, 7});
    CHECK(attribute(scratch / "out.nc", "", "history") == "line");
  }
  SECTION("it does not") {
    fill_with(input, 1000, scratch / "out.nc");
    const auto out = raw<float>(scratch / "out.nc", "t");
    CHECK(out[0] == 1000);
    CHECK(out[1] == Approx(301));
    CHECK(attribute(scratch / "out.nc", "", "history") == "line (t is unpacked to float: its packing cannot hold 1000)");
    const auto file = netcdf::File::open(scratch / "out.nc");
    for (const char* dropped : {"scale_factor", "add_offset", "missing_value"}) {
      CHECK_FALSE(netcdf::find_attribute(file, file.find("t").value().id, dropped));
    }
    CHECK(read_netcdf({scratch / "out.nc"}, {"t"}).values[0] == 1000);
  }
}

TEST_CASE("Computed values stay inside the valid range") {
  const Scratch scratch;
  Maker(scratch / "in.nc")
      .usual_grid()
      .var<float>("rh", usual)
      .att<float>("valid_range", {0, 100})
      .put<float>({0, -5, 2, 3, 4, 5, 6, 7, 8, 9, 10, 100});
  fill_with(read_netcdf_input({scratch / "in.nc"}, {"rh"}), 101.5F, scratch / "out.nc");
  CHECK(raw<float>(scratch / "out.nc", "rh")[1] == 100);
}

TEST_CASE("Dimensions in another order and single levels are written as they were") {
  const Scratch scratch;
  Maker(scratch / "in.nc")
      .dim("lon", 3)
      .dim("lev", 1)
      .dim("time", 2)
      .dim("lat", 1)
      .var<float>("v", {"lon", "lev", "time", "lat"})
      .put<float>({0, 1, 2, gap, 4, 5});
  fill_with(read_netcdf_input({scratch / "in.nc"}, {"v"}), 9, scratch / "out.nc");
  CHECK(raw<float>(scratch / "out.nc", "v") == std::vector<float>{0, 1, 2, 9, 4, 5});
  CHECK(netcdf::describe(netcdf::File::open(scratch / "out.nc").find("v_spread").value()) ==
        "v_spread(lon=3, lev=1, time=2, lat=1)");
}

TEST_CASE("What cannot be written is refused, and leaves an existing file and the folder alone") {
  const Scratch scratch;
  const int mode = GENERATE(0, NC_NETCDF4);
  const std::string in = scratch / "in.nc", out = scratch / "out.nc";
  // Random bits, so that compression does not make them fit.
  std::vector<float> values(std::size_t{600} * 6);
  unsigned state = 1;
  for (float& x : values) x = static_cast<float>(state = state * 1664525U + 1013904223U);
  values[5] = gap;
  std::vector<double> times(600);
  for (std::size_t t = 0; t < times.size(); ++t) times[t] = static_cast<double>(t);
  Maker(in, mode).usual_grid(times).var<float>("v", usual).put(values);
  const auto input = read_netcdf_input({in}, {"v"});
  put_content(out, "precious");
  const auto failure = [&](const std::string& path, bool overwrite) {
    return error_of([&] { fill_with(input, 1, path, {.overwrite = overwrite}); });
  };
  CHECK(failure(out, false) == out + ": exists already and overwriting was not asked for");
  CHECK_THAT(failure(in, true), Contains("the output is the input"));
  std::filesystem::create_symlink(in, scratch / "link.nc");
  CHECK_THAT(failure(scratch / "link.nc", true), Contains("the output is the input"));
  CHECK_THAT(failure(scratch / "no/out.nc", true), Contains("no does not exist"));
  {
    const FullDisk full(12000);
    const std::string message = failure(out, true);
    CHECK_THAT(message, Contains(out) && !Contains("\n") && !Contains(".tmp"));
  }
  CHECK(content(out) == "precious");
  CHECK(scratch.entries() == 3);
  CHECK(failure(out, true).empty());
  CHECK(read_netcdf({out}, {"v"}).values[5] == 1);
}

TEST_CASE("Sizes and names that do not fit are refused") {
  const Scratch scratch;
  Maker(scratch / "in.nc")
      .usual_grid()
      .var<float>("v", usual)
      .put(std::vector<float>(12, 1.F))
      .var<float>("v_spread", usual)
      .put(std::vector<float>(12, 1.F));
  const auto input = read_netcdf_input({scratch / "in.nc"}, {"v", "v_spread"});
  CHECK(error_of([&] { fill_with(input, 1, scratch / "out.nc"); }) == "the output would have two variables v_spread");
  const std::vector<float> few(3), right(24), infinite(24, INFINITY);
  CHECK_THROWS_AS(write_filled(input, {few, right}, scratch / "out.nc"), ShapeError);
  CHECK_THROWS_AS(write_filled(input, {infinite, right}, scratch / "out.nc"), DataError);
}

TEST_CASE("What varies is kept through reading and writing, whatever the offset and size") {
  const Scratch scratch;
  const double offset = GENERATE(1e9, 0.0), size = GENERATE(0.1, 1e300, 1e-200);
  if (offset != 0 && size != 0.1) return;
  std::vector<double> values;
  for (const double signal : {0, 3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5}) values.push_back(offset + size * signal);
  values[4] = NC_FILL_DOUBLE;
  Maker(scratch / "in.nc").usual_grid().var<double>("v", usual).put(values);
  const auto input = read_netcdf_input({scratch / "in.nc"}, {"v"});
  auto filled = input.fields.values;
  filled[4] = input.fields.affine_of(0).number(offset + 7 * size);
  std::vector<float> spread(filled.size(), 0.0F);
  spread[4] = static_cast<float>(2 * size / input.fields.affine_of(0).factor);
  write_filled(input, {filled, spread}, scratch / "out.nc");
  const auto out = netcdf::File::open(scratch / "out.nc");
  std::vector<double> got(12), got_spread(12);
  REQUIRE(nc_get_var_double(out.id(), out.find("v").value().id, got.data()) == NC_NOERR);
  REQUIRE(nc_get_var_double(out.id(), out.find("v_spread").value().id, got_spread.data()) == NC_NOERR);
  for (std::size_t i = 0; i < values.size(); ++i)
    if (i != 4) CHECK(got[i] == values[i]);
  CHECK(std::abs(got[4] - (offset + 7 * size)) < 1e-6 * size + 1e-15 * offset);
  CHECK(got_spread[4] == Approx(2 * size));
}

TEST_CASE("A packing with a large offset is unpacked to double where it cannot hold what was computed") {
  const Scratch scratch;
  Maker(scratch / "in.nc")
      .usual_grid()
      .var<short>("v", usual)
      .att<double>("add_offset", {1e9})
      .att<double>("scale_factor", {1e-3})
      .att<short>("_FillValue", {-1})
      .put<short>({0, 1, 2, 3, -1, 5, 6, 7, 8, 9, 10, 11});
  const auto input = read_netcdf_input({scratch / "in.nc"}, {"v"});
  auto filled = input.fields.values;
  filled[4] = input.fields.affine_of(0).number(1e9 + 100);  // short ends at 32.767
  write_filled(input, {filled, std::vector<float>(12)}, scratch / "out.nc");
  const auto out = netcdf::File::open(scratch / "out.nc");
  CHECK(out.find("v").value().type == NC_DOUBLE);
  std::vector<double> got(12);
  REQUIRE(nc_get_var_double(out.id(), out.find("v").value().id, got.data()) == NC_NOERR);
  CHECK(got[3] == 1e9 + 3e-3);
  CHECK(got[4] == Approx(1e9 + 100).epsilon(1e-12));
}

TEST_CASE("An input that changes is refused, one that is only touched is not") {
  const Scratch scratch;
  const std::string in = scratch / "in.nc", out = scratch / "out.nc";
  const auto make = [&](float first) {
    Maker(in).usual_grid().var<float>("v", usual).put<float>({first, gap, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  };
  make(0);
  const auto input = read_netcdf_input({in}, {"v"});
  const auto failure = [&] { return error_of([&] { fill_with(input, 1, out, {.overwrite = true}); }); };
  std::filesystem::last_write_time(in, std::filesystem::last_write_time(in) + std::chrono::seconds(5));
  CHECK(failure().empty());
  std::filesystem::remove(out);
  make(100);
  CHECK(failure() == in + " has been changed since it was read: it holds other values now");
  Maker(in).usual_grid({0, 1, 2}).var<float>("v", usual).put(std::vector<float>(18, 1.F));
  CHECK_THAT(failure(), Contains("has been changed since it was read"));
  std::filesystem::remove(in);
  CHECK_THAT(failure(), Contains(in));
  CHECK_FALSE(std::filesystem::exists(out));
  CHECK(scratch.entries() == 0);
}

TEST_CASE("What cannot become a header is known before anything is computed") {
  const Scratch scratch;
  const int mode = GENERATE(0, NC_NETCDF4);
  const std::string name(250, 'v');  // with _spread longer than names may be
  Maker(scratch / "in.nc", mode).usual_grid().var<float>(name, usual).put<float>({0, gap, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  const auto input = read_netcdf_input({scratch / "in.nc"}, {name});
  const std::string message = error_of([&] { require_writable(input, scratch / "out.nc"); });
  CHECK_THAT(message, Contains(scratch / "out.nc") && Contains(name + "_spread"));
  CHECK(scratch.entries() == 1);
  Maker(scratch / "in.nc", mode).usual_grid().var<float>("v", usual).put<float>({0, gap, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  CHECK_NOTHROW(require_writable(read_netcdf_input({scratch / "in.nc"}, {"v"}), scratch / "out.nc"));
  CHECK(scratch.entries() == 1);
}

TEST_CASE(
    "What the numbers stand for belongs to the content: another offset, another grid, other units of time are other inputs") {
  const Scratch scratch;
  const std::string in = scratch / "in.nc";
  const auto make = [&](double offset, float latitude, const std::string& units) {
    std::vector<double> values;
    for (int i = 0; i < 12; ++i) values.push_back(offset + 0.5 * i);
    values[4] = NC_FILL_DOUBLE;
    Maker(in)
        .dim("time", 2)
        .dim("lat", 2)
        .dim("lon", 3)
        .var<double>("time", {"time"})
        .att("units", units)
        .put<double>({0, 1})
        .var<float>("lat", {"lat"})
        .put<float>({latitude, 50})
        .var<double>("v", usual)
        .put(values);
  };
  make(1e9, 60, "days since 2000-01-01");
  const auto input = read_netcdf_input({in}, {"v"});
  SECTION("another offset") { make(2e9, 60, "days since 2000-01-01"); }
  SECTION("another latitude") { make(1e9, 61, "days since 2000-01-01"); }
  SECTION("other days") { make(1e9, 60, "days since 2001-01-01"); }
  CHECK_THAT(error_of([&] { fill_with(input, 1, scratch / "out.nc"); }), Contains("has been changed since it was read"));
  CHECK_FALSE(std::filesystem::exists(scratch / "out.nc"));
}
