#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/data/checks.hpp"
#include "lacuna/data/field.hpp"
#include "lacuna/data/netcdf_axes.hpp"
#include "lacuna/data/netcdf_encoding.hpp"
#include "lacuna/data/netcdf_handle.hpp"
#include "lacuna/data/time_units.hpp"

namespace lacuna::data {

/// @brief Variables read from NetCDF files, with what write_filled needs to give them back in the form they came in.
struct NetcdfInput {
  Fields fields{};
  std::vector<std::string> paths;        ///< as given, without repetitions of the same file
  std::vector<std::uint8_t> observed{};  ///< (T, H, W, V): 1 = observed in the files, whatever later becomes of `fields`
};

namespace netcdf {

/// One variable's layouts, one a file, in time order, with times in the units of the first file.
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

/// Brings the times of `l` to the units of `first`, "days since" different dates included; silent units are taken as the same.
inline void convert_time(Layout& l, const Layout& first) {
  if (l.time_units.empty() || first.time_units.empty()) return;
  if (l.time_units == first.time_units && l.calendar == first.calendar) return;
  const auto from = parse_time_units(l.time_units), to = parse_time_units(first.time_units);
  const auto gregorian = [](const std::string& c) { return one_of(c, {"", "standard", "gregorian", "proleptic_gregorian"}); };
  require<DataError>(from && to && gregorian(l.calendar) && gregorian(first.calendar), "times cannot be compared: ", where(first),
                     " has '", first.time_units, "' ", first.calendar, ", ", where(l), " has '", l.time_units, "' ", l.calendar);
  for (double& t : l.time) t = (from->seconds(t) - to->epoch) / to->unit;
  l.time_units = first.time_units;
  l.calendar = first.calendar;
  l.time_converted = true;
}

inline std::string list_variables(const File& file) {
  std::string list;
  for (const Variable& v : file.variables()) {
    if (is_numeric(v.type) && v.dims.size() >= 2) list += (list.empty() ? "" : ", ") + describe(v);
  }
  return text(file.path(), " has ", list.empty() ? "none" : list);
}

/// Orders the parts of a variable in time; they must follow one another.
inline void order_parts(Series& series) {
  const Layout& first = series.parts.front();
  for (Layout& part : series.parts) {
    require_same_grid(first, part);
    convert_time(part, first);
    require<DataError>(series.parts.size() == 1 || part.has_time_coordinate, "variable ", series.name,
                       " is in several files, and ", part.path, " has no times to order them by");
  }
  std::sort(series.parts.begin(), series.parts.end(),
            [](const Layout& a, const Layout& b) { return a.time.front() < b.time.front(); });
  for (std::size_t i = 1; i < series.parts.size(); ++i) {
    const Layout &a = series.parts[i - 1], &b = series.parts[i];
    require<DataError>(a.time.back() < b.time.front(), "variable ", series.name, " is in both ", a.path, " and ", b.path,
                       " with times that overlap (", a.time.front(), " to ", a.time.back(), " and ", b.time.front(), " to ",
                       b.time.back(), ")");
  }
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
  for (const Series& series : all) require<DataError>(!series.parts.empty(), "there is no variable ", series.name, ": ", there);
  return all;
}

/// Finds each name in the files, its parts in time order; all have the same grid and times.
inline std::vector<Series> find_series(const std::vector<std::string>& paths, const std::vector<std::string>& names) {
  std::vector<Series> all = find_parts(paths, names);
  for (Series& series : all) {
    order_parts(series);
    Layout& first = all.front().parts.front();
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

/// Decodes some frames of a file into variable v of `out`, from its frame `to` on; `flipped`: the last row first.
inline void decode_frames(const File& file, const Layout& layout, const FrameRange& frames, int to, int v, bool flipped,
                          Fields& out) {
  const Variable variable = file.variable(layout.variable.id);
  const int height = layout.grid.height(), step = frames_at_once(layout.grid);
  with_type(variable.type, stored_unsigned(file, variable), [&](auto zero) {
    using T = decltype(zero);
    const Encoding<T> encoding = read_encoding<T>(file, variable);
    for (int t0 = frames.begin; t0 < frames.end; t0 += step) {
      const RawBlock<T> block = read_block<T>(file, layout, t0, std::min(step, frames.end - t0));
      for (int t = 0; t < block.frames; ++t) {
        for (int y = 0; y < height; ++y) {
          for (int x = 0; x < layout.grid.width(); ++x) {
            const T raw = block.at(t, flipped ? height - 1 - y : y, x);
            out.at(to + t0 - frames.begin + t, y, x, v) =
                encoding.missing(raw) ? not_observed : static_cast<float>(encoding.unpack(raw));
          }
        }
      }
    }
  });
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

}  // namespace netcdf

/// @brief Reads variables on one grid from NetCDF-3 or NetCDF-4 files, each from the file that has it, or, where several have
/// it, from all of them in time order.
/// Shapes: time x [dimensions of size 1] x rows x columns in any order; axes are known by CF attributes, else by name, else by
/// position. Rows keep the file's order.                                      Dtype: any number, packed or not; float in memory
/// ERA5's dimension `expver` (final and preliminary versions side by side) is merged: the first version that has a value counts.
/// NaN policy: _FillValue, missing_value, the type's default fill, values outside valid_range/valid_min/valid_max and NaN
/// become NaN; an infinite value is an error.
/// Throws: DataError, one line that names the file and the variable: file missing or not NetCDF, variable unknown (the message
/// lists those there), no time, more than one level, grids or times that differ, infinite values, all values missing.
inline NetcdfInput read_netcdf_input(const std::vector<std::string>& paths, const std::vector<std::string>& names) {
  netcdf::require_request(paths, names);
  NetcdfInput out{.paths = netcdf::distinct(paths)};
  const std::vector<netcdf::Series> all = netcdf::find_series(out.paths, names);
  const netcdf::Layout& first = all.front().parts.front();
  out.fields.grid = first.grid;
  out.fields.names = names;
  out.fields.time = all.front().time();
  out.fields.time_units = first.time_units;
  out.fields.values.resize(out.fields.frame_size() * out.fields.time.size());
  for (std::size_t v = 0; v < all.size(); ++v) {
    int frame = 0;
    for (const netcdf::Layout& part : all[v].parts) {
      const netcdf::File file = netcdf::File::open(part.path);
      netcdf::decode_frames(file, part, {0, part.frames()}, frame, static_cast<int>(v), false, out.fields);
      frame += part.frames();
    }
  }
  require_finite(out.fields, out.paths.size() == 1 ? out.paths.front() : "input");
  require_observed(out.fields);
  out.observed.resize(out.fields.values.size());
  std::transform(out.fields.values.begin(), out.fields.values.end(), out.observed.begin(),
                 [](float value) { return static_cast<std::uint8_t>(std::isnan(value) ? 0 : 1); });
  return out;
}

/// @brief As read_netcdf_input, without what is needed to write the variables back.
inline Fields read_netcdf(const std::vector<std::string>& paths, const std::vector<std::string>& names) {
  return read_netcdf_input(paths, names).fields;
}

}  // namespace lacuna::data
