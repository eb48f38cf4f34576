#include "lacuna/core/bfloat16.hpp"

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "catch.hpp"
#include "lacuna/core/simd.hpp"
#include "support/fill.hpp"

using namespace lacuna;

namespace {

constexpr auto lanes = static_cast<std::size_t>(simd::lanes);

/// Values, ties and what lies just beside them, for many exponents and both signs; the special ones last. A multiple of lanes.
std::vector<float> samples() {
  std::vector<float> x;
  for (const std::uint32_t upper : {0x0000u, 0x0001u, 0x007fu, 0x0080u, 0x3f80u, 0x3f81u, 0x4049u, 0x7f7fu, 0x7f7eu})
    for (const std::uint32_t lower : {0x0000u, 0x0001u, 0x7fffu, 0x8000u, 0x8001u, 0xffffu})
      for (const std::uint32_t sign : {0u, 0x80000000u}) x.push_back(std::bit_cast<float>(sign | upper << 16 | lower));
  for (const std::uint32_t bits : {0x7f800000u, 0xff800000u, 0x7f800001u, 0x7fffffffu, 0xffffffffu, 0x7fc00000u, 0xffc01234u})
    x.push_back(std::bit_cast<float>(bits));
  for (const float normal : test::normals<float>(1000, 1)) x.push_back(normal);
  x.resize(x.size() / lanes * lanes);
  return x;
}

}  // namespace

TEST_CASE("Bfloat16: rounds to nearest, ties to even") {
  const auto bits = [](float x) { return Bfloat16(x).bits; };
  CHECK(bits(1.0f) == 0x3f80);
  CHECK(bits(1.0f + 0x1p-8f) == 0x3f80);            // half way: the even one below
  CHECK(bits(1.0f + 0x1p-7f + 0x1p-8f) == 0x3f82);  // half way: the even one above
  CHECK(bits(1.0f + 0x1p-8f + 0x1p-20f) == 0x3f81);
  CHECK(bits(-1.0f - 0x1p-8f - 0x1p-20f) == 0xbf81);
  CHECK(bits(std::numeric_limits<float>::max()) == 0x7f80);  // beyond the largest: infinite, as in float arithmetic
  CHECK(std::signbit(static_cast<float>(Bfloat16(-0.0f))));
}

TEST_CASE("Bfloat16: what it holds is given back; NaN stays NaN, whatever its payload") {
  for (std::uint32_t i = 0; i <= 0xffff; ++i) {
    Bfloat16 x;
    x.bits = static_cast<std::uint16_t>(i);
    const auto value = static_cast<float>(x);
    if (std::isnan(value)) {
      REQUIRE(std::isnan(static_cast<float>(Bfloat16(value))));
    } else {
      REQUIRE(Bfloat16(value).bits == x.bits);
    }
  }
  for (const float x : samples()) CHECK(std::isnan(static_cast<float>(Bfloat16(x))) == std::isnan(x));
}

TEST_CASE("Bfloat16: an error is at most half of the last of eight bits") {
  for (const float x : test::normals<float>(1000, 2)) {
    const double error = std::abs(static_cast<double>(static_cast<float>(Bfloat16(x))) - static_cast<double>(x));
    CHECK(error <= std::abs(static_cast<double>(x)) * 0x1p-8);
  }
}

TEST_CASE("simd: sixteen bfloat16 are stored and loaded as one by one, and no more is touched") {
  const auto x = samples();
  for (std::size_t i = 0; i < x.size(); i += lanes) {
    std::vector<Bfloat16> narrow(lanes + 2, Bfloat16(7.0f));
    simd::store(narrow.data() + 1, simd::load(x.data() + i));
    std::vector<float> wide(lanes);
    simd::store(wide.data(), simd::load(narrow.data() + 1));
    for (std::size_t j = 0; j < lanes; ++j) {
      REQUIRE(narrow[1 + j].bits == Bfloat16(x[i + j]).bits);
      REQUIRE(std::bit_cast<std::uint32_t>(wide[j]) == std::uint32_t{narrow[1 + j].bits} << 16);
    }
    CHECK((narrow.front().bits == Bfloat16(7.0f).bits && narrow.back().bits == Bfloat16(7.0f).bits));
  }
}
