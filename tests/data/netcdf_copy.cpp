#include "lacuna/data/netcdf_copy.hpp"

#include <cmath>

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

namespace {

/// A variable of type T with a _FillValue of type F, which the library would refuse.
template <class T, class F>
void make_mistyped(const std::string& path, F fill, const std::vector<T>& values, const char* is_unsigned = nullptr) {
  {
    Maker maker(path);
    maker.usual_grid().var<T>("u", usual).template att<F>("_FillXalue", {fill});
    if (is_unsigned != nullptr) maker.att("_Unsigned", is_unsigned);
    maker.put(values);
  }
  std::string bytes = content(path);
  bytes[bytes.find("_FillXalue") + 5] = 'V';
  put_content(path, bytes);
}

/// The _FillValue that comes out.
std::vector<double> written_fill(const Scratch& scratch) {
  write_back({scratch / "a.nc"}, {"u"}, scratch / "out.nc");
  const auto out = netcdf::File::open(scratch / "out.nc");
  return netcdf::number_attribute(out, out.find("u").value().id, "_FillValue");
}

}  // namespace

TEST_CASE("A _FillValue of another type is written as what it means in the variable's, or left out where it means nothing") {
  const Scratch scratch;
  const std::vector<int> whole = {-999, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  SECTION("a number that the type holds") {
    make_mistyped<float, double>(scratch / "a.nc", -999.0, twelve);
    CHECK(written_fill(scratch) == std::vector<double>{-999});
  }
  SECTION("one beyond the type") {
    make_mistyped<float, double>(scratch / "a.nc", 1e300, twelve);
    CHECK(written_fill(scratch).empty());
  }
  SECTION("half a number: -999 stays observed") {
    make_mistyped<int, double>(scratch / "a.nc", -999.5, whole);
    CHECK(written_fill(scratch).empty());
    CHECK(read_netcdf({scratch / "out.nc"}, {"u"}).values[0] == -999);
  }
  SECTION("NaN of whole numbers") {
    make_mistyped<int, double>(scratch / "a.nc", std::nan(""), whole);
    CHECK(written_fill(scratch).empty());
  }
  SECTION("unsigned bytes in signed ones") {
    make_mistyped<signed char, short>(scratch / "a.nc", 255, {-1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, "true");
    CHECK(written_fill(scratch) == std::vector<double>{-1});  // the bits of 255
    const auto again = read_netcdf({scratch / "out.nc"}, {"u"});
    CHECK(std::isnan(again.values[0]));
    CHECK(again.values[1] == 1);
  }
}
