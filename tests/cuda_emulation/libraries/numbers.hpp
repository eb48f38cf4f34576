#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace cuda_emulation {

inline float from_bfloat16(std::uint16_t bits) {
  const std::uint32_t wide = static_cast<std::uint32_t>(bits) << 16u;
  float value = 0;
  std::memcpy(&value, &wide, sizeof value);
  return value;
}
/// To the nearest, ties to even; NaN stays NaN.
inline std::uint16_t to_bfloat16(float value) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  if (value != value) return 0x7fff;
  return static_cast<std::uint16_t>((bits + 0x7fffu + (bits >> 16u & 1u)) >> 16u);
}

/// @brief An array of floats or bfloat16, read and written as float.
struct Numbers {
  void* data;
  bool bfloat16;
  float operator[](std::size_t i) const {
    return bfloat16 ? from_bfloat16(static_cast<const std::uint16_t*>(data)[i]) : static_cast<const float*>(data)[i];
  }
  void set(std::size_t i, float value) const {
    if (bfloat16)
      static_cast<std::uint16_t*>(data)[i] = to_bfloat16(value);
    else
      static_cast<float*>(data)[i] = value;
  }
};

}  // namespace cuda_emulation
