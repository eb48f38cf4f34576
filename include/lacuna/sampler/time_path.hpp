#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/schedule/noise_schedule.hpp"

namespace lacuna::sampler {

/// @brief Equal steps of time (the paper; Karras' for VarianceExploding) or of log-SNR (where solvers of higher order gain most).
enum class Spacing { time, log_snr };

struct GridSettings {
  int steps = 50;
  double begin = 1.0, end = schedule::smallest_time;
  Spacing spacing = Spacing::time;
};

/// @brief A point of a schedule.
struct Level {
  double time, alpha, sigma, log_snr;
};
template <schedule::NoiseSchedule Schedule>
Level level_at(const Schedule& s, double t) {
  return {t, s.alpha(t), s.sigma(t), s.log_snr(t)};
}

/// @brief Falling times from begin to end, steps + 1 of them.
/// Throws: OptionError for steps < 1, times outside 0 <= end < begin <= 1, and where log-SNR is to be divided but is infinite.
template <schedule::NoiseSchedule Schedule>
std::vector<double> time_grid(const Schedule& s, const GridSettings& g) {
  require<OptionError>(g.steps >= 1, "time grid: ", g.steps, " steps, expected 1 or more");
  require<OptionError>(g.end >= 0 && g.end < g.begin && g.begin <= 1, "time grid: from ", g.begin, " to ", g.end,
                       "; expected 0 <= end < begin <= 1");
  const double first = s.log_snr(g.begin), last = s.log_snr(g.end);
  require<OptionError>(g.spacing == Spacing::time || (std::isfinite(first) && std::isfinite(last)),
                       "time grid: log-SNR is infinite at ", std::isfinite(first) ? g.end : g.begin,
                       "; begin below 1 and end above 0, or space by time");
  std::vector<double> grid;
  for (int i = 0; i <= g.steps; ++i) {
    const double x = static_cast<double>(i) / g.steps;
    grid.push_back(g.spacing == Spacing::time ? g.begin + x * (g.end - g.begin) : s.time_of_log_snr(first + x * (last - first)));
  }
  grid.front() = g.begin;
  grid.back() = g.end;
  return grid;
}

/// @brief Every `jump` steps the path goes back over them with fresh noise, so that each stretch is gone `passes` times.
/// Source: Lugmayr et al. 2022 (RePaint), arXiv:2201.09865, section 4.2.
inline std::vector<double> with_resampling(const std::vector<double>& grid, int jump, int passes) {
  require<OptionError>(jump >= 1 && passes >= 1, "resampling: jumps of ", jump, " steps, ", passes,
                       " passes; expected 1 or more");
  std::vector<double> path{grid.front()};
  for (std::size_t from = 0; from + 1 < grid.size(); from += static_cast<std::size_t>(jump)) {
    const std::size_t to = std::min(grid.size() - 1, from + static_cast<std::size_t>(jump));
    for (int pass = 0; pass < passes; ++pass)
      for (std::size_t i = pass == 0 ? from + 1 : from; i <= to; ++i) path.push_back(grid[i]);
  }
  return path;
}

/// @brief Once `low` is reached, the path goes back to `high` with fresh noise, `times` times; both are met at the nearest points
/// of the grid. Source: Xu et al. 2023 (Restart), arXiv:2306.14878, section 3.
inline std::vector<double> with_restarts(const std::vector<double>& grid, double low, double high, int times) {
  require<OptionError>(times >= 0, "restart: ", times, " times, expected 0 or more");
  const auto nearest = [&](double t) {
    std::size_t best = 0;
    for (std::size_t i = 1; i < grid.size(); ++i)
      if (std::abs(grid[i] - t) < std::abs(grid[best] - t)) best = i;
    return best;
  };
  const std::size_t from = nearest(high), to = nearest(low);
  require<OptionError>(from < to, "restart: from ", low, " back to ", high, " is no step of the grid");
  std::vector<double> path;
  for (std::size_t i = 0; i < grid.size(); ++i) {
    path.push_back(grid[i]);
    for (int k = 0; i == to && k < times; ++k)
      for (std::size_t j = from; j <= to; ++j) path.push_back(grid[j]);
  }
  return path;
}

/// @brief The levels along a path of times.
/// Throws: OptionError where times leave [0, 1], stand still, or the schedule's log-SNR does not fall as time rises.
template <schedule::NoiseSchedule Schedule>
std::vector<Level> levels_along(const Schedule& s, const std::vector<double>& path) {
  require<OptionError>(path.size() >= 2, "time path: ", path.size(), " times, expected 2 or more");
  std::vector<Level> levels;
  for (const double t : path) {
    require<OptionError>(t >= 0 && t <= 1, "time path: time ", t, " is not in 0 .. 1");
    levels.push_back(level_at(s, t));
    if (levels.size() == 1) continue;
    const Level& before = levels[levels.size() - 2];
    require<OptionError>(before.time != t, "time path: stands still at ", t);
    require<OptionError>((before.time > t) == (before.log_snr < levels.back().log_snr) && before.log_snr != levels.back().log_snr,
                         "time path: the schedule is not monotone: log-SNR ", before.log_snr, " at ", before.time, ", ",
                         levels.back().log_snr, " at ", t);
  }
  require<OptionError>(path[1] < path[0] && path.back() < path[path.size() - 2],
                       "time path: its first and last steps must go down");
  return levels;
}

}  // namespace lacuna::sampler
