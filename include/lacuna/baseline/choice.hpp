#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "lacuna/baseline/classical_background.hpp"
#include "lacuna/baseline/dineof.hpp"
#include "lacuna/baseline/fit.hpp"
#include "lacuna/baseline/interpolation.hpp"
#include "lacuna/baseline/linear.hpp"
#include "lacuna/baseline/planes.hpp"
#include "lacuna/baseline/search_budget.hpp"
#include "lacuna/baseline/temporal.hpp"
#include "lacuna/core/parallel.hpp"
#include "lacuna/validation/validation_data.hpp"

namespace lacuna::baseline {

/// @brief Mean squared error of one classical fill on held-out observations, in normalised units: the variance left unexplained.
struct FillError {
  std::string name;
  double nmse;
};

/// @brief The background with the least error on held-out observations, and what every classical fill scored there.
struct BackgroundChoice {
  BackgroundKind kind = BackgroundKind::none;
  BackgroundSettings settings;
  std::vector<FillError> errors;  ///< of every classical fill, under the name of its method or background
};

/// @brief Scores classical fills on the held-out observations of some windows.
class FillScores {
 public:
  FillScores(const validation::ValidationData& evidence, std::vector<validation::ScoredWindow> windows, int threads)
      : e_(evidence), windows_(std::move(windows)), threads_(threads) {
    const auto starts = data::window_starts(e_.available.frames(), e_.windows);
    for (const auto& w : windows_) starts_.push_back(starts[static_cast<std::size_t>(w.window)]);
  }

  /// Error of a background; zero if nothing is held out.
  double of(const AnyBackground& background) const {
    return score([&](int start, const std::vector<std::uint8_t>& known, std::vector<float>& out) {
      AnyBackground::Workspace workspace;
      background.evaluate({.first = start,
                           .frames = e_.windows.length,
                           .variables = e_.available.variables(),
                           .patch = data::whole(e_.available.grid),
                           .values = e_.available.values.data() + e_.available.index(start, 0, 0, 0),
                           .context = known.data()},
                          out.data(), workspace);
    });
  }

  /// Error of a fill of runs of frames: fill(fields, masks, first, count, out), such as fill_planes<NearestFill>.
  template <class Fill>
  double of_frames(const Fill& fill) const {
    const auto observed = mask::observed_of(e_.available);
    const mask::Masks masks = mask::masks_of(e_.available, observed);
    return score([&](int start, const auto&, std::vector<float>& out) {
      fill(e_.available, masks, start, e_.windows.length, out.data());
    });
  }

  /// Error of values (T,H,W,V) filled from what is available.
  double of_values(const std::vector<float>& filled) const {
    return score([&](int start, const auto&, std::vector<float>& out) {
      const auto first = filled.begin() + static_cast<std::ptrdiff_t>(e_.available.index(start, 0, 0, 0));
      std::copy(first, first + static_cast<std::ptrdiff_t>(out.size()), out.begin());
    });
  }

  /// Error of the mean, zero.
  double of_mean() const {
    return score([](int, const auto&, std::vector<float>&) {});
  }

 private:
  /// fill(start, known, out) fills the window that begins with frame `start`.
  template <class Fill>
  double score(const Fill& fill) const {
    const std::size_t size = e_.available.frame_size() * static_cast<std::size_t>(e_.windows.length);
    std::vector<double> sums(windows_.size(), 0.0), counts(windows_.size(), 0.0);
    parallel_for(threads_, static_cast<int>(windows_.size()), [&](int part) {
      const auto w = static_cast<std::size_t>(part);
      const std::size_t first = e_.available.frame_size() * static_cast<std::size_t>(starts_[w]);
      const std::size_t begin = e_.available.frame_size() * static_cast<std::size_t>(windows_[w].frames.begin);
      std::vector<std::uint8_t> known(size);
      std::vector<float> out(size, 0.0f);
      for (std::size_t i = 0; i < size; ++i) known[i] = !std::isnan(e_.available.values[first + i]);
      fill(starts_[w], known, out);
      for (std::size_t i = begin - first; i < size; ++i) {
        if (e_.held_out[first + i] == 0) continue;
        sums[w] += std::pow(static_cast<double>(out[i]) - static_cast<double>(e_.truth[first + i]), 2);
        counts[w] += 1;
      }
    });
    double sum = 0, count = 0;
    for (std::size_t w = 0; w < sums.size(); ++w) {
      sum += sums[w];
      count += counts[w];
    }
    return count > 0 ? sum / count : 0;
  }

  const validation::ValidationData& e_;
  std::vector<validation::ScoredWindow> windows_;
  std::vector<int> starts_;  // first frame of each
  int threads_;
};

/// @brief Fits every kind of background and chooses the one with the least error on the held-out observations of some windows.
inline BackgroundChoice choose_background(const validation::ValidationData& evidence,
                                          const std::vector<validation::ScoredWindow>& windows,
                                          const SearchBudget& settings = {}) {
  BackgroundChoice choice;
  choice.settings = fit_background(evidence, settings);
  const FillScores scores(evidence, windows, settings.threads);
  double least = scores.of_mean();
  choice.errors.push_back({"mean", least});
  const auto try_kind = [&](BackgroundKind kind) {
    const double error = scores.of(
        fitted(ClassicalBackground(kind, choice.settings), {evidence.available, evidence.windows, {}, settings.threads}));
    choice.errors.push_back({name(kind), error});
    if (error >= least) return;
    least = error;
    choice.kind = kind;
  };
  const auto add = [&](const char* fill, double error) { choice.errors.push_back({fill, error}); };
  try_kind(BackgroundKind::climatology);
  add("temporal", scores.of_frames(temporal_consistency));
  add("nearest", scores.of_frames(fill_planes<NearestFill>));
  add("linear", scores.of_frames(fill_planes<LinearFill>));
  add("laplace", scores.of_frames(fill_planes<LaplaceFill>));
  if (evidence.available.values.size() <= settings.dineof_values) {
    const auto mean = steady_climatology(evidence.available, evidence.windows, {0, evidence.available.frames()},
                                         choice.settings.climatology, settings.threads);
    add("dineof", scores.of_values(choose_dineof(evidence, mean, {}, settings.threads).filled));
  }
  try_kind(BackgroundKind::kriging);
  try_kind(BackgroundKind::climatology_kriging);
  return choice;
}

}  // namespace lacuna::baseline
