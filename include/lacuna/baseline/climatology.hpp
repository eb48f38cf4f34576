#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <vector>

#include "lacuna/baseline/season.hpp"
#include "lacuna/baseline/smoothing.hpp"
#include "lacuna/core/parallel.hpp"
#include "lacuna/data/field.hpp"
#include "lacuna/data/windows.hpp"

namespace lacuna::baseline {

/// @brief How the climatology is averaged. Widths are in cells.
struct ClimatologySettings {
  double width = 0.8;                              ///< of the Gaussian that means are taken with
  double fallback = 0.02;                          ///< weight of a Gaussian of 3 width + 1 cells, for cells seldom observed
  std::array<double, 3> months = {1.0, 0.6, 0.2};  ///< weights of the same month, its neighbours and theirs
  double memory = 0;          ///< frames in which anomalies of frames around lose weight e-fold; 0: leave them out
  double memory_width = 1.5;  ///< of the Gaussian these anomalies are averaged with
  double shrink = 0.3;        ///< their mean is sum / (count + shrink)
};

/// @brief Sum and weight of values at each cell of a plane (H, W).
struct PlaneSums {
  std::vector<float> sum, count;

  void reset(std::size_t cells) {
    sum.assign(cells, 0.0f);
    count.assign(cells, 0.0f);
  }
  void add(std::size_t i, float weight, float value) {
    sum[i] += weight * value;
    count[i] += weight;
  }
  void add(const PlaneSums& other, float weight) {
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += weight * other.sum[i];
    for (std::size_t i = 0; i < sum.size(); ++i) count[i] += weight * other.count[i];
  }
};

/// @brief Mean field by calendar month from the observed values of the frames that are learned from, with each frame's own
/// windows left out.
///
/// Normalised convolution: c = (G s + f W s) / (G n + f W n), with sums s and counts n of observed values over the months given
/// their weights, a Gaussian G and a wide, weak one W, so that cells never observed get a value too. With memory, the mean
/// anomaly of the frames around the window is added: sum / (count + shrink) of smoothed, exponentially weighted anomalies.
///
/// A frame's result does not depend on any value of a window that contains the frame: background and query never share a value.
/// Values must be normalised: where nothing is near, the result is zero.
/// NaN policy: NaN = not observed, skipped      Determinism: bit for bit, for any number of threads
/// Cost: per window and variable 12 months' smoothings with memory, else one a frame, and sums over a block of frames
/// Source: Knutsson and Westin, CVPR 1993, doi:10.1109/CVPR.1993.341081 (normalised convolution)
class Climatology {
 public:
  /// Refers to the fields, which must outlive it. learned: the frames that means are taken over; others only get one.
  Climatology(const data::Fields& fields, const data::WindowSettings& windows, const data::FrameRange& learned)
      : fields_(&fields), learned_(learned), seasons_(fields, learned) {
    for (int t = 0; t < fields.frames(); ++t) left_out_.push_back({t, t + 1});
    for (const int start : data::window_starts(fields.frames(), windows))
      for (int t = start; t < start + windows.length; ++t) {
        data::FrameRange& out = left_out_[static_cast<std::size_t>(t)];
        out = {std::min(out.begin, start), std::max(out.end, start + windows.length)};
      }
    for (auto& out : left_out_) out = data::common(out, learned_);
    sums_.resize(static_cast<std::size_t>(blocks()) * static_cast<std::size_t>(seasons_.count) * fields.names.size());
    for (int v = 0; v < fields.variables(); ++v)
      for (int t = learned_.begin; t < learned_.end; ++t) {
        PlaneSums& sums = sums_[place_of_sums((t - learned_.begin) / block_frames, seasons_.of[static_cast<std::size_t>(t)], v)];
        if (sums.sum.empty()) sums.reset(static_cast<std::size_t>(fields.grid.cells()));
        add_frame(t, v, 1.0f, sums);
      }
  }
  Climatology(const data::Fields& fields, const data::WindowSettings& windows)
      : Climatology(fields, windows, {0, fields.frames()}) {}

