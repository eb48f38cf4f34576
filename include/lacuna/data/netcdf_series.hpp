#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/data/netcdf_axes.hpp"
#include "lacuna/data/netcdf_handle.hpp"
#include "lacuna/data/time_units.hpp"

/// Variables that lie in several files: found, and put in order in time.
namespace lacuna::data::netcdf {

/// One variable's layouts, one a file, in time order, with all times in the units of the first of them.
struct Series {
  std::string name;
  std::vector<Layout> parts;

  std::vector<double> time() const {
    std::vector<double> all;
    for (const Layout& part : parts) all.insert(all.end(), part.time.begin(), part.time.end());
    return all;
  }
};

inline bool same_coordinates(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size()) return false;
  const double step = a.size() > 1 ? std::abs(a[1] - a[0]) : 1.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    // Coordinates kept as float in one file and double in another differ by rounding.
    if (std::abs(a[i] - b[i]) > 1e-3 * step + 1e-6 * std::abs(a[i])) return false;
  }
  return true;
}

inline std::string where(const Layout& l) { return text("variable ", describe(l.variable), " in ", l.path); }

/// Throws DataError that names both variables with their sizes unless their grids agree, in coordinates where both have them.
inline void require_same_grid(const Layout& a, const Layout& b) {
  const std::string both = text(where(a), " and ", where(b));
  require<DataError>(a.grid.y.size() == b.grid.y.size() && a.grid.x.size() == b.grid.x.size(), "grids differ: ", both);
  require<DataError>(!a.has_y || !b.has_y || same_coordinates(a.grid.y, b.grid.y),
                     "grids differ: the row coordinates (latitudes) of ", both, " begin with ", a.grid.y[0], " and ",
                     b.grid.y[0]);
  require<DataError>(!a.has_x || !b.has_x || same_coordinates(a.grid.x, b.grid.x),
                     "grids differ: the column coordinates (longitudes) of ", both, " begin with ", a.grid.x[0], " and ",
                     b.grid.x[0]);
}

/// @brief What a number of "UNITS since DATE" is in time. Silent: the file tells no units.
struct TimeScale {
  std::string units{}, calendar{};

  bool silent() const { return units.empty(); }
  bool gregorian() const { return one_of(calendar, {"", "standard", "gregorian", "proleptic_gregorian"}); }
  bool operator==(const TimeScale&) const = default;
};

inline TimeScale time_scale(const Layout& l) { return {l.time_units, l.calendar}; }

/// @brief How numbers on one time scale become numbers on another; throws DataError, with `from` and `to` in its words, where
/// that cannot be told.
class TimeConversion {
 public:
  TimeConversion(const TimeScale& from, const TimeScale& to, const std::string& who) {
    if (from == to || from.silent() || to.silent()) return;
    const auto a = parse_time_units(from.units), b = parse_time_units(to.units);
    require<DataError>(a && b && from.gregorian() && to.gregorian(), "times cannot be compared: ", who, " are in '", to.units,
                       "' ", to.calendar, " and in '", from.units, "' ", from.calendar);
    from_ = *a;
    to_ = *b;
    same_ = a->unit == b->unit && a->epoch == b->epoch;
  }
  bool same() const { return same_; }
  double operator()(double t) const { return same_ ? t : (from_.seconds(t) - to_.epoch) / to_.unit; }

 private:
  bool same_ = true;
  TimeUnits from_{}, to_{};
};

/// Brings the times of `l` to the units of `first`; where one of them tells none, they are taken as the same.
inline void convert_time(Layout& l, const Layout& first) {
  const TimeConversion convert(time_scale(l), time_scale(first), text(where(first), " and ", where(l)));
  for (double& t : l.time) t = convert(t);
  if (first.time_units.empty()) return;
  l.time_units = first.time_units;
  l.calendar = first.calendar;
}

/// Throws DataError, naming the frames, unless each time is later than the one before.
inline void require_increasing(const Layout& l) {
  const auto later = std::adjacent_find(l.time.begin(), l.time.end(), [](double a, double b) { return !(a < b); });
  if (later == l.time.end()) return;
  const auto frame = later - l.time.begin();
  throw DataError(text("times of ", where(l), " do not increase: frame ", frame, " is at ", *later, ", frame ", frame + 1, " at ",
                       later[1], later[0] == later[1] ? " too" : "", " (sort them first, and keep one of each)"));
}

