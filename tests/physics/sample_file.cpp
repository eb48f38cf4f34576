#include "lacuna/physics/sample_file.hpp"

#include "../data/scratch.hpp"
#include "catch.hpp"

using namespace lacuna;
using namespace lacuna::physics;
using Catch::Matchers::Contains;

namespace {

Description two_variables() {
  Description d{.name = "test", .title = "A test", .time_units = "s", .length_units = "m", .double_precision = true};
  d.variables = {{"a", "m", "first"}, {"b", "m s-1", "second"}};
  d.parameters = {{"p", "1", "parameter"}};
  d.time = {0, 0.5, 1};
  d.y = {1, 2};
  d.x = {3, 4};
  d.settings = {{"speed", 2.5}};
  return d;
}

Sample numbered(double first) {
  Sample s{.parameters = {first / 3}};
  for (int i = 0; i < 24; ++i) s.values.push_back(first + 0.1 * i);
  return s;
}

}  // namespace

TEST_CASE("Samples come back as they were written, in any order, and others are not there") {
  const Scratch scratch;
  const std::string path = scratch / "s.nc";
  {
    auto file = SampleFile::open_or_create(path, two_variables(), 5, 9);
    CHECK(file.samples() == 5);
    CHECK(file.count_complete() == 0);
    file.write(3, numbered(3));
    file.write(0, numbered(0));
  }
  CHECK(scratch.entries() == 1);
  auto file = SampleFile::open_or_create(path, two_variables(), 5, 9);
  CHECK(file.count_complete() == 2);
  CHECK(file.complete(3));
  CHECK_FALSE(file.complete(4));
  file.write(4, numbered(4));
  file.close();
  const SampleFile back(path);
  CHECK(back.variables() == std::vector<std::string>{"a", "b"});
  CHECK(back.parameters() == std::vector<std::string>{"p"});
  for (const std::size_t i : {0U, 3U, 4U}) {
    CHECK(back.read(i).values == numbered(static_cast<double>(i)).values);
    CHECK(back.read(i).parameters == numbered(static_cast<double>(i)).parameters);
  }
  CHECK_THAT(error_of([&] { back.read(1); }), Contains("sample 1 is not there yet (3 of 5 are)"));
  CHECK_THAT(error_of([&] { back.read(5); }), Contains("sample 5 of 5"));
}

TEST_CASE("The file keeps its size and describes itself") {
  const Scratch scratch;
  const std::string path = scratch / "s.nc";
  auto file = SampleFile::open_or_create(path, two_variables(), 100, 1);
  const auto before = std::filesystem::file_size(path);
  CHECK(before > 100 * 24 * 8);
  for (std::size_t i = 0; i < 100; ++i) file.write(i, numbered(1));
  file.close();
  CHECK(std::filesystem::file_size(path) == before);
  const auto in = data::netcdf::File::open(path);
  CHECK(data::netcdf::text_attribute(in, NC_GLOBAL, "set") == "test");
  CHECK(data::netcdf::text_attribute(in, NC_GLOBAL, "seed") == "1");
  CHECK(data::netcdf::number_attribute(in, NC_GLOBAL, "speed") == std::vector<double>{2.5});
  const auto b = in.find("b");
  REQUIRE(b);
  CHECK(data::netcdf::describe(*b) == "b(sample=100, time=3, y=2, x=2)");
  CHECK(data::netcdf::text_attribute(in, b->id, "units") == "m s-1");
}

