#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <utility>
#include <vector>

#include "lacuna/baseline/kriging.hpp"
#include "lacuna/baseline/search_budget.hpp"
#include "lacuna/core/parallel.hpp"
#include "lacuna/data/field.hpp"
#include "lacuna/validation/validation_data.hpp"

namespace lacuna::baseline {

/// @brief Chooses the correlation of each variable by the squared error of kriging on held-out values.
///
/// A coarse grid of kinds and lengths, in steps of the grid's spacing, then stretch, nugget, and length and stretch once more.
/// Each variable has its own: winds along and across a latitude circle correlate along different directions.
class CorrelationFit {
 public:
  /// climatology: (T,H,W,V), or null to krige the values about zero.
  CorrelationFit(const validation::ValidationData& evidence, const float* climatology, const SearchBudget& settings)
      : e_(evidence), s_(settings), climatology_(climatology) {
    choose_trials();
  }

  std::vector<Correlation> operator()() const {
    std::vector<Correlation> best;
    for (int v = 0; v < e_.available.variables(); ++v) best.push_back(search(v));
    return best;
  }

  /// Squared error of kriging with one correlation a variable.
  double error(const std::vector<Correlation>& correlations) const {
    double sum = 0;
    for (std::size_t v = 0; v < correlations.size(); ++v) sum += error(static_cast<int>(v), correlations[v], 1);
    return sum;
  }

  /// Better lengths, stretch and nugget near the given ones.
  std::vector<Correlation> refined(std::vector<Correlation> from) const {
    for (std::size_t v = 0; v < from.size(); ++v) {
      Search search(*this, static_cast<int>(v));
      search.consider(from[v]);
      search.refine(&Correlation::length, {0.8, 1.25});
      search.refine(&Correlation::nugget, {0.3, 3});
      from[v] = search.best;
    }
    return from;
  }

  /// First frames of the windows that are looked at.
  const std::vector<int>& windows() const { return windows_; }

 private:
  /// A crop of one window in which the planes of one variable share masks.
  struct Trial {
    std::size_t crop;
    int variable, channels = 0;
    std::vector<std::uint8_t> known = {}, scored = {};  // (h,w)
    std::vector<float> values = {}, truth = {};         // (h,w,C)
  };
  struct Crop {
    data::Grid grid;
    data::Patch patch;
  };

  void choose_trials() {
    const data::Grid& grid = e_.available.grid;
    const bool large = grid.cells() > s_.largest_grid;
    windows_ = validation::scored_windows(e_, large ? 4 : s_.most_windows);
    if (!large) {
      crops_.push_back({grid, data::whole(grid)});
      if (!windows_.empty())
        windows_ = validation::scored_windows(e_, std::clamp(s_.cells / cost(windows_[windows_.size() / 2]), 2, s_.most_windows));
    }
    for (const int start : windows_) {
      if (large) crops_.push_back(crop_of(start));
      for (int v = 0; v < e_.available.variables(); ++v) {
        std::vector<bool> done(static_cast<std::size_t>(e_.windows.length), false);
        for (int f = 0; f < e_.windows.length; ++f)
          if (!done[static_cast<std::size_t>(f)]) add_trial(start, f, v, done);
      }
    }
  }

  /// Known cells beside unknown ones in a window's first plane with held-out values.
  int cost(int start) const {
    const std::size_t variables = e_.available.names.size(), cells = static_cast<std::size_t>(e_.available.grid.cells());
    std::vector<std::uint8_t> known(cells);
    for (int t = start; t < start + e_.windows.length; ++t)
      for (int v = 0; v < e_.available.variables(); ++v) {
        int scored = 0;
        const std::size_t first = e_.available.index(t, 0, 0, v);
        for (std::size_t i = 0; i < cells; ++i) {
          known[i] = !std::isnan(e_.available.values[first + i * variables]);
          scored += e_.held_out[first + i * variables];
        }
        if (scored > 0)
          return std::max(1,
                          Tiling().beside_unknown({e_.available.grid.height(), e_.available.grid.width(), false, known.data()}));
      }
    return 1;
  }

  /// 128 x 160 cells around the middle one of a window's held-out values.
  Crop crop_of(int start) const {
    const data::Grid& grid = e_.available.grid;
    const std::size_t size = e_.available.frame_size(), first = size * static_cast<std::size_t>(start);
    std::vector<std::size_t> scored;
    for (std::size_t i = 0; i < size * static_cast<std::size_t>(e_.windows.length); ++i)
      if (e_.held_out[first + i] != 0) scored.push_back(i);
    const auto cell = static_cast<int>(scored[scored.size() / 2] % size / e_.available.names.size());
    const int h = std::min(grid.height(), 128), w = std::min(grid.width(), 160);
    const data::Patch patch{std::clamp(cell / grid.width() - h / 2, 0, grid.height() - h),
                            std::clamp(cell % grid.width() - w / 2, 0, grid.width() - w), h, w};
    Crop crop{{{grid.y.begin() + patch.y, grid.y.begin() + patch.y + h},
               {grid.x.begin() + patch.x, grid.x.begin() + patch.x + w},
               grid.geographic,
               grid.periodic_x && w == grid.width()},
              patch};
    return crop;
  }

