#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "lacuna/core/philox.hpp"

namespace lacuna::test {

/// Standard normal variates from a stream of their own.
template <class T>
std::vector<T> normals(std::size_t size, std::uint64_t stream) {
  const auto key = philox_key(20240607, Purpose::noise);
  std::vector<T> x(size);
  for (std::size_t i = 0; i < size; i += 4) {
    const auto four = lacuna::normals(philox(key, stream, i / 4));
    for (std::size_t k = i; k < std::min(i + 4, size); ++k) x[k] = static_cast<T>(four[k - i]);
  }
  return x;
}

/// Ones with this probability, else zeros.
inline std::vector<std::uint8_t> coins(std::size_t size, float probability, std::uint64_t stream) {
  const auto key = philox_key(20240607, Purpose::query);
  std::vector<std::uint8_t> x(size);
  for (std::size_t i = 0; i < size; ++i) x[i] = uniform(philox(key, stream, i)[0]) < probability ? 1 : 0;
  return x;
}

template <class T>
inline constexpr T nan = std::numeric_limits<T>::quiet_NaN();

/// A buffer between two runs of sentinels.
template <class T>
class Guarded {
 public:
  explicit Guarded(const std::vector<T>& content) : size_(content.size()), all_(content.size() + 2 * margin, sentinel) {
    std::copy(content.begin(), content.end(), data());
  }
  explicit Guarded(std::size_t size) : Guarded(std::vector<T>(size, sentinel)) {}

  T* data() { return all_.data() + margin; }
  std::vector<T> content() const { return {all_.begin() + margin, all_.begin() + margin + static_cast<std::ptrdiff_t>(size_)}; }
  bool intact() const {
    for (std::size_t i = 0; i < margin; ++i)
      if (all_[i] != sentinel || all_[margin + size_ + i] != sentinel) return false;
    return true;
  }

 private:
  static constexpr std::size_t margin = 37;  // odd, so that nothing inside is aligned by accident
  static constexpr T sentinel = T(113);
  std::size_t size_;
  std::vector<T> all_;
};

}  // namespace lacuna::test
