#pragma once

#include <cmath>

#include "lacuna/autograd/parameter.hpp"
#include "lacuna/core/host_device.hpp"

namespace lacuna::ops {

/// @brief Parameters of attention over frames that all its layers share.
struct TimePositions {
  Parameter bias;         ///< (32, heads): added to the score of query and key by their distance in frames
  Parameter frequencies;  ///< (features / 2): of the rotary embedding; constant, its gradient stays zero
};

inline constexpr int position_buckets = 32;

/// @brief Bucket of the distance query - key: 16 for each sign; one for each of 0 .. 7, then eight logarithmic ones up to 32.
/// Source: Raffel et al. 2020, arXiv:1910.10683, with 32 buckets and a largest distance of 32.
/// In whole numbers, so that CPU and GPU agree: 8 log(n / 8) / log(4) >= j where (n / 8)^4 >= 2^j.
LACUNA_HOST_DEVICE inline int position_bucket(int distance) {
  const int side = distance < 0 ? position_buckets / 2 : 0, n = distance < 0 ? -distance : distance;
  if (n < 8) return side + n;
  if (n >= 32) return side + 15;
  const int power = n * n * n * n;
  int step = 0;
  while (step < 7 && power >= 8192 << step) ++step;
  return side + 8 + step;
}

/// @brief Cosine and sine (frames, pairs) of frame * frequency, the angles of the rotary embedding.
template <class T>
void rotary_tables(const T* frequencies, int frames, int pairs, T* cosine, T* sine) {
  for (int i = 0; i < frames * pairs; ++i) {
    const T angle = static_cast<T>(i / pairs) * frequencies[i % pairs];
    cosine[i] = std::cos(angle);
    sine[i] = std::sin(angle);
  }
}

}  // namespace lacuna::ops
