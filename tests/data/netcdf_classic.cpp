#include "lacuna/data/netcdf_classic.hpp"

#include "netcdf_maker.hpp"
#include "scratch.hpp"

using namespace lacuna;
using namespace lacuna::data::netcdf;
using Catch::Matchers::Contains;

namespace {

std::uint64_t needed(const std::string& path) { return ClassicHeader(path).bytes_needed(); }

}  // namespace

TEST_CASE("A file needs all of its bytes but the padding at its end") {
  const Scratch scratch;
  const int mode = GENERATE(0, NC_64BIT_OFFSET, NC_64BIT_DATA);
  const std::string path = scratch / "a.nc";
  std::size_t padding = 0;
  SECTION("a fixed variable at the end") {
    Maker(path, mode)
        .dim("n", 5)
        .var<double>("a", {"n"})
        .put<double>({1, 2, 3, 4, 5})
        .var<short>("b", {"n"})
        .put<short>({1, 2, 3, 4, 5});
    padding = 2;
  }
  SECTION("records of two variables") {
    Maker(path, mode)
        .dim("t", NC_UNLIMITED)
        .dim("n", 3)
        .var<short>("a", {"t", "n"})
        .put<short>({1, 2, 3, 4, 5, 6})
        .var<signed char>("b", {"t"})
        .put<signed char>({1, 2});
    padding = 3;
  }
  SECTION("records of a single variable are not padded") {
    Maker(path, mode).dim("t", NC_UNLIMITED).dim("n", 3).var<signed char>("a", {"t", "n"}).put(std::vector<signed char>(15, 1));
    padding = (4 - 15 % 4) % 4;
  }
  SECTION("attributes of every length, and a variable of one value") {
    Maker m(path, mode);
    m.global().att("title", "a").att<double>("two", {1, 2}).att<short>("one", {7});
    m.var<float>("a", {}).att("units", "metres").put<float>({1});
  }
  const std::uint64_t size = std::filesystem::file_size(path);
  CHECK(needed(path) <= size);
  CHECK(needed(path) + padding >= size);
}

TEST_CASE("A file of records without any is whole") {
  const Scratch scratch;
  Maker(scratch / "a.nc").dim("t", NC_UNLIMITED).var<double>("a", {"t"});
  CHECK(needed(scratch / "a.nc") <= std::filesystem::file_size(scratch / "a.nc"));
}

TEST_CASE("Damaged headers get one line, whatever is wrong") {
  const Scratch scratch;
  const std::string path = scratch / "a.nc", good = scratch / "good.nc";
  Maker(good).dim("n", 5).global().att("title", "some words").var<short>("b", {"n"}).put<short>({1, 2, 3, 4, 5});
  const std::string bytes = content(good);
  put_content(path, "CDG" + bytes.substr(3));
  CHECK(error_of([&] { needed(path); }) == path + ": is not a classic NetCDF file");
  for (std::size_t length = 0; length < 100; length += 7) {
    put_content(path, bytes.substr(0, length));
    CHECK_THAT(error_of([&] { needed(path); }), Contains("is truncated: it ends within its header"));
  }
  int refused = 0;
  for (std::size_t at = 4; at < bytes.size(); ++at) {  // no byte leads to more than an error
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(0xff);
    put_content(path, damaged);
    refused += error_of([&] { needed(path); }).empty() ? 0 : 1;
  }
  CHECK(refused > 20);
}