  /// The climatology of all frames (T,H,W,V).
  std::vector<float> operator()(const ClimatologySettings& settings, int threads = 1) const {
    std::vector<float> result(fields_->values.size());
    evaluate(settings, {{0, fields_->frames()}}, result, threads);
    return result;
  }
  /// The climatology of some frames, into their places in (T,H,W,V).
  void evaluate(const ClimatologySettings& settings, const std::vector<data::FrameRange>& frames, std::vector<float>& result,
                int threads) const;

  const data::Fields& fields() const { return *fields_; }
  const Seasons& seasons() const { return seasons_; }
  const data::FrameRange& learned() const { return learned_; }
  /// What frame t leaves out.
  data::FrameRange left_out(int t) const { return left_out_[static_cast<std::size_t>(t)]; }
  /// The frames that are learned from, in blocks: sums of a block that holds nothing of what is left out are not made anew.
  static constexpr int block_frames = 512;
  int blocks() const { return (learned_.size() + block_frames - 1) / block_frames; }
  data::FrameRange block(int b) const {
    const int begin = learned_.begin + b * block_frames;
    return {begin, std::min(begin + block_frames, learned_.end)};
  }
  /// A block's sums of one month and variable; empty if it has no frame of the month.
  const PlaneSums& sums(int block, int month, int v) const { return sums_[place_of_sums(block, month, v)]; }

  /// Adds the observed values of a frame, less `mean` if given.
  void add_frame(int t, int v, float weight, PlaneSums& to, const float* mean = nullptr) const {
    const float* from = fields_->values.data() + fields_->index(t, 0, 0, v);
    for (std::size_t i = 0; i < to.sum.size(); ++i, from += fields_->names.size())
      if (!std::isnan(*from)) to.add(i, weight, mean != nullptr ? *from - mean[i] : *from);
  }

 private:
  std::size_t place_of_sums(int block, int month, int v) const {
    return (static_cast<std::size_t>(block) * static_cast<std::size_t>(seasons_.count) + static_cast<std::size_t>(month)) *
               fields_->names.size() +
           static_cast<std::size_t>(v);
  }

  const data::Fields* fields_;
  data::FrameRange learned_;
  Seasons seasons_;
  std::vector<data::FrameRange> left_out_;
  std::vector<PlaneSums> sums_;  // (blocks, months, V)
};

/// @brief Climatology of one variable for the frames that leave out what frame `like` leaves out. One thread at a time.
class ClimatologyPlanes {
 public:
  ClimatologyPlanes(const Climatology& of, const ClimatologySettings& settings, int like, int variable)
      : of_(of),
        s_(settings),
        out_(of.left_out(like)),
        v_(variable),
        narrow_(filter(settings.width)),
        wide_(filter(3 * settings.width + 1)),
        months_(static_cast<std::size_t>(of.seasons().count)) {}

  /// @brief Mean field of a calendar month (H, W).
  const std::vector<float>& month(int month) {
    auto& plane = months_[static_cast<std::size_t>(month)];
    if (plane.empty()) average(month, plane);
    return plane;
  }

  /// @brief Weighted sums and counts of the anomalies around frame t, from what is not left out.
  void anomalies(int t, double memory, PlaneSums& around) {
    const int reach = static_cast<int>(std::ceil(2.5 * memory));
    around.reset(static_cast<std::size_t>(of_.fields().grid.cells()));
    const data::FrameRange near = data::common({t - reach, t + reach + 1}, of_.learned());
    for (int s = near.begin; s < near.end; ++s) {
      if (out_.contains(s)) continue;
      const auto weight = static_cast<float>(std::exp(-std::abs(s - t) / memory));
      of_.add_frame(s, v_, weight, around, month(of_.seasons().of[static_cast<std::size_t>(s)]).data());
    }
  }

