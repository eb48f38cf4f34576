#include "lacuna/data/netcdf_plan.hpp"

#include "netcdf_maker.hpp"
#include "scratch.hpp"

using namespace lacuna;
using namespace lacuna::data;
using namespace lacuna::data::netcdf;

TEST_CASE("A computed value is packed to the nearest number that reads back as data") {
  const Encoding<std::int16_t> e{.packing = {.scale = 0.5, .offset = 10}, .codes = {4, -32768}, .low = -100, .high = 100};
  CHECK(encode(e, 10.0) == std::int16_t{0});
  CHECK(encode(e, 10.7) == std::int16_t{1});
  CHECK(encode(e, 12.0) == std::int16_t{5});      // 4 means missing
  CHECK(encode(e, 1000.0) == std::int16_t{100});  // kept inside the valid range
  CHECK(encode(e, -1000.0) == std::int16_t{-100});
}

TEST_CASE("A value the type cannot hold is said to be so") {
  const Encoding<std::int16_t> e{.packing = {.scale = 0.5}};
  CHECK(encode(e, 16383.5) == std::int16_t{32767});
  CHECK_FALSE(encode(e, 16384.0));
  CHECK_FALSE(encode(e, -16385.0));
  const Encoding<std::uint8_t> bytes{};
  CHECK(encode(bytes, 255.4) == std::uint8_t{255});
  CHECK_FALSE(encode(bytes, -1.0));
  const Encoding<std::int64_t> wide{};
  CHECK_FALSE(encode(wide, 9.3e18));
  const Encoding<float> packed{.packing = {.scale = 1e-30}};
  CHECK_FALSE(encode(packed, 1e30));
}

TEST_CASE("A floating-point value that equals a missing code moves by one step") {
  const Encoding<float> e{.codes = {-1, 0}};
  CHECK(encode(e, -1.0) == std::nextafter(-1.0F, 0.0F));
  CHECK(encode(e, 0.0) == std::numeric_limits<float>::denorm_min());
  CHECK(encode(e, 2.5) == 2.5F);
}

TEST_CASE("A range in unpacked units bounds the unpacked value") {
  const Encoding<std::int16_t> e{.packing = {.scale = 0.5}, .low = 0, .high = 10, .range_is_unpacked = true};
  CHECK(encode(e, 50.0) == std::int16_t{20});
  CHECK(encode(e, -3.0) == std::int16_t{0});
}

TEST_CASE("Cells are observed, computed or left missing") {
  NetcdfInput input;
  input.fields.grid = {.y = {0}, .x = {0, 1, 2}};
  input.fields.time = {0, 1};
  input.fields.names = {"v"};
  input.fields.values.resize(6);
  input.observed = {1, 0, 0, 0, 1, 0};  // the last cell is never observed
  const std::vector<float> values = {5, 5, 5, not_observed, 5, 5}, spread(6, 0.F);
  const auto states = [&](bool all) {
    const Filling filling(input, {values, spread}, all);
    std::vector<int> out;
    for (std::size_t i = 0; i < 6; ++i) out.push_back(filling.state(i));
    return out;
  };
  CHECK(states(false) == std::vector<int>{1, 0, -1, -1, 1, -1});
  CHECK(states(true) == std::vector<int>{1, 0, 0, -1, 1, 0});
}
