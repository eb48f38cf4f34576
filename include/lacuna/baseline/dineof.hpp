#pragma once

#include <Eigen/Core>
#include <Eigen/Jacobi>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

#include "lacuna/baseline/climatology.hpp"
#include "lacuna/core/error.hpp"
#include "lacuna/core/parallel.hpp"
#include "lacuna/core/philox.hpp"
#include "lacuna/data/field.hpp"
#include "lacuna/data/windows.hpp"
#include "lacuna/validation/validation_data.hpp"

namespace lacuna::baseline {

/// @brief When DINEOF stops.
struct DineofSettings {
  int most_modes = 40;       ///< tried at most
  int patience = 3;          ///< modes tried after the best so far
  double tolerance = 1e-3;   ///< a mode has converged when the fill changes by less, in units of the observations' deviation
  int most_iterations = 60;  ///< per mode
};

/// @brief Data interpolating empirical orthogonal functions: gaps take the values that the leading modes of the filled data give
/// them, until these agree.
///
/// The matrix has a row for each cell and variable that is observed at least once, and a column for each frame (several variables
/// share their modes in time). With k modes: missing values := (X V V^T) at their places, V the k leading right singular vectors
/// of the filled X, again and again; then one more mode, from where the last one ended. The vectors come from subspace iteration
/// with a few guard vectors, one sweep a fill: at the fixed point it is the singular value decomposition, at a cost linear in the
/// data.
/// NaN policy: NaN = missing, starts as zero      dtype: float, small matrices in double
/// Determinism: bit for bit, for any number of threads      Cost: an iteration takes 6 N T (k + 4) operations
/// Source: Beckers and Rixen 2003, doi:10.1175/1520-0426(2003)020<1839:ECADFF>2.0.CO;2; several variables: Alvera-Azcarate et al.
/// 2007, doi:10.1029/2006JC003660
class Dineof {
 public:
  /// anomalies (T,H,W,V), NaN = missing: of mean zero at each cell.
  Dineof(const data::Fields& fields, const std::vector<float>& anomalies, const DineofSettings& settings = {}, int threads = 1)
      : s_(settings), frame_(fields.frame_size()), frames_(fields.frames()), threads_(threads) {
    require<OptionError>(
        settings.most_modes >= 1 && settings.patience >= 1 && settings.tolerance > 0 && settings.most_iterations >= 1,
        "DINEOF: at most ", settings.most_modes, " modes and ", settings.most_iterations, " iterations, patience ",
        settings.patience, ", tolerance ", settings.tolerance, "; expected positive numbers");
    require<ShapeError>(anomalies.size() == fields.values.size(), "DINEOF: ", anomalies.size(), " anomalies for ",
                        fields.values.size(), " values");
    const auto columns = static_cast<std::size_t>(frames_);
    for (std::size_t t = 0; t < columns; ++t) {
      const auto first = anomalies.begin() + static_cast<std::ptrdiff_t>(t * frame_);
      seen_frames_ += std::any_of(first, first + static_cast<std::ptrdiff_t>(frame_), [](float x) { return !std::isnan(x); });
    }
    double squares = 0, count = 0;
    for (std::size_t i = 0; i < frame_; ++i) {
      bool seen = false;
      for (std::size_t t = 0; t < columns && !seen; ++t) seen = !std::isnan(anomalies[t * frame_ + i]);
      if (!seen) continue;
      rows_.push_back(i);
      for (std::size_t t = 0; t < columns; ++t) {
        const float value = anomalies[t * frame_ + i];
        missing_.push_back(std::isnan(value) ? 1 : 0);
        values_.push_back(std::isnan(value) ? 0.0f : value);
        squares += static_cast<double>(values_.back()) * static_cast<double>(values_.back());
        count += missing_.back() == 0 ? 1 : 0;
      }
    }
    deviation_ = count > 0 ? std::sqrt(squares / count) : 0;
  }

  int modes() const { return modes_; }
  /// Most modes that the data can have: a frame without any observation adds none.
  int rank() const { return std::min(static_cast<int>(rows_.size()), seen_frames_); }

  /// @brief One more mode, and iterations until the fill agrees with it.
  void add_mode() {
    require<OptionError>(modes_ < rank(), "DINEOF: ", modes_ + 1, " modes of ", rows_.size(), " cells and ", seen_frames_,
                         " frames with observations");
    ++modes_;
    widen();
    for (int i = 0; i < s_.most_iterations; ++i)
      if (iterate(true) <= s_.tolerance * deviation_) break;
  }

  /// @brief Puts the filled anomalies into (T,H,W,V); cells never observed get zero.
  void read(std::vector<float>& out) const {
    std::fill(out.begin(), out.end(), 0.0f);
    const auto columns = static_cast<std::size_t>(frames_);
    for (std::size_t row = 0; row < rows_.size(); ++row)
      for (std::size_t t = 0; t < columns; ++t) out[t * frame_ + rows_[row]] = values_[row * columns + t];
  }