  /// @brief The climatology of frame t (H, W).
  void frame(int t, std::vector<float>& plane) {
    plane = month(of_.seasons().of[static_cast<std::size_t>(t)]);
    if (s_.memory <= 0) return;
    anomalies(t, s_.memory, around_);
    GaussianFilter gauss = filter(s_.memory_width);
    gauss(around_.sum.data(), around_.sum.data());
    gauss(around_.count.data(), around_.count.data());
    for (std::size_t i = 0; i < plane.size(); ++i)
      plane[i] += around_.sum[i] / (around_.count[i] + static_cast<float>(s_.shrink));
  }

  /// @brief A Gaussian filter on the data's grid.
  GaussianFilter filter(double width) const {
    const data::Grid& grid = of_.fields().grid;
    return {grid.height(), grid.width(), grid.periodic_x, width};
  }

 private:
  void average(int month, std::vector<float>& plane) {
    const Seasons& seasons = of_.seasons();
    const auto weight_of = [&](int other) {
      const auto apart = static_cast<std::size_t>(seasons.apart(month, other));
      return apart < s_.months.size() ? static_cast<float>(s_.months[apart]) : 0.0f;
    };
    PlaneSums total;
    total.reset(static_cast<std::size_t>(of_.fields().grid.cells()));
    // Frames left out are left out of the sums rather than subtracted from them: no trace of their values by rounding.
    for (int other = 0; other < seasons.count; ++other) {
      const float weight = weight_of(other);
      if (weight == 0) continue;
      const auto is_of = [&](int t) { return seasons.of[static_cast<std::size_t>(t)] == other; };
      for (int b = 0; b < of_.blocks(); ++b) {
        const PlaneSums& sums = of_.sums(b, other, v_);
        if (sums.sum.empty()) continue;
        const data::FrameRange block = of_.block(b), out = data::common(block, out_);
        bool touched = false;
        for (int t = out.begin; t < out.end; ++t) touched |= is_of(t);
        if (!touched) {
          total.add(sums, weight);
          continue;
        }
        for (int t = block.begin; t < block.end; ++t)
          if (is_of(t) && !out_.contains(t)) of_.add_frame(t, v_, weight, total);
      }
    }
    PlaneSums far = total;
    narrow_(total.sum.data(), total.sum.data());
    narrow_(total.count.data(), total.count.data());
    wide_(far.sum.data(), far.sum.data());
    wide_(far.count.data(), far.count.data());
    const auto weak = static_cast<float>(s_.fallback);
    plane.resize(total.sum.size());
    for (std::size_t i = 0; i < plane.size(); ++i)
      plane[i] = (total.sum[i] + weak * far.sum[i]) / (total.count[i] + weak * far.count[i] + 1e-9f);
  }

  const Climatology& of_;
  ClimatologySettings s_;
  data::FrameRange out_;
  int v_;
  GaussianFilter narrow_, wide_;
  std::vector<std::vector<float>> months_;
  PlaneSums around_;
};

inline void Climatology::evaluate(const ClimatologySettings& settings, const std::vector<data::FrameRange>& frames,
                                  std::vector<float>& result, int threads) const {
  std::vector<data::FrameRange> runs;  // of frames that leave out the same; the ranges asked for may overlap
  std::vector<bool> seen(static_cast<std::size_t>(fields_->frames()), false);
  for (const auto& f : frames)
    for (int t = f.begin; t < f.end; ++t) {
      if (seen[static_cast<std::size_t>(t)]) continue;
      seen[static_cast<std::size_t>(t)] = true;
      if (runs.empty() || runs.back().end != t || !(left_out(t) == left_out(t - 1))) runs.push_back({t, t});
      runs.back().end = t + 1;
    }
  const int v = fields_->variables();
  parallel_for(threads, static_cast<int>(runs.size()) * v, [&](int part) {
    const data::FrameRange run = runs[static_cast<std::size_t>(part / v)];
    ClimatologyPlanes planes(*this, settings, run.begin, part % v);
    std::vector<float> plane;
    for (int t = run.begin; t < run.end; ++t) {
      planes.frame(t, plane);
      float* to = result.data() + fields_->index(t, 0, 0, part % v);
      for (std::size_t i = 0; i < plane.size(); ++i) to[i * static_cast<std::size_t>(v)] = plane[i];
    }
  });
}

}  // namespace lacuna::baseline
