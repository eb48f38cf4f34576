#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <vector>

#include "lacuna/baseline/climatology.hpp"
#include "lacuna/baseline/search_budget.hpp"
#include "lacuna/core/parallel.hpp"
#include "lacuna/validation/validation_data.hpp"

namespace lacuna::baseline {

/// @brief Chooses the climatology's widths, month weights and memory by the squared error on held-out values.
class ClimatologyFit {
 public:
  ClimatologyFit(const validation::ValidationData& evidence, const SearchBudget& settings)
      : e_(evidence),
        s_(settings),
        climatology_(e_.available, e_.windows),
        windows_(validation::scored_windows(e_, settings.climatology_windows)) {}

  ClimatologySettings operator()() const {
    ClimatologySettings best;
    if (windows_.empty()) return best;
    double least = std::numeric_limits<double>::infinity();
    std::vector<std::array<double, 3>> months = {{1, 0, 0}};
    if (climatology_.seasons().count > 1) months.insert(months.end(), {{1, 0.4, 0.1}, {1, 0.7, 0.3}});
    for (const auto& m : months)
      for (const double width : {0.0, 0.5, 0.8, 1.2, 1.8, 2.7}) {
        ClimatologySettings c;
        c.months = m;
        c.width = width;
        const double error = errors({c})[0];
        if (error < least) {
          least = error;
          best = c;
        }
      }
    return with_memory(best, least);
  }

 private:
  static constexpr double memories[] = {1, 2.5, 6, 15}, widths[] = {0.0, 0.5, 1.0, 1.8}, shrinks[] = {0.03, 0.1, 0.3, 1.0};

  ClimatologySettings with_memory(const ClimatologySettings& base, double least) const {
    std::vector<ClimatologySettings> candidates;
    for (const double memory : memories)
      for (const double width : widths)
        for (const double shrink : shrinks) {
          candidates.push_back(base);
          candidates.back().memory = memory;
          candidates.back().memory_width = width;
          candidates.back().shrink = shrink;
        }
    const auto e = errors(candidates);
    const auto best = std::min_element(e.begin(), e.end());
    return *best < least ? candidates[static_cast<std::size_t>(best - e.begin())] : base;
  }

  /// Squared errors of candidates that differ in their memory only, in the order of `memories`, `widths`, `shrinks`.
  std::vector<double> errors(const std::vector<ClimatologySettings>& candidates) const {
    const int v = e_.available.variables(), parts = static_cast<int>(windows_.size()) * v;
    std::vector<std::vector<double>> partial(static_cast<std::size_t>(parts));
    parallel_for(s_.threads, parts, [&](int part) {
      const int start = windows_[static_cast<std::size_t>(part / v)];
      auto& sum = partial[static_cast<std::size_t>(part)];
      sum.assign(candidates.size(), 0.0);
      ClimatologyPlanes planes(climatology_, candidates[0], start, part % v);
      for (int t = start; t < start + e_.windows.length; ++t)
        // An overlapping neighbour window leaves out more for some frames: these are scored in it.
        if (climatology_.left_out(t) == climatology_.left_out(start)) score(planes, t, part % v, candidates, sum);
    });
    std::vector<double> total(candidates.size(), 0.0);
    for (const auto& p : partial)
      for (std::size_t i = 0; i < total.size(); ++i) total[i] += p[i];
    return total;
  }

  void score(ClimatologyPlanes& planes, int t, int v, const std::vector<ClimatologySettings>& candidates,
             std::vector<double>& sum) const {
    const std::size_t first = e_.available.index(t, 0, 0, v), variables = e_.available.names.size();
    const auto& month = planes.month(climatology_.seasons().of[static_cast<std::size_t>(t)]);
    PlaneSums around, smooth;
    for (std::size_t c = 0; c < candidates.size(); ++c) {
      const ClimatologySettings& s = candidates[c];
      if (s.memory > 0) {
        if (c == 0 || candidates[c - 1].memory != s.memory) planes.anomalies(t, s.memory, around);
        if (c == 0 || candidates[c - 1].memory != s.memory || candidates[c - 1].memory_width != s.memory_width) {
          smooth = around;
          GaussianFilter gauss = planes.filter(s.memory_width);
          gauss(smooth.sum.data(), smooth.sum.data());
          gauss(smooth.count.data(), smooth.count.data());
        }
      }
      for (std::size_t i = 0; i < month.size(); ++i) {
        if (e_.held_out[first + i * variables] == 0) continue;
        const float added = s.memory > 0 ? smooth.sum[i] / (smooth.count[i] + static_cast<float>(s.shrink)) : 0.0f;
        const double d = static_cast<double>(e_.truth[first + i * variables]) - static_cast<double>(month[i] + added);
        sum[c] += d * d;
      }
    }
  }

  const validation::ValidationData& e_;
  SearchBudget s_;
  Climatology climatology_;
  std::vector<int> windows_;
};

}  // namespace lacuna::baseline