/// @brief Orders the parts of a variable in time, and brings all to the units of the earliest: the order in which the files were
/// named decides nothing. Throws: DataError where parts overlap in time, have other grids, or times that cannot be compared.
inline void order_parts(Series& series) {
  auto& parts = series.parts;
  for (const Layout& part : parts) {
    require_same_grid(parts.front(), part);
    require<DataError>(parts.size() == 1 || part.has_time_coordinate, "variable ", series.name, " is in several files, and ",
                       part.path, " has no times to order them by");
    require<DataError>(part.time_units.empty() == parts.front().time_units.empty(), "times cannot be compared: of ",
                       where(parts.front()), " and ", where(part), " one has no units of time");
    if (part.has_time_coordinate) require_increasing(part);
  }
  // Any part's units serve to compare; the conversion is made once it is known which part is the first.
  const auto begins = [scale = time_scale(parts.front()), &parts](const Layout& l) {
    return TimeConversion(time_scale(l), scale, text(where(parts.front()), " and ", where(l)))(l.time.front());
  };
  std::vector<std::pair<double, std::size_t>> order;
  for (std::size_t i = 0; i < parts.size(); ++i) order.emplace_back(begins(parts[i]), i);
  std::sort(order.begin(), order.end());
  std::vector<Layout> sorted;
  for (const auto& [begin, i] : order) sorted.push_back(std::move(parts[i]));
  parts = std::move(sorted);
  for (Layout& part : parts) convert_time(part, parts.front());
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const Layout &a = parts[i - 1], &b = parts[i];
    require<DataError>(a.time.back() < b.time.front(), "variable ", series.name, " is in both ", a.path, " and ", b.path,
                       " with times that overlap (", a.time.front(), " to ", a.time.back(), " and ", b.time.front(), " to ",
                       b.time.back(), ")");
  }
}

inline std::string list_variables(const File& file) {
  std::string list;
  for (const Variable& v : file.variables()) {
    if (is_numeric(v.type) && v.dims.size() >= 2) list += (list.empty() ? "" : ", ") + describe(v);
  }
  return text(file.path(), " has ", list.empty() ? "none" : list);
}

/// Throws OptionError unless there are files and variables, each variable once.
inline void require_request(const std::vector<std::string>& paths, const std::vector<std::string>& names) {
  require<OptionError>(!paths.empty(), "no input file was given");
  require<OptionError>(!names.empty(), "no variable was given");
  for (const std::string& name : names)
    require<OptionError>(std::count(names.begin(), names.end(), name) == 1, "variable ", name, " was given twice");
}

/// Finds each name in the files, its parts in their order. Throws: DataError for a name that none has, listing those there are.
inline std::vector<Series> find_parts(const std::vector<std::string>& paths, const std::vector<std::string>& names) {
  std::vector<Series> all(names.size());
  std::string there;
  for (const std::string& path : paths) {
    const File file = File::open(path);
    for (std::size_t n = 0; n < names.size(); ++n) {
      all[n].name = names[n];
      if (const auto variable = file.find(names[n])) all[n].parts.push_back(locate(file, *variable));
    }
    there += (there.empty() ? "" : "; ") + list_variables(file);
  }
  for (const Series& series : all)
    require<DataError>(!series.parts.empty(), "there is no variable ", series.name, ": ", there,
                       series.name.find('/') == std::string::npos
                           ? ""
                           : " (variables in a group cannot be read: extract the group first, as with ncks -G : -g GROUP)");
  return all;
}

/// Finds each name in the files, its parts in time order; all have the same grid and times.
inline std::vector<Series> find_series(const std::vector<std::string>& paths, const std::vector<std::string>& names) {
  std::vector<Series> all = find_parts(paths, names);
  for (Series& series : all) {
    order_parts(series);
    const Layout& first = all.front().parts.front();
    require_same_grid(first, series.parts.front());
    for (Layout& part : series.parts) convert_time(part, first);
    const auto a = all.front().time(), b = series.time();
    require<DataError>(a.size() == b.size(), "times differ: variable ", all.front().name, " has ", a.size(), " frames, variable ",
                       series.name, " has ", b.size());
    const bool counted_only = !first.has_time_coordinate || !series.parts.front().has_time_coordinate;
    require<DataError>(counted_only || same_coordinates(a, b), "times differ: variable ", all.front().name, " has ", a.size(),
                       " frames from ", a.front(), " to ", a.back(), ", variable ", series.name, " as many from ", b.front(),
                       " to ", b.back());
  }
  return all;
}

/// The paths without a second mention of the same file.
inline std::vector<std::string> distinct(const std::vector<std::string>& paths) {
  std::vector<std::string> out;
  for (const std::string& path : paths) {
    std::error_code ignored;
    const bool again =
        std::any_of(out.begin(), out.end(), [&](const auto& p) { return std::filesystem::equivalent(p, path, ignored); });
    if (!again) out.push_back(path);
  }
  return out;
}

}  // namespace lacuna::data::netcdf
