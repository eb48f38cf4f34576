#include "lacuna/core/philox.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "catch.hpp"

using namespace lacuna;

namespace {

/// Distance to the exact value in units of the float's last place.
double ulps(float value, double exact) {
  const float rounded = std::abs(static_cast<float>(exact));
  const double unit = static_cast<double>(std::nextafter(rounded, 10.0f)) - static_cast<double>(rounded);
  return std::abs(static_cast<double>(value) - exact) / unit;
}

/// Numbers that exercise every function whose bits must not depend on the instruction set.
inline void fill(float* out, std::uint64_t count) {
  const PhiloxKey key = philox_key(5, Purpose::noise);
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto block = philox(key, 1, i);
    const auto n = normals(block);
    const auto turn = sin_cos_turn(uniform(block[0]));
    const float value[8] = {
        n[0], n[1], n[2], n[3], turn[0], turn[1], log_portable(uniform_above_zero(block[1])), uniform(block[2])};
    std::memcpy(out + 8 * i, value, sizeof value);
  }
}

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define LACUNA_TEST_TARGETS 1
__attribute__((noinline, flatten, target("avx2,fma"))) void fill_avx2(float* out, std::uint64_t count) { fill(out, count); }
__attribute__((noinline, flatten, target("avx512f,avx512dq,avx512vl,avx512bw,fma"))) void fill_avx512(float* out,
                                                                                                      std::uint64_t count) {
  fill(out, count);
}
#endif

}  // namespace

TEST_CASE("Philox4x32-10: Random123's known answers") {
  CHECK(philox({0, 0, 0, 0}, {0, 0}) == PhiloxBlock{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  constexpr std::uint32_t ones = 0xffffffff;
  CHECK(philox({ones, ones, ones, ones}, {ones, ones}) == PhiloxBlock{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        PhiloxBlock{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
  STATIC_REQUIRE(philox({0, 0, 0, 0}, PhiloxKey{0, 0})[0] == 0x6627e8d5);
}

TEST_CASE("Philox: keys, samples and positions have streams of their own") {
  const PhiloxKey key = philox_key(1, Purpose::context);
  CHECK(key != philox_key(1, Purpose::query));
  CHECK(key != philox_key(2, Purpose::context));
  CHECK(philox(key, 0, 1) != philox(key, 1, 0));
  CHECK(philox(key, std::uint64_t{1} << 32, 0) != philox(key, 1, 0));
  CHECK(philox(key, 0, std::uint64_t{1} << 32) != philox(key, 0, 1));
  CHECK(philox(key, 3, 4) == philox(key, 3, 4));
}

TEST_CASE("Uniform numbers stay in their intervals and reach their ends") {
  CHECK(uniform(0) == 0.0f);
  CHECK(uniform(0xffffffff) == 1.0f - 0x1p-24f);
  CHECK(uniform_above_zero(0) == 0x1p-24f);
  CHECK(uniform_above_zero(0xffffffff) == 1.0f);
  CHECK(uniform_below(0, 9) == 0);
  CHECK(uniform_below(0xffffffff, 9) == 8);
  CHECK(uniform_below(0xffffffff, 1) == 0);
}

TEST_CASE("log_portable is within 2 ulp over (0, 1]") {
  double worst = 0;
  const auto check = [&](std::uint32_t k) {
    const float u = static_cast<float>(k) * 0x1p-24f;
    worst = std::max(worst, ulps(log_portable(u), std::log(static_cast<double>(u))));
  };
  for (std::uint32_t k = 1; k < (1u << 24); k += k < 65536 || k > (1u << 24) - 65536 ? 1 : 37) check(k);
  CHECK(log_portable(1.0f) == 0.0f);
  CHECK(worst <= 2);
}

TEST_CASE("sin_cos_turn is accurate and exact at the quarters") {
  double worst = 0;
  const double pi = std::acos(-1.0);
  for (std::uint32_t k = 0; k < (1u << 24); k += 13) {
    const float u = static_cast<float>(k) * 0x1p-24f;
    const auto [s, c] = sin_cos_turn(u);
    worst = std::max({worst, std::abs(static_cast<double>(s) - std::sin(2 * pi * static_cast<double>(u))),
                      std::abs(static_cast<double>(c) - std::cos(2 * pi * static_cast<double>(u)))});
  }
  CHECK(worst <= 2 * 0x1p-24);  // 2 ulp just below 1
  using Pair = std::array<float, 2>;
  CHECK(sin_cos_turn(0.0f) == Pair{0, 1});
  CHECK(sin_cos_turn(0.25f) == Pair{1, 0});
  CHECK(sin_cos_turn(0.5f) == Pair{0, -1});
  CHECK(sin_cos_turn(0.75f) == Pair{-1, 0});
}

TEST_CASE("Normals have the moments of the standard normal distribution and are uncorrelated") {
  const PhiloxKey key = philox_key(11, Purpose::noise);
  const int blocks = 100000;
  double sum[4] = {}, beyond = 0, product = 0, largest = 0;
  for (int i = 0; i < blocks; ++i) {
    const auto n = normals(philox(key, 0, static_cast<std::uint64_t>(i)));
    for (const float value : n) {
      double power = 1;
      for (double& s : sum) s += power *= static_cast<double>(value);
      beyond += std::abs(value) > 1.959964f;
      largest = std::max(largest, std::abs(static_cast<double>(value)));
    }
    product += static_cast<double>(n[0]) * static_cast<double>(n[1]);
  }
  const double count = 4.0 * blocks;
  const auto within = [&](double mean, double expected, double variance) {
    return std::abs(mean - expected) < 4 * std::sqrt(variance / count);
  };
  CHECK(within(sum[0] / count, 0, 1));
  CHECK(within(sum[1] / count, 1, 2));
  CHECK(within(sum[2] / count, 0, 15));
  CHECK(within(sum[3] / count, 3, 96));
  CHECK(within(beyond / count, 0.05, 0.05 * 0.95));
  CHECK(std::abs(product / blocks) < 4 / std::sqrt(static_cast<double>(blocks)));
  CHECK((largest > 4 && largest < 5.8));
}

TEST_CASE("Normals at the ends of their words are finite") {
  for (const std::uint32_t a : {0u, 0xffffffffu})
    for (const std::uint32_t b : {0u, 0xffffffffu}) {
      const auto [x, y] = normal_pair(a, b);
      CHECK((std::isfinite(x) && std::isfinite(y)));
      CHECK(std::hypot(x, y) < 5.8f);
    }
}

TEST_CASE("The same bits for every instruction set") {
  std::vector<float> plain(8 * 5000);
  fill(plain.data(), 5000);
  CHECK(std::count_if(plain.begin(), plain.end(), [](float x) { return !std::isfinite(x); }) == 0);
  std::uint64_t digest = 0;
  for (const float x : plain) digest = mix_bits(digest ^ std::bit_cast<std::uint32_t>(x));
  CHECK(digest == 18391539692099846300ull);  // the same for every compiler and option too
#ifdef LACUNA_TEST_TARGETS
  const auto same = [&](auto* function) {
    std::vector<float> other(plain.size());
    function(other.data(), 5000);
    return std::memcmp(plain.data(), other.data(), plain.size() * sizeof(float)) == 0;
  };
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) CHECK(same(fill_avx2));
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512bw"))
    CHECK(same(fill_avx512));
#endif
}