TEST_CASE("A file of other settings is refused, and stays as it is") {
  const Scratch scratch;
  const std::string path = scratch / "s.nc";
  SampleFile::open_or_create(path, two_variables(), 5, 9).write(2, numbered(2));
  const std::string kept = content(path);
  Description other = two_variables();
  const auto refused = [&](const Description& d, std::size_t samples, std::uint64_t seed) {
    const std::string message = error_of([&] { SampleFile::open_or_create(path, d, samples, seed); });
    CHECK_THAT(message, Contains(path));
    CHECK(content(path) == kept);
    return message;
  };
  CHECK_THAT(refused(other, 5, 10), Contains("exists with seed 9, asked for 10"));
  CHECK_THAT(refused(other, 6, 9), Contains("exists with samples 5, asked for 6"));
  other.settings[0].second = 3;
  CHECK_THAT(refused(other, 5, 9), Contains("exists with speed 2.5, asked for 3"));
  other = two_variables();
  other.name = "another";
  CHECK_THAT(refused(other, 5, 9), Contains("exists with set test, asked for another"));
  other = two_variables();
  other.time.push_back(1.5);
  CHECK_THAT(refused(other, 5, 9), Contains("exists with frames 3, asked for 4"));
  other = two_variables();
  other.time[1] = 0.6;
  CHECK_THAT(refused(other, 5, 9), Contains("time 1 at 0.5, asked for 0.6"));
  other = two_variables();
  other.variables[1].units = "km s-1";
  CHECK_THAT(refused(other, 5, 9), Contains("exists with b in units of m s-1, asked for km s-1"));
}

TEST_CASE("Samples of another version are refused") {
  const Scratch scratch;
  const std::string path = scratch / "s.nc";
  SampleFile::open_or_create(path, two_variables(), 5, 9).close();
  int file = -1;
  REQUIRE(nc_open(path.c_str(), NC_WRITE, &file) == NC_NOERR);
  REQUIRE(nc_redef(file) == NC_NOERR);
  REQUIRE(nc_put_att_text(file, NC_GLOBAL, "source", 12, "lacuna 0.0.1") == NC_NOERR);
  REQUIRE(nc_close(file) == NC_NOERR);
  CHECK_THROWS_AS(SampleFile::open_or_create(path, two_variables(), 5, 9), OtherSamples);
  CHECK_THAT(error_of([&] { SampleFile::open_or_create(path, two_variables(), 5, 9); }),
             Contains(text("exists with source lacuna 0.0.1, asked for lacuna ", version)));
}

TEST_CASE("What is no file of samples is refused") {
  const Scratch scratch;
  put_content(scratch / "text.nc", "no NetCDF");
  CHECK_THAT(error_of([&] { SampleFile::open_or_create(scratch / "text.nc", two_variables(), 1, 0); }), Contains("text.nc"));
  CHECK(content(scratch / "text.nc") == "no NetCDF");
  auto plain = data::netcdf::File::create(scratch / "plain.nc", NC_NETCDF4, "plain.nc");
  plain.close();
  CHECK_THAT(error_of([&] { SampleFile(scratch / "plain.nc"); }), Contains("is not a file of generated samples"));
  CHECK_THAT(error_of([&] { SampleFile(scratch / "absent.nc"); }), Contains("there is no such file"));
  CHECK_THROWS_AS(SampleFile::open_or_create(scratch / "none.nc", two_variables(), 0, 0), OptionError);
  CHECK_THROWS_AS(SampleFile::open_or_create(scratch / "none.nc", two_variables(), ~std::size_t{0}, 0), OptionError);
  CHECK_FALSE(std::filesystem::exists(scratch / "none.nc"));
}

TEST_CASE("A disk without room is noticed before anything is made") {
  const Scratch scratch;
  {
    const FullDisk full(1 << 16);
    CHECK_THAT(error_of([&] { SampleFile::open_or_create(scratch / "s.nc", two_variables(), 1000, 0); }),
               Contains("no room for"));
  }
  CHECK(scratch.entries() == 0);
}

TEST_CASE("A sample of another shape is an error") {
  const Scratch scratch;
  auto file = SampleFile::open_or_create(scratch / "s.nc", two_variables(), 2, 0);
  Sample bad = numbered(0);
  bad.values.pop_back();
  CHECK_THROWS_AS(file.write(0, bad), ShapeError);
  CHECK_FALSE(file.complete(0));
}
