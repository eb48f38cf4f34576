#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

#include "lacuna/core/host_device.hpp"

namespace lacuna {

/// @brief Key of a Philox stream: one per run (seed) and purpose, so that streams never overlap.
struct PhiloxKey {
  std::uint32_t low = 0, high = 0;
  bool operator==(const PhiloxKey&) const = default;
};

/// @brief What a random number is for. Part of the key: masks stay the same when noise is drawn differently.
enum class Purpose : std::uint32_t {
  time = 1,
  noise,
  context,
  query,
  crop,
  window,
  gaps,  ///< of made data: what nobody observes
  initial,
  shuffle,
  sampling,
  ensemble,
  path,
  generate,
  withhold
};

/// @brief One 64-bit mixing step (SplitMix64 finaliser), to spread seeds and purposes over keys.
LACUNA_HOST_DEVICE constexpr std::uint64_t mix_bits(std::uint64_t z) {
  z += 0x9e3779b97f4a7c15ull;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

LACUNA_HOST_DEVICE constexpr PhiloxKey philox_key(std::uint64_t seed, Purpose purpose) {
  const std::uint64_t z = mix_bits(mix_bits(seed) ^ static_cast<std::uint64_t>(purpose));
  return {static_cast<std::uint32_t>(z), static_cast<std::uint32_t>(z >> 32)};
}

using PhiloxBlock = std::array<std::uint32_t, 4>;

/// @brief Philox4x32-10: four random words from a counter and a key.
///
/// Stateless, the same on every backend. Source: Salmon et al., SC 2011, doi:10.1145/2063384.2063405.
LACUNA_HOST_DEVICE constexpr PhiloxBlock philox(PhiloxBlock counter, PhiloxKey key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = 0xd2511f53ull * counter[0], b = 0xcd9e8d57ull * counter[2];
    counter = {static_cast<std::uint32_t>(b >> 32) ^ counter[1] ^ key.low, static_cast<std::uint32_t>(b),
               static_cast<std::uint32_t>(a >> 32) ^ counter[3] ^ key.high, static_cast<std::uint32_t>(a)};
    key.low += 0x9e3779b9u;
    key.high += 0xbb67ae85u;
  }
  return counter;
}

/// @brief The block of element `position` of sample `sample` in this stream.
LACUNA_HOST_DEVICE constexpr PhiloxBlock philox(PhiloxKey key, std::uint64_t sample, std::uint64_t position) {
  return philox({static_cast<std::uint32_t>(position), static_cast<std::uint32_t>(position >> 32),
                 static_cast<std::uint32_t>(sample), static_cast<std::uint32_t>(sample >> 32)},
                key);
}

/// @brief Uniform in [0, 1) with 24 bits: exact in float.
LACUNA_HOST_DEVICE constexpr float uniform(std::uint32_t word) { return static_cast<float>(word >> 8) * 0x1p-24f; }

/// @brief Uniform in (0, 1]: for logarithms.
LACUNA_HOST_DEVICE constexpr float uniform_above_zero(std::uint32_t word) {
  return static_cast<float>((word >> 8) + 1u) * 0x1p-24f;
}

/// @brief Integer in [0, count) (multiply-shift; the bias, count / 2^32, does not matter here).
LACUNA_HOST_DEVICE constexpr int uniform_below(std::uint32_t word, int count) {
  return static_cast<int>((static_cast<std::uint64_t>(word) * static_cast<std::uint64_t>(count)) >> 32);
}

/// @brief Natural logarithm of u in (0, 1]; 2 ulp. Every multiplication that feeds an addition is an explicit fused
/// multiply-add, so that no compiler may contract it differently: the same bits on every backend.
LACUNA_HOST_DEVICE inline float log_portable(float u) {
  const auto bits = std::bit_cast<std::uint32_t>(u);
  int exponent = static_cast<int>(bits >> 23) - 126;
  float m = std::bit_cast<float>((bits & 0x007fffffu) | 0x3f000000u);  // in [0.5, 1)
  const bool small = m < 0.70710678f;
  m = small ? m + m - 1.0f : m - 1.0f;  // m + m is exact: contraction cannot change it
  exponent = small ? exponent - 1 : exponent;
  const float e = static_cast<float>(exponent);
  float p = 7.0376836292e-2f;
  p = std::fma(p, m, -1.1514610310e-1f);
  p = std::fma(p, m, 1.1676998740e-1f);
  p = std::fma(p, m, -1.2420140846e-1f);
  p = std::fma(p, m, 1.4249322787e-1f);
  p = std::fma(p, m, -1.6668057665e-1f);
  p = std::fma(p, m, 2.0000714765e-1f);
  p = std::fma(p, m, -2.4999993993e-1f);
  p = std::fma(p, m, 3.3333331174e-1f);
  const float square = m * m;
  const float cube = square * m;
  float y = std::fma(cube, p, e * -2.12194440e-4f);
  y = std::fma(-0.5f, square, y);
  return std::fma(e, 0.693359375f, m + y);
}

/// @brief sin and cos of 2 pi u for u in [0, 1); 2 ulp near 1, by octants and polynomials in explicit fused form.
LACUNA_HOST_DEVICE inline std::array<float, 2> sin_cos_turn(float u) {
  const float eighths = u * 8.0f;  // exact
  auto octant = static_cast<int>(eighths);
  octant += octant & 1;                                                           // to the nearest even octant
  const float r = (eighths - static_cast<float>(octant)) * 0.78539816339744831f;  // in [-pi/4, pi/4]
  const float z = r * r;
  float s = std::fma(-1.9515295891e-4f, z, 8.3321608736e-3f);
  s = std::fma(s, z, -1.6666654611e-1f);
  const float rz = r * z;
  s = std::fma(s, rz, r);
  float c = std::fma(2.443315711809948e-5f, z, -1.388731625493765e-3f);
  c = std::fma(c, z, 4.166664568298827e-2f);
  const float zz = z * z;
  c = std::fma(c, zz, std::fma(-0.5f, z, 1.0f));
  const int quadrant = (octant >> 1) & 3;
  const float a = (quadrant & 1) ? c : s, b = (quadrant & 1) ? s : c;
  return {(quadrant & 2) ? -a : a, (quadrant == 1 || quadrant == 2) ? -b : b};
}

/// @brief Two independent standard normal variates from two random words (Box and Muller, 1958).
/// The tail ends at sqrt(48 ln 2) = 5.8 standard deviations.
LACUNA_HOST_DEVICE inline std::array<float, 2> normal_pair(std::uint32_t first, std::uint32_t second) {
  const float radius = std::sqrt(-2.0f * log_portable(uniform_above_zero(first)));
  const auto [s, c] = sin_cos_turn(uniform(second));
  return {radius * c, radius * s};
}

/// @brief Four independent standard normal variates from one block.
LACUNA_HOST_DEVICE inline std::array<float, 4> normals(const PhiloxBlock& block) {
  const auto [a, b] = normal_pair(block[0], block[1]);
  const auto [c, d] = normal_pair(block[2], block[3]);
  return {a, b, c, d};
}

}  // namespace lacuna
