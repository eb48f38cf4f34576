#pragma once

#include <cstddef>
#include <vector>

#include "lacuna/core/simd.hpp"
#include "lacuna/sampler/welford.hpp"

namespace lacuna::sampler {

/// @brief One member of an ensemble as the sampler leaves it: background + weight * anomaly, each as long as the moments.
struct Member {
  const float* background;
  const float* anomaly;
  const float* weight;
};

/// @brief Welford's update by one member, in place; keep is 1 / (members so far). The plain version, and the one on lanes.
inline void add_member_plain(const Member& m, float keep, float* mean, float* squares, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) add_member(m.background[i] + m.weight[i] * m.anomaly[i], keep, mean[i], squares[i]);
}
inline void add_member(const Member& m, float keep, float* mean, float* squares, std::size_t size) {
  const std::size_t whole = size - size % simd::lanes;
  simd::run([m, keep, mean, squares, whole]() LACUNA_KERNEL {
    for (std::size_t i = 0; i < whole; i += simd::lanes) {
      const simd::Floats x = simd::load(m.background + i) + simd::load(m.weight + i) * simd::load(m.anomaly + i);
      const simd::Floats old = simd::load(mean + i), before = x - old, updated = old + before * keep;
      simd::store(mean + i, updated);
      simd::store(squares + i, simd::load(squares + i) + before * (x - updated));
    }
  });
  add_member_plain({m.background + whole, m.anomaly + whole, m.weight + whole}, keep, mean + whole, squares + whole,
                   size - whole);
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

  void add(const Member& member) {
    add_member(member, 1.0f / static_cast<float>(++count_), mean_.data(), squares_.data(), mean_.size());
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
