#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>
#include <vector>

#include "lacuna/core/philox.hpp"

namespace lacuna {

/// @brief A number that changes with any bit of the bytes, and with their order and count (not cryptographic). Reads eight bytes
/// at a time in four chains, so it costs a small part of reading or writing the bytes.
inline std::uint64_t digest_bytes(std::span<const std::byte> bytes, std::uint64_t seed = 0) {
  constexpr std::size_t word = sizeof(std::uint64_t), chains = 4;
  std::array<std::uint64_t, chains> sums{};
  for (std::size_t c = 0; c < chains; ++c) sums[c] = mix_bits(seed + c);
  std::size_t at = 0;
  for (std::size_t turn = 0; at + word <= bytes.size(); at += word, ++turn) {
    std::uint64_t value = 0;
    std::memcpy(&value, bytes.data() + at, word);
    sums[turn % chains] = mix_bits(sums[turn % chains] ^ value);
  }
  std::uint64_t rest = 0;
  if (at < bytes.size()) std::memcpy(&rest, bytes.data() + at, bytes.size() - at);
  std::uint64_t all = mix_bits(bytes.size() ^ mix_bits(rest));
  for (const std::uint64_t sum : sums) all = mix_bits(all ^ sum);
  return all;
}

/// @brief A number that changes with any bit of the numbers; all NaN are taken as the same.
template <class T>
std::uint64_t digest(const std::vector<T>& values) {
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  std::uint64_t sum = 0;
  for (const T value : values) sum = mix_bits(sum ^ (std::isnan(value) ? Bits{0x7fc00000u} : std::bit_cast<Bits>(value)));
  return sum;
}

}  // namespace lacuna