 private:
  using Rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  static constexpr int guard = 4, slots = 16;

  /// Random vectors beside those there are, up to modes + guard of them, turned towards the leading ones.
  void widen() {
    const auto before = vectors_.cols();
    const auto wanted = static_cast<Eigen::Index>(std::min(modes_ + guard, rank()));
    if (wanted == before) return;
    vectors_.conservativeResize(frames_, wanted);
    const auto key = philox_key(1, Purpose::initial);
    for (Eigen::Index j = before; j < wanted; ++j)
      for (Eigen::Index t = 0; t < frames_; ++t)
        vectors_(t, j) =
            static_cast<double>(normals(philox(key, static_cast<std::uint64_t>(j), static_cast<std::uint64_t>(t)))[0]);
    orthonormalise();
    for (int sweep = 0; sweep < (before == 0 ? 8 : 2); ++sweep) iterate(false);
  }

  /// Gram-Schmidt: Eigen's decompositions take seconds to compile, in every file. A vector that lies in the span of those before
  /// it (the data have no more modes than that) is rounding once they are taken away: an axis takes its place.
  void orthonormalise() {
    for (Eigen::Index j = 0; j < vectors_.cols(); ++j)
      for (Eigen::Index axis = 0; !separate(j) && axis < frames_; ++axis) vectors_.col(j) = Eigen::VectorXd::Unit(frames_, axis);
  }

  /// Makes vector j a unit vector across those before it; false if too little of it is left to tell a direction.
  bool separate(Eigen::Index j) {
    constexpr double least_left = 1e-6;
    auto v = vectors_.col(j);
    for (int pass = 0; pass < 2; ++pass) {  // the first one leaves rounding of the size of what it takes away
      const double before = v.norm();
      for (Eigen::Index i = 0; i < j; ++i) v -= vectors_.col(i).dot(v) * vectors_.col(i);
      const double left = v.norm();
      if (!(left > least_left * before)) return false;
      v /= left;
    }
    return true;
  }

  /// Of a small symmetric matrix, by Jacobi's rotations; those of the largest eigenvalues first. Eigen's solver takes seconds to
  /// compile, in every file.
  static Eigen::MatrixXd eigenvectors(Eigen::MatrixXd m) {
    const auto n = m.rows();
    Eigen::MatrixXd vectors = Eigen::MatrixXd::Identity(n, n);
    const double least = std::numeric_limits<double>::epsilon() * m.norm();
    double largest = std::numeric_limits<double>::infinity();
    for (int sweep = 0; sweep < 40 && largest > least; ++sweep) {
      largest = 0;
      for (Eigen::Index q = 1; q < n; ++q)
        for (Eigen::Index p = 0; p < q; ++p) {
          largest = std::max(largest, std::abs(m(p, q)));
          Eigen::JacobiRotation<double> rotation;
          if (std::abs(m(p, q)) <= least || !rotation.makeJacobi(m, p, q)) continue;
          m.applyOnTheLeft(p, q, rotation.adjoint());
          m.applyOnTheRight(p, q, rotation);
          vectors.applyOnTheRight(p, q, rotation);
        }
    }
    std::vector<Eigen::Index> order(static_cast<std::size_t>(n));
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return m(a, a) > m(b, b); });
    Eigen::MatrixXd sorted(n, n);
    for (std::size_t i = 0; i < order.size(); ++i) sorted.col(static_cast<Eigen::Index>(i)) = vectors.col(order[i]);
    return sorted;
  }

  /// A sweep of subspace iteration and, if asked for, a new fill. Returns the root mean square of what the fill changed by.
  double iterate(bool fill) {
    const auto width = vectors_.cols();
    const Eigen::MatrixXf v = vectors_.cast<float>();
    std::array<Eigen::MatrixXd, slots> next, inner;
    std::array<Rows, slots> scores;
    each_slot([&](std::size_t slot, const Eigen::Map<Rows>& x) {
      scores[slot].noalias() = x * v;
      next[slot] = (x.transpose() * scores[slot]).cast<double>();
      inner[slot] = (scores[slot].transpose() * scores[slot]).cast<double>();
    });
    for (std::size_t slot = 1; slot < slots; ++slot) {
      next[0] += next[slot];
      inner[0] += inner[slot];
    }
    const Eigen::MatrixXd turn = eigenvectors(inner[0]);
    const double change = fill ? refill(scores, turn.leftCols(std::min<Eigen::Index>(modes_, width))) : 0;
    vectors_ = next[0] * turn;
    orthonormalise();
    return change;
  }

  /// Missing values := scores turn turn^T vectors^T.
  double refill(const std::array<Rows, slots>& scores, const Eigen::MatrixXd& turn) {
    const Eigen::MatrixXf back = (turn * (vectors_ * turn).transpose()).cast<float>();
    std::array<std::pair<double, double>, slots> sums{};
    each_slot([&](std::size_t slot, Eigen::Map<Rows>& x) {
      const Rows y = scores[slot] * back;
      const std::uint8_t* missing = missing_.data() + (x.data() - values_.data());
      for (Eigen::Index i = 0; i < x.size(); ++i) {
        if (missing[i] == 0) continue;
        const double change = static_cast<double>(y.data()[i]) - static_cast<double>(x.data()[i]);
        sums[slot].first += change * change;
        sums[slot].second += 1;
        x.data()[i] = y.data()[i];
      }
    });
    double squares = 0, count = 0;
    for (const auto& [s, n] : sums) {
      squares += s;
      count += n;
    }
    return count > 0 ? std::sqrt(squares / count) : 0;
  }

  /// work(slot, rows of the slot): cut so whatever the number of threads, so that sums do not depend on it.
  template <class Work>
  void each_slot(const Work& work) {
    parallel_for(threads_, slots, [&](int part) {
      const LibraryThreads serial(1);
      const Range range = share(rows_.size(), slots, part);
      Eigen::Map<Rows> x(values_.data() + range.begin * static_cast<std::size_t>(frames_),
                         static_cast<Eigen::Index>(range.end - range.begin), frames_);
      work(static_cast<std::size_t>(part), x);
    });
  }

  DineofSettings s_;
  std::size_t frame_;
  int frames_, threads_, modes_ = 0, seen_frames_ = 0;
  std::vector<std::size_t> rows_;      // places in a frame (H,W,V) of the rows
  std::vector<float> values_;          // (N,T), filled
  std::vector<std::uint8_t> missing_;  // (N,T)
  double deviation_ = 0;               // of the observed anomalies
  Eigen::MatrixXd vectors_;            // (T, modes + guard)
};

