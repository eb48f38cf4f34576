#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

#include "lacuna/core/host_device.hpp"

namespace lacuna::sampler {

/// @brief Takes member number `count` (from 1) of one element into its running mean and sum of squared deviations;
/// weight = 1 / count.
LACUNA_HOST_DEVICE inline void add_member(float x, float weight, float& mean, float& squares) {
  const float before = x - mean;
  mean += before * weight;
  squares += before * (x - mean);
}

/// @brief Unbiased standard deviation; 0 while there are fewer than two members.
LACUNA_HOST_DEVICE inline float deviation_of(float squares, int count) {
  return count > 1 ? std::sqrt(squares < 0.0f ? 0.0f : squares / static_cast<float>(count - 1)) : 0.0f;
}

/// @brief Running mean and variance over ensemble members, one pass per member.
///
/// add() reads the member once and updates mean and sum of squared deviations in place; no member is kept.
/// NaN: shows in its element. Source: Welford 1962, doi:10.1080/00401706.1962.10490022.
class RunningMoments {
 public:
  explicit RunningMoments(std::size_t size = 0) : mean_(size, 0.0f), squares_(size, 0.0f) {}

  void reset(std::size_t size) {
    mean_.assign(size, 0.0f);
    squares_.assign(size, 0.0f);
    count_ = 0;
  }

  /// member(i) gives element i of the next member.
  template <class Member>
  void add(const Member& member) {
    ++count_;
    const float weight = 1.0f / static_cast<float>(count_);
    for (std::size_t i = 0; i < mean_.size(); ++i) add_member(member(i), weight, mean_[i], squares_[i]);
  }

  int count() const { return count_; }
  const std::vector<float>& mean() const { return mean_; }
  /// Unbiased standard deviation of element i; 0 while there are fewer than two members.
  float deviation(std::size_t i) const { return deviation_of(squares_[i], count_); }

 private:
  std::vector<float> mean_, squares_;
  int count_ = 0;
};

}  // namespace lacuna::sampler
