#include "lacuna/data/netcdf_encoding.hpp"

#include "netcdf_maker.hpp"
#include "scratch.hpp"

using namespace lacuna;
using namespace lacuna::data::netcdf;

namespace {

template <class T, class F>
Encoding<T> encoding_of(const Scratch& scratch, const F& attributes) {
  {
    Maker m(scratch / "a.nc");
    m.dim("n", 1);
    attributes(m);
  }
  const File file = File::open(scratch / "a.nc");
  return read_encoding<T>(file, file.find("v").value());
}

}  // namespace

TEST_CASE("The range of a packed variable is in the units its type says") {
  const Scratch scratch;
  SECTION("packed: an integer range") {
    const auto e = encoding_of<std::int16_t>(scratch, [](Maker& m) {
      m.var<short>("v", {"n"}).att<float>("scale_factor", {0.5F}).att<short>("valid_range", {0, 10});
    });
    CHECK_FALSE(e.missing(10));
    CHECK(e.missing(11));
    CHECK(e.missing(-1));
  }
  SECTION("unpacked: a floating-point range") {
    const auto e = encoding_of<std::int16_t>(scratch, [](Maker& m) {
      m.var<short>("v", {"n"}).att<float>("scale_factor", {0.5F}).att<float>("valid_range", {0, 10});
    });
    CHECK_FALSE(e.missing(20));
    CHECK(e.missing(21));
  }
  SECTION("unsigned bits") {
    const auto e = encoding_of<std::uint8_t>(scratch, [](Maker& m) {
      m.var<signed char>("v", {"n"}).att("_Unsigned", "true").att<signed char>("valid_range", {0, -6});
    });
    CHECK_FALSE(e.missing(250));
    CHECK(e.missing(251));
  }
}

TEST_CASE("Own fill values take the place of the default one") {
  const Scratch scratch;
  const auto plain = encoding_of<std::int16_t>(scratch, [](Maker& m) { m.var<short>("v", {"n"}); });
  CHECK(plain.missing(NC_FILL_SHORT));
  const auto own = encoding_of<std::int16_t>(scratch, [](Maker& m) { m.var<short>("v", {"n"}).att<short>("_FillValue", {0}); });
  CHECK_FALSE(own.missing(NC_FILL_SHORT));
  CHECK(own.missing(0));
}

TEST_CASE("A scale factor of zero is refused") {
  const Scratch scratch;
  CHECK(error_of([&] {
          encoding_of<float>(scratch, [](Maker& m) { m.var<float>("v", {"n"}).att<float>("scale_factor", {0}); });
        }) == scratch / "a.nc" + ": variable v: scale_factor 0 and add_offset 0 cannot be used");
}

TEST_CASE("Blocks of frames follow the file's order of dimensions") {
  const Scratch scratch;
  Maker(scratch / "a.nc")
      .dim("lon", 2)
      .dim("time", 3)
      .dim("lat", 2)
      .var<int>("v", {"lon", "time", "lat"})
      .put<int>({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  const File file = File::open(scratch / "a.nc");
  const auto block = read_block<std::int32_t>(file, locate(file, file.find("v").value()), 1, 2);
  CHECK(block.values == std::vector<std::int32_t>{2, 3, 4, 5, 8, 9, 10, 11});
  CHECK(block.at(0, 0, 0) == 2);  // frame 1, row 0, column 0
  CHECK(block.at(1, 1, 0) == 5);
  CHECK(block.at(1, 0, 1) == 10);
}