/// @brief The observed values less a mean field (T,H,W,V); NaN stays NaN.
inline std::vector<float> anomalies_from(const std::vector<float>& mean, const data::Fields& fields) {
  std::vector<float> anomalies(fields.values.size());
  for (std::size_t i = 0; i < anomalies.size(); ++i) anomalies[i] = fields.values[i] - mean[i];
  return anomalies;
}

/// @brief The mean field that DINEOF takes anomalies from: the climatology without memory, which the modes replace.
inline std::vector<float> steady_climatology(const data::Fields& fields, const data::WindowSettings& windows,
                                             const data::FrameRange& learned, ClimatologySettings settings, int threads = 1) {
  settings.memory = 0;
  return Climatology(fields, windows, learned)(settings, threads);
}

/// @brief DINEOF of the anomalies from a mean field, with this many modes (fewer if the data have no more): (T,H,W,V).
inline std::vector<float> dineof(const data::Fields& fields, const std::vector<float>& mean, int modes,
                                 const DineofSettings& settings = {}, int threads = 1) {
  Dineof eof(fields, anomalies_from(mean, fields), settings, threads);
  for (int k = std::min(modes, eof.rank()); k > 0; --k) eof.add_mode();
  std::vector<float> filled(fields.values.size());
  eof.read(filled);
  for (std::size_t i = 0; i < filled.size(); ++i) filled[i] += mean[i];
  return filled;
}

/// @brief DINEOF of what is available, with the number of modes that has the least error on held-out observations.
struct DineofChoice {
  int modes = 0;              ///< 0: no mode is better than the mean field
  std::vector<float> filled;  ///< (T,H,W,V)
};

/// @brief Adds modes until `patience` of them have not lowered the error on held-out observations (the cross-validation of
/// Beckers and Rixen).
inline DineofChoice choose_dineof(const validation::ValidationData& e, const std::vector<float>& mean,
                                  const DineofSettings& settings = {}, int threads = 1) {
  const auto error = [&](const std::vector<float>& filled) {
    double sum = 0;
    for (std::size_t i = 0; i < filled.size(); ++i)
      if (e.held_out[i] != 0) sum += std::pow(static_cast<double>(mean[i] + filled[i]) - static_cast<double>(e.truth[i]), 2);
    return sum;
  };
  DineofChoice choice{.filled = std::vector<float>(mean.size(), 0.0f)};
  Dineof eof(e.available, anomalies_from(mean, e.available), settings, threads);
  double least = error(choice.filled);
  std::vector<float> filled(mean.size());
  while (eof.modes() < std::min({settings.most_modes, eof.rank(), choice.modes + settings.patience})) {
    eof.add_mode();
    eof.read(filled);
    const double found = error(filled);
    if (!(found < least)) continue;
    least = found;
    choice.modes = eof.modes();
    choice.filled = filled;
  }
  for (std::size_t i = 0; i < mean.size(); ++i) {
    if (choice.modes == 0 && !std::isnan(e.available.values[i])) choice.filled[i] = e.available.values[i] - mean[i];
    choice.filled[i] += mean[i];
  }
  return choice;
}

}  // namespace lacuna::baseline
