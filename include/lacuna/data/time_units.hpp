#pragma once

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

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
  if (unit.find(' ') != std::string::npos) return std::nullopt;  // two words of a list below
  for (const auto& [names, seconds] : {std::pair{" s sec secs second seconds ", 1.0},
                                       {" min mins minute minutes ", 60.0},
                                       {" h hr hrs hour hours ", 3600.0},
                                       {" d day days ", 86400.0},
                                       {" week weeks ", 604800.0}}) {
    if (std::string(names).find(" " + unit + " ") != std::string::npos) return seconds;
  }
  return std::nullopt;
}

/// @brief `text` from position `at` on, without characters of `skipped` at its beginning.
inline std::string rest_of(const std::string& text, int at, const char* skipped) {
  std::string rest = text.substr(static_cast<std::size_t>(at));
  return rest.erase(0, rest.find_first_not_of(skipped));
}

/// @brief Seconds that a time zone is ahead of UTC: "", "z", "utc", "gmt", "+5", "-06:00" or "+0530"; empty for other words.
inline std::optional<int> zone_seconds(const std::string& zone) {
  if (zone.empty() || zone == "z" || zone == "utc" || zone == "gmt") return 0;
  std::string digits = zone.substr(1);
  if (digits.size() > 3 && digits[digits.size() - 3] == ':') digits.erase(digits.size() - 3, 1);
  const bool number = !digits.empty() && digits.size() <= 4 && digits.find_first_not_of("0123456789") == std::string::npos;
  if (!number || (zone[0] != '+' && zone[0] != '-')) return std::nullopt;
  const int value = std::stoi(digits) * (digits.size() > 2 ? 1 : 100), hours = value / 100, minutes = value % 100;
  if (hours > 14 || minutes > 59) return std::nullopt;
  return (zone[0] == '-' ? -60 : 60) * (60 * hours + minutes);
}

/// @brief Seconds after midnight UTC of "", "12", "12:30:15.5 +1:00" and their kin; empty if the text is not of that form.
inline std::optional<double> time_of_day(const std::string& text) {
  int hour = 0, minute = 0, used = 0;
  double second = 0;
  if (!text.empty() && std::isdigit(static_cast<unsigned char>(text[0])))
    std::sscanf(text.c_str(), "%2d%n:%2d%n:%lf%n", &hour, &used, &minute, &used, &second, &used);
  const bool valid = hour <= 23 && minute >= 0 && minute <= 59 && second >= 0 && second <= 60;
  const auto zone = zone_seconds(rest_of(text, used, " "));
  if (!valid || !zone) return std::nullopt;
  return hour * 3600 + minute * 60 + second - *zone;
}

/// @brief Reads "days since 1900-01-01 00:00:00 +1:00" and its kin; empty if the text is not of that form, or is no date and
/// time of the years of std::chrono, -32767 to 32767.
inline std::optional<TimeUnits> parse_time_units(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  text.erase(text.find_last_not_of(" \t\r\n") + 1);
  const std::size_t since = text.find(" since ");
  if (since == std::string::npos) return std::nullopt;
  const std::optional<double> unit = seconds_in(text.substr(0, since));
  int year = 0, used = 0;
  unsigned month = 0, day = 0;
  const std::string date = text.substr(since + 7);
  // Nine digits at most: more may not fit, and std::chrono keeps only some bits of what it is given.
  if (!unit || std::sscanf(date.c_str(), " %9d-%9u-%9u%n", &year, &month, &day, &used) != 3) return std::nullopt;
  if (std::abs(year) > static_cast<int>(std::chrono::year::max()) || month > 12 || day > 31) return std::nullopt;
  const std::chrono::year_month_day ymd{std::chrono::year{year}, std::chrono::month{month}, std::chrono::day{day}};
  const std::optional<double> time = time_of_day(rest_of(date, used, " t"));
  if (!ymd.ok() || !time) return std::nullopt;
  const auto days = std::chrono::sys_days{ymd}.time_since_epoch().count();
  return TimeUnits{*unit, static_cast<double>(days) * 86400 + *time};
}

/// @brief "2020-01-31 23:00" for whole minutes, else with seconds: UTC, in the proleptic Gregorian calendar. Beyond the years
/// of std::chrono, "1000000000000 s after 1970".
inline std::string date_text(std::int64_t seconds_since_1970) {
  using std::chrono::sys_days, std::chrono::year, std::chrono::January, std::chrono::December;
  constexpr std::chrono::sys_seconds first = sys_days{year::min() / January / 1}, last = sys_days{year::max() / December / 31};
  const std::chrono::sys_seconds at{std::chrono::seconds{seconds_since_1970}};
  if (at < first || at > last) return std::to_string(seconds_since_1970) + " s after 1970";
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
