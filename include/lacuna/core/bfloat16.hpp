#pragma once

#include <bit>
#include <cstdint>

namespace lacuna {

/// @brief The upper half of a float: its range, with eight bits of precision. For storage; arithmetic is done in float.
///
/// Rounding is to nearest, ties to even, as matrix units do it. NaN stays NaN.
struct Bfloat16 {
  std::uint16_t bits;

  Bfloat16() = default;
  explicit constexpr Bfloat16(float x) : bits(round(std::bit_cast<std::uint32_t>(x))) {}
  explicit constexpr operator float() const { return std::bit_cast<float>(std::uint32_t{bits} << 16); }

 private:
  static constexpr std::uint16_t round(std::uint32_t x) {
    const bool nan = (x & 0x7fffffffu) > 0x7f800000u;
    return static_cast<std::uint16_t>((nan ? x | 0x00400000u : x + 0x7fffu + (x >> 16 & 1u)) >> 16);
  }
};

}  // namespace lacuna
