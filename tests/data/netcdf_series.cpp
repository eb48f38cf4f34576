#include "lacuna/data/netcdf_series.hpp"

#include "netcdf_maker.hpp"
#include "scratch.hpp"

using namespace lacuna;
using namespace lacuna::data::netcdf;
using Catch::Matchers::Contains;

TEST_CASE("Numbers on one time scale become numbers on another, where both can be read") {
  const TimeConversion hours({"hours since 2000-01-02", ""}, {"days since 2000-01-01", "standard"}, "a and b");
  CHECK_FALSE(hours.same());
  CHECK(hours(36) == 2.5);
  CHECK(TimeConversion({"days since 2000-01-01", ""}, {"days since 2000-1-1 00:00", ""}, "").same());
  CHECK(TimeConversion({"", ""}, {"days since 2000-01-01", ""}, "").same());
  CHECK(TimeConversion({"months since 2000-01-01", "noleap"}, {"months since 2000-01-01", "noleap"}, "").same());
  for (const TimeScale& other : {TimeScale{"months since 2000-01-01", ""}, {"days since 2000-01-01", "noleap"}, {"frames", ""}})
    CHECK_THAT(error_of([&] {
                 TimeConversion(other, {"hours since 2000-01-01", ""}, "a and b");
               }),
               Contains("times cannot be compared: a and b are in 'hours since 2000-01-01'") && Contains(other.units));
}

TEST_CASE("Parts of a variable are put in order whatever their names, in the units of the earliest") {
  const Scratch scratch;
  const std::string early = scratch / "z.nc", late = scratch / "a.nc";
  const auto make = [](const std::string& path, const std::string& units, const std::vector<double>& times) {
    Maker(path)
        .dim("time", times.size())
        .dim("lat", 2)
        .dim("lon", 3)
        .var<double>("time", {"time"})
        .att("units", units)
        .put(times)
        .var<float>("u", {"time", "lat", "lon"})
        .put(std::vector<float>(6 * times.size(), 1.0F));
  };
  make(early, "days since 2000-01-01", {0, 1});
  make(late, "days since 2000-01-06", {-3, 2});
  for (const auto& paths : {std::vector<std::string>{early, late}, {late, early}}) {
    const auto all = find_series(paths, {"u"});
    CHECK(all[0].parts[0].path == early);
    CHECK(all[0].time() == std::vector<double>{0, 1, 2, 7});
    for (const Layout& part : all[0].parts) CHECK(part.time_units == "days since 2000-01-01");
  }
  make(late, "", {7, 8});
  CHECK_THAT(error_of([&] { find_series({early, late}, {"u"}); }), Contains("one has no units of time"));
}
