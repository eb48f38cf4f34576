#pragma once

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>

namespace lacuna::data {

/// @brief CF time units "<unit> since <date>" as numbers: seconds after 1970-01-01 UTC = epoch + value * unit.
/// Dates are counted in the proleptic Gregorian calendar.
struct TimeUnits {
  double unit;   ///< seconds in one unit
  double epoch;  ///< seconds from 1970-01-01 to the date

  double seconds(double value) const { return epoch + value * unit; }
};

/// @brief Seconds in a unit of time of constant length; empty for months, years and unknown words.
inline std::optional<double> seconds_in(const std::string& unit) {
  for (const auto& [names, seconds] : {std::pair{" s sec secs second seconds ", 1.0},
                                       {" min mins minute minutes ", 60.0},
                                       {" h hr hrs hour hours ", 3600.0},
                                       {" d day days ", 86400.0},
                                       {" week weeks ", 604800.0}}) {
    if (std::string(names).find(" " + unit + " ") != std::string::npos) return seconds;
  }
  return std::nullopt;
}

/// @brief Reads "days since 1900-01-01 00:00:00" and its kin; empty if the text is not of that form.
inline std::optional<TimeUnits> parse_time_units(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const std::size_t since = text.find(" since ");
  if (since == std::string::npos) return std::nullopt;
  const std::optional<double> unit = seconds_in(text.substr(0, since));
  int year = 0, hour = 0, minute = 0, used = 0;
  unsigned month = 0, day = 0;
  double second = 0;
  const std::string date = text.substr(since + 7);
  if (!unit || std::sscanf(date.c_str(), " %d-%u-%u%n", &year, &month, &day, &used) != 3) return std::nullopt;
  const std::chrono::year_month_day ymd{std::chrono::year{year}, std::chrono::month{month}, std::chrono::day{day}};
  if (!ymd.ok()) return std::nullopt;
  std::sscanf(date.c_str() + used, "%*[ t]%d:%d:%lf", &hour, &minute, &second);
  const auto days = std::chrono::sys_days{ymd}.time_since_epoch().count();
  return TimeUnits{*unit, static_cast<double>(days) * 86400 + hour * 3600 + minute * 60 + second};
}

/// @brief "2020-01-31 23:00" for whole minutes, else with seconds: UTC, in the proleptic Gregorian calendar.
inline std::string date_text(std::int64_t seconds_since_1970) {
  const std::chrono::sys_seconds at{std::chrono::seconds{seconds_since_1970}};
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date{day};
  const auto second = (at - day).count();
  char buffer[64];
  const int used = std::snprintf(buffer, sizeof buffer, "%04d-%02u-%02u %02d:%02d", static_cast<int>(date.year()),
                                 static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                                 static_cast<int>(second / 3600), static_cast<int>(second / 60 % 60));
  if (second % 60 != 0)
    std::snprintf(buffer + used, sizeof buffer - static_cast<std::size_t>(used), ":%02d", static_cast<int>(second % 60));
  return buffer;
}

}  // namespace lacuna::data
