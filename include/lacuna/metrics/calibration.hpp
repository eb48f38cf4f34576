#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "lacuna/core/error.hpp"

namespace lacuna::metrics {

/// @brief Continuous ranked probability score of a normal law about an estimate that is wrong by `error`; |error| for spread 0.
/// Units: the error's. Smaller is better. Source: Gneiting et al. 2005, doi:10.1175/MWR2904.1, eq. 5.
inline double crps_normal(double error, double spread) {
  constexpr double root_2 = 1.4142135623730951, inverse_root_pi = 0.5641895835477563;
  if (spread <= 0) return std::abs(error);
  const double z = error / spread;
  return spread * (z * std::erf(z / root_2) + inverse_root_pi * (root_2 * std::exp(-0.5 * z * z) - 1.0));
}

/// @brief The same for members x_1 .. x_K that stand for the law: mean |x_k - truth| - sum over pairs |x_j - x_k| / (K (K - 1)).
///
/// Unbiased: its expectation is the score of the law that the members were drawn from, however few they are.
/// Throws: ShapeError for fewer than two members, DataError if they or the truth are not finite. Cost: O(K log K).
/// Source: Ferro 2014, doi:10.1002/qj.2270, eq. 4 (the "fair" score).
template <class T>
double crps_ensemble(std::span<const T> members, double truth) {
  const std::size_t n = members.size();
  require<ShapeError>(n >= 2, "crps_ensemble: ", n, " members, a score needs at least 2");
  const bool finite = std::all_of(members.begin(), members.end(), [](T x) { return std::isfinite(x); });
  require<DataError>(finite && std::isfinite(truth), "crps_ensemble: the truth or one of the members is not finite");
  std::vector<double> sorted(members.begin(), members.end());
  std::sort(sorted.begin(), sorted.end());
  const auto count = static_cast<double>(n);
  double miss = 0, apart = 0;
  for (std::size_t k = 0; k < n; ++k) {
    miss += std::abs(sorted[k] - truth);
    apart += (2.0 * static_cast<double>(k) + 1.0 - count) * sorted[k];
  }
  return miss / count - apart / (count * (count - 1.0));
}

/// @brief Shares of the central intervals that are looked at.
inline constexpr std::array<double, 2> interval_shares{0.5, 0.9};

/// @brief Whether estimates that come with a standard deviation miss the truth by as much as they say, taken as normal laws.
class SpreadScores {
 public:
  /// error = estimate - truth, or its negative; spread >= 0. Throws: OptionError for a spread that is negative or not a number.
  void add(double error, double spread) {
    require<OptionError>(spread >= 0, "SpreadScores: a spread of ", spread, ", expected 0 or more");
    const double inside = spread > 0 ? std::erf(std::abs(error) / spread / 1.4142135623730951) : error == 0 ? 0.0 : 1.0;
    for (std::size_t i = 0; i < interval_shares.size(); ++i) covered_[i] += inside <= interval_shares[i] ? 1.0 : 0.0;
    crps_ += crps_normal(error, spread);
    squared_errors_ += error * error;
    variances_ += spread * spread;
    ++count_;
  }

  std::size_t count() const { return count_; }
  /// Share of the truths within the central interval of interval_shares[i]: that share itself if all is well.
  double coverage(std::size_t i) const { return covered_[i] / over(); }
  double crps() const { return crps_ / over(); }
  double mse() const { return squared_errors_ / over(); }
  /// Root mean square of the errors over that of the spreads: 1 if all is well, more if the spreads are too small.
  double scale() const { return variances_ > 0 ? std::sqrt(squared_errors_ / variances_) : 0.0; }

 private:
  double over() const { return std::max(1.0, static_cast<double>(count_)); }

  std::array<double, interval_shares.size()> covered_{};
  double crps_ = 0, squared_errors_ = 0, variances_ = 0;
  std::size_t count_ = 0;
};

/// @brief Whether the truth could be one more member of an ensemble: rank histogram, coverage and CRPS.
///
/// For members of a context ensemble, or for samples of the posterior, as multi-step sampling draws them.
/// Source: Hamill 2001, doi:10.1175/1520-0493(2001)129<0550:IORHFV>2.0.CO;2.
class EnsembleScores {
 public:
  /// Throws: OptionError for fewer than two members.
  explicit EnsembleScores(std::size_t members) : ranks_(members + 1, 0.0) {
    require<OptionError>(members >= 2, "EnsembleScores: ", members, " members, expected at least 2");
  }

  /// One truth and its members. Where it equals some of them its count is shared among the ranks that it may have. Throws:
  /// ShapeError for another number of members, DataError for a value that is not finite.
  template <class T>
  void add(std::span<const T> members, double truth) {
    require<ShapeError>(members.size() + 1 == ranks_.size(), "EnsembleScores: ", members.size(), " members, expected ",
                        ranks_.size() - 1);
    crps_ += crps_ensemble(members, truth);
    std::size_t below = 0, equal = 0;
    for (const T x : members) {
      below += static_cast<double>(x) < truth ? 1 : 0;
      equal += static_cast<double>(x) == truth ? 1 : 0;
    }
    for (std::size_t r = below; r <= below + equal; ++r) ranks_[r] += 1.0 / static_cast<double>(equal + 1);
    ++count_;
  }

  std::size_t count() const { return count_; }
  /// How many truths had 0, 1, ..., K members below them: all alike if the truth is like a member. A sum of count().
  const std::vector<double>& ranks() const { return ranks_; }
  double crps() const { return crps_ / over(); }
  /// Share of the truths within the central `share` of the ensemble, rank r being spread evenly over r / (K + 1) ..
  /// (r + 1) / (K + 1): that share itself if the truth is like a member, whatever K.
  double coverage(double share) const {
    const double low = 0.5 * (1.0 - share), high = 0.5 * (1.0 + share), cells = static_cast<double>(ranks_.size());
    double inside = 0;
    for (std::size_t r = 0; r < ranks_.size(); ++r) {
      const double from = std::max(low, static_cast<double>(r) / cells), to = std::min(high, static_cast<double>(r + 1) / cells);
      inside += ranks_[r] * std::max(0.0, to - from) * cells;
    }
    return inside / over();
  }

 private:
  double over() const { return std::max(1.0, static_cast<double>(count_)); }

  std::vector<double> ranks_;
  double crps_ = 0;
  std::size_t count_ = 0;
};

/// @brief Scores K samples of fields against the truth, wherever it was not observed.
/// Shapes: samples (K, n), one after another | truth (n), NaN = not known, left out | observed (n), 1 = left out.
/// Throws: ShapeError, OptionError.
template <class T>
EnsembleScores score_samples(std::span<const T> samples, std::span<const T> truth, std::span<const std::uint8_t> observed) {
  const std::size_t n = truth.size();
  require<ShapeError>(n > 0 && observed.size() == n && samples.size() % n == 0, "score_samples: ", samples.size(),
                      " elements of samples, ", n, " of the truth and ", observed.size(), " of the mask");
  EnsembleScores scores(samples.size() / n);
  std::vector<T> members(samples.size() / n);
  for (std::size_t i = 0; i < n; ++i) {
    if (observed[i] != 0 || std::isnan(truth[i])) continue;
    for (std::size_t k = 0; k < members.size(); ++k) members[k] = samples[k * n + i];
    scores.add(std::span<const T>(members), static_cast<double>(truth[i]));
  }
  return scores;
}

}  // namespace lacuna::metrics
