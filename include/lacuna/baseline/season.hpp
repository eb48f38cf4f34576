#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "lacuna/data/field.hpp"
#include "lacuna/data/time_units.hpp"

namespace lacuna::baseline {

/// @brief Months since year 0 of every frame; empty if the time units are not CF's or a time is not finite.
/// "months since" counts calendar months; other units count seconds in the Gregorian calendar.
inline std::optional<std::vector<long>> calendar_months(const data::Fields& f) {
  std::vector<long> months;
  int year = 0;
  unsigned month = 0;
  const bool counted = std::sscanf(f.time_units.c_str(), " %*[Mm]onth%*[s] since %d-%u", &year, &month) == 2 ||
                       std::sscanf(f.time_units.c_str(), " %*[Mm]onth since %d-%u", &year, &month) == 2;
  const auto units = data::parse_time_units(f.time_units);
  if ((!counted || month < 1 || month > 12) && !units) return std::nullopt;
  for (const double t : f.time) {
    if (!std::isfinite(t) || std::abs(t) > 1e12) return std::nullopt;
    if (counted) {
      months.push_back(12L * year + static_cast<long>(month) - 1 + std::lround(std::floor(t)));
      continue;
    }
    const double day = std::floor(units->seconds(t) / 86400.0);
    constexpr double most = 1.1e7;  // of the years that std::chrono has
    if (!(std::abs(day) < most)) return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::sys_days{} + std::chrono::days{static_cast<int>(day)}};
    months.push_back(12L * static_cast<int>(date.year()) + static_cast<long>(static_cast<unsigned>(date.month())) - 1);
  }
  return months;
}

/// @brief Calendar month 0 .. 11 of every frame, if the times tell and the frames that are learned from cover two years or more;
/// else 0 for all. What is filled besides does not decide it: a month without any year to learn from would have no mean.
struct Seasons {
  std::vector<int> of;  ///< (T) group of each frame
  int count = 1;        ///< groups: 12 or 1

  Seasons(const data::Fields& f, const data::FrameRange& learned) : of(f.time.size(), 0) {
    const auto months = calendar_months(f);
    if (!months || learned.size() < 1) return;
    const auto [first, last] = std::minmax_element(months->begin() + learned.begin, months->begin() + learned.end);
    if (*last - *first + 1 < 24) return;
    count = 12;
    for (std::size_t t = 0; t < of.size(); ++t) of[t] = static_cast<int>(((*months)[t] % 12 + 12) % 12);
  }

  /// Months between two groups, the short way round the year.
  int apart(int a, int b) const { return std::min((a - b + count) % count, (b - a + count) % count); }
};

}  // namespace lacuna::baseline