  /// Collects the frames of a window whose masks are those of frame f.
  void add_trial(int start, int f, int v, std::vector<bool>& done) {
    const data::Patch patch = crops_.back().patch;
    Trial trial{.crop = crops_.size() - 1, .variable = v};
    std::vector<std::size_t> cells;  // of frame 0
    for (int y = 0; y < patch.height; ++y)
      for (int x = 0; x < patch.width; ++x) cells.push_back(e_.available.index(0, patch.y + y, patch.x + x, v));
    const auto known = [&](int t, std::size_t i) {
      return !std::isnan(e_.available.values[e_.available.frame_size() * static_cast<std::size_t>(t) + i]);
    };
    const auto scored = [&](int t, std::size_t i) {
      return e_.held_out[e_.available.frame_size() * static_cast<std::size_t>(t) + i];
    };
    for (const std::size_t i : cells) {
      trial.known.push_back(known(start + f, i));
      trial.scored.push_back(scored(start + f, i));
    }
    std::vector<int> frames;
    for (int g = f; g < e_.windows.length; ++g) {
      bool same = !done[static_cast<std::size_t>(g)];
      for (std::size_t i = 0; i < cells.size() && same; ++i)
        same = known(start + g, cells[i]) == (trial.known[i] != 0) && scored(start + g, cells[i]) == trial.scored[i];
      if (!same) continue;
      done[static_cast<std::size_t>(g)] = true;
      frames.push_back(start + g);
    }
    trial.channels = static_cast<int>(frames.size());
    for (const std::size_t i : cells)
      for (const int t : frames) {
        const std::size_t at = e_.available.frame_size() * static_cast<std::size_t>(t) + i;
        const float mean = climatology_ != nullptr ? climatology_[at] : 0.0f;
        trial.values.push_back(e_.available.values[at] - mean);
        trial.truth.push_back(e_.held_out[at] != 0 ? e_.truth[at] - mean : 0.0f);
      }
    if (std::find(trial.scored.begin(), trial.scored.end(), std::uint8_t{1}) != trial.scored.end())
      trials_.push_back(std::move(trial));
  }

  /// Squared error of one variable, of every `step`th trial.
  double error(int variable, const Correlation& c, std::size_t step) const {
    std::vector<Kriging> kriging;
    for (const Crop& crop : crops_) kriging.emplace_back(crop.grid, c, KrigingSettings{.max_neighbours = 250});
    std::vector<std::size_t> chosen;
    for (std::size_t i = 0; i < trials_.size(); ++i)
      if (trials_[i].variable == variable) chosen.push_back(i);
    const std::size_t count = (chosen.size() + step - 1) / step;
    std::vector<double> partial(count, 0.0);
    parallel_for(s_.threads, static_cast<int>(count), [&](int part) {
      const Trial& trial = trials_[chosen[static_cast<std::size_t>(part) * step]];
      const auto channels = static_cast<std::size_t>(trial.channels);
      std::vector<float> out(trial.values.size());
      kriging[trial.crop].predict(data::whole(crops_[trial.crop].grid), trial.known.data(), trial.values.data(), trial.channels,
                                  out.data());
      for (std::size_t i = 0; i < trial.scored.size(); ++i)
        for (std::size_t j = i * channels; trial.scored[i] != 0 && j < (i + 1) * channels; ++j)
          partial[static_cast<std::size_t>(part)] +=
              std::pow(static_cast<double>(out[j]) - static_cast<double>(trial.truth[j]), 2);
    });
    double sum = 0;
    for (const double p : partial) sum += p;
    return sum;
  }

  /// The best correlation of one variable so far.
  struct Search {
    Search(const CorrelationFit& fit, int variable) : fit_(fit), variable_(variable) {}

    void consider(const Correlation& c, std::size_t step = 1) {
      const double found = fit_.error(variable_, c, step);
      if (found < least) {
        least = found;
        best = c;
      }
    }
    void refine(double Correlation::*setting, std::initializer_list<double> factors) {
      const Correlation from = best;
      for (const double factor : factors) {
        Correlation c = from;
        c.*setting *= factor;
        consider(c);
      }
    }

    Correlation best;
    double least = std::numeric_limits<double>::infinity();

   private:
    const CorrelationFit& fit_;
    int variable_;
  };

  Correlation search(int v) const {
    const double spacing = Distance(e_.available.grid).spacing();
    const Correlation fallback{.kind = CorrelationKind::matern32, .length = 3 * spacing, .nugget = 0.01, .stretch = 1};
    const auto mine = std::count_if(trials_.begin(), trials_.end(), [v](const Trial& t) { return t.variable == v; });
    if (mine == 0) return fallback;
    // The coarse grid looks at every other trial, the choice between the best of each kind at all.
    const std::size_t step = mine > 3 ? 2 : 1;
    Search smooth(*this, v), rough(*this, v), s(*this, v);
    for (const double cells : {1.2, 2.0, 3.3, 5.5, 9.0})
      smooth.consider({.kind = CorrelationKind::matern32, .length = cells * spacing, .nugget = 0.01, .stretch = 1}, step);
    for (const double cells : {3.0, 6.0, 12.0, 24.0})
      rough.consider({.kind = CorrelationKind::exponential, .length = cells * spacing, .nugget = 0.01, .stretch = 1}, step);
    s.consider(smooth.best);
    s.consider(rough.best);
    s.refine(&Correlation::stretch, {0.55, 0.75, 1.35, 1.8});
    s.refine(&Correlation::length, {0.8, 1.25});
    s.refine(&Correlation::nugget, {0.25, 3, 10});
    s.refine(&Correlation::length, {0.8, 1.25});
    s.refine(&Correlation::stretch, {0.85, 1.15});
    return s.best;
  }

  const validation::ValidationData& e_;
  SearchBudget s_;
  const float* climatology_;
  std::vector<Crop> crops_;
  std::vector<Trial> trials_;
  std::vector<int> windows_;
};

}  // namespace lacuna::baseline
