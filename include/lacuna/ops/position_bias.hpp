#pragma once

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "lacuna/autograd/parameter.hpp"

namespace lacuna::ops {

/// @brief Parameters of attention over frames that all its layers share.
struct TimePositions {
  Parameter bias;         ///< (32, heads): added to the score of query and key by their distance in frames
  Parameter frequencies;  ///< (features / 2): of the rotary embedding; constant, its gradient stays zero
};

inline constexpr int position_buckets = 32;

/// @brief Bucket of the distance query - key: 16 for each sign; one for each of 0 .. 7, then eight logarithmic ones up to 32.
/// Source: Raffel et al. 2020, arXiv:1910.10683, with 32 buckets and a largest distance of 32.
inline int position_bucket(int distance) {
  const int side = distance < 0 ? position_buckets / 2 : 0, n = std::abs(distance);
  if (n < 8) return side + n;
  return side + std::min(15, 8 + static_cast<int>(8 * std::log(n / 8.0) / std::log(4.0)));
}

}  // namespace lacuna::ops
