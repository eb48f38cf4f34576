#pragma once

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/data/field.hpp"
#include "lacuna/data/netcdf_handle.hpp"

namespace lacuna::data::netcdf {

enum class Role { unknown, time, y, x, level };

/// @brief Where a variable's time, rows and columns are among its dimensions, and their coordinates.
struct Layout {
  std::string path;
  Variable variable;                             ///< without the dimension of versions
  int time_axis = -1, y_axis = -1, x_axis = -1;  ///< positions in variable.dims; all others have size 1
  int version_axis = -1;     ///< position in the file of a dimension of versions, of which each value is in one; -1: none
  std::size_t versions = 1;  ///< its size
  Grid grid{};
  std::vector<double> time{};
  std::string time_units{}, calendar{};
  bool has_y = false, has_x = false;  ///< the grid's coordinates are the file's, not cell numbers
  bool has_time_coordinate = false;

  const Dimension& dim(int axis) const { return variable.dims[static_cast<std::size_t>(axis)]; }
  int frames() const { return static_cast<int>(time.size()); }
};

inline std::string lower(std::string s) {
  std::transform(s.begin(), s.end(), s.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return s;
}

inline bool one_of(const std::string& word, std::initializer_list<const char*> words) {
  return std::any_of(words.begin(), words.end(), [&](const char* w) { return word == w; });
}

inline bool degrees_north(const std::string& units) {
  return one_of(lower(units), {"degrees_north", "degree_north", "degrees_n", "degree_n", "degreen", "degreesn"});
}
inline bool degrees_east(const std::string& units) {
  return one_of(lower(units), {"degrees_east", "degree_east", "degrees_e", "degree_e", "degreee", "degreese"});
}
inline bool latitude_name(const std::string& name) { return one_of(lower(name), {"lat", "lats", "latitude", "latitudes"}); }
inline bool longitude_name(const std::string& name) {
  return one_of(lower(name), {"lon", "lons", "long", "longitude", "longitudes"});
}

/// The role of a coordinate variable by its CF attributes.
inline Role role_by_attributes(const File& file, const Variable& coordinate) {
  const std::string units = text_attribute(file, coordinate.id, "units");
  const std::string standard = lower(text_attribute(file, coordinate.id, "standard_name"));
  const std::string axis = lower(text_attribute(file, coordinate.id, "axis"));
  if (lower(units).find(" since ") != std::string::npos || standard == "time" || axis == "t") return Role::time;
  if (degrees_north(units) || one_of(standard, {"latitude", "projection_y_coordinate", "grid_latitude"}) || axis == "y") {
    return Role::y;
  }
  if (degrees_east(units) || one_of(standard, {"longitude", "projection_x_coordinate", "grid_longitude"}) || axis == "x") {
    return Role::x;
  }
  if (axis == "z" || !text_attribute(file, coordinate.id, "positive").empty()) return Role::level;
  return Role::unknown;
}

inline Role role_by_name(const std::string& name) {
  const std::string n = lower(name);
  if (latitude_name(n) || one_of(n, {"y", "yc", "rlat", "nlat", "nav_lat", "south_north"})) return Role::y;
  if (longitude_name(n) || one_of(n, {"x", "xc", "rlon", "nlon", "nav_lon", "west_east"})) return Role::x;
  if (one_of(n, {"time", "valid_time", "t", "times", "timestep", "time_counter", "date"})) return Role::time;
  if (one_of(n, {"z", "lev", "level", "levels", "plev", "depth", "height", "altitude", "pressure_level", "number", "member"})) {
    return Role::level;
  }
  return Role::unknown;
}

/// The one-dimensional numeric variable that gives a dimension's coordinates: of its name, else any with a known role.
inline std::optional<Variable> coordinate_of(const File& file, const Dimension& dim) {
  const auto fits = [&](const Variable& v) { return v.dims.size() == 1 && v.dims[0].id == dim.id && is_numeric(v.type); };
  if (auto same = file.find(dim.name); same && fits(*same)) return same;
  for (const Variable& v : file.variables()) {
    if (!fits(v)) continue;
    if (role_by_attributes(file, v) != Role::unknown || role_by_name(v.name) != Role::unknown) return v;
  }
  return std::nullopt;
}

/// Roles of a variable's dimensions: by attributes, then names, then the unlimited one, then position (last column, before it
/// row, first time). A role is given once.
inline std::vector<Role> dimension_roles(const File& file, const Variable& variable) {
  const std::size_t rank = variable.dims.size();
  std::vector<Role> roles(rank, Role::unknown);
  const auto taken = [&](Role r) { return std::find(roles.begin(), roles.end(), r) != roles.end(); };
  const auto give = [&](std::size_t d, Role r) {
    if (roles[d] == Role::unknown && (r == Role::level || !taken(r))) roles[d] = r;
  };
  for (std::size_t d = 0; d < rank; ++d) {
    if (const auto c = coordinate_of(file, variable.dims[d])) give(d, role_by_attributes(file, *c));
  }
  for (std::size_t d = 0; d < rank; ++d) {
    if (const auto c = coordinate_of(file, variable.dims[d])) give(d, role_by_name(c->name));
    give(d, role_by_name(variable.dims[d].name));
  }
  for (std::size_t d = 0; d < rank; ++d) {
    if (variable.dims[d].unlimited) give(d, Role::time);
  }
  for (const Role r : {Role::x, Role::y}) {
    for (std::size_t d = rank; d-- > 0 && !taken(r);) give(d, r);
  }
  if (rank > 2) give(0, Role::time);
  return roles;
}

/// The values of a one-dimensional coordinate, unpacked; empty if there is none.
inline std::vector<double> coordinate_values(const File& file, const std::optional<Variable>& coordinate) {
  if (!coordinate) return {};
  require<DataError>(coordinate->dims[0].size <= std::numeric_limits<int>::max(), file.path(), ": coordinate ",
                     describe(*coordinate), " is too long");
  std::vector<double> values(coordinate->dims[0].size);
  file.check(nc_get_var_double(file.id(), coordinate->id, values.data()), "reading coordinate " + coordinate->name);
  const Packing packing = read_packing(file, *coordinate);
  for (double& v : values) {
    v = packing.unpack(v);
    require<DataError>(std::isfinite(v) && std::abs(v) < 9e36, file.path(), ": coordinate ", coordinate->name,
                       " has missing or infinite values");
  }
  return values;
}

inline std::vector<double> numbered(std::size_t count) {
  std::vector<double> out(count);
  for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<double>(i);
  return out;
}

/// Degrees on the sphere: said by units, or by the name where units are silent.
inline bool geographic_axis(const File& file, const Variable& c, bool north) {
  const std::string units = text_attribute(file, c.id, "units");
  if (north ? degrees_north(units) : degrees_east(units)) {
    return lower(text_attribute(file, c.id, "standard_name")).rfind("grid_", 0) != 0;
  }
  const bool named = north ? latitude_name(c.name) : longitude_name(c.name);
  return named && (units.empty() || one_of(lower(units), {"degrees", "degree", "deg"}));
}

/// A full circle in even steps, the last column one step before the first.
inline bool full_circle(const std::vector<double>& longitude) {
  const std::size_t n = longitude.size();
  if (n < 4) return false;
  const auto wrapped = [](double d) { return std::remainder(d, 360.0); };
  const double step = 360.0 / static_cast<double>(n) * (wrapped(longitude[1] - longitude[0]) < 0 ? -1 : 1);
  for (std::size_t i = 0; i < n; ++i) {
    const double here = wrapped(longitude[(i + 1) % n] - longitude[i]);
    if (std::abs(here - step) > 0.01 * std::abs(step)) return false;
  }
  return true;
}

/// @brief A grid from coordinates that were found (empty ones become cell numbers).
inline Grid make_grid(std::vector<double> y, std::vector<double> x, bool in_degrees) {
  Grid grid{.y = std::move(y), .x = std::move(x)};
  const bool valid = std::all_of(grid.y.begin(), grid.y.end(), [](double lat) { return std::abs(lat) <= 90.0 + 1e-4; });
  grid.geographic = in_degrees && valid;
  grid.periodic_x = grid.geographic && full_circle(grid.x);
  return grid;
}

/// Takes the dimension `expver` from the layout: ERA5's recent months come in two versions, final and preliminary, side by side,
/// where each time is in one of them and missing in the other.
inline void set_versions_aside(Layout& layout) {
  auto& dims = layout.variable.dims;
  const auto found = std::find_if(dims.begin(), dims.end(), [](const Dimension& d) { return lower(d.name) == "expver"; });
  if (found == dims.end() || found->size < 2) return;
  layout.version_axis = static_cast<int>(found - dims.begin());
  layout.versions = found->size;
  dims.erase(found);
}

/// @brief Finds time, rows and columns of a variable. Throws DataError if one is missing or another dimension is longer than 1
/// (apart from `expver`, whose versions are merged on reading).
inline Layout locate(const File& file, const Variable& in_file) {
  Layout out{.path = file.path(), .variable = in_file};
  set_versions_aside(out);
  const Variable& variable = out.variable;
  const std::string where = text(file.path(), ": variable ", describe(in_file));
  require<DataError>(is_numeric(variable.type), where, " holds no numbers");
  const std::vector<Role> roles = dimension_roles(file, variable);
  for (std::size_t d = 0; d < roles.size(); ++d) {
    if (roles[d] == Role::time) out.time_axis = static_cast<int>(d);
    if (roles[d] == Role::y) out.y_axis = static_cast<int>(d);
    if (roles[d] == Role::x) out.x_axis = static_cast<int>(d);
  }
  require<DataError>(out.time_axis >= 0, where, " has no time dimension");
  require<DataError>(out.y_axis >= 0 && out.x_axis >= 0, where, " needs time, rows (latitude) and columns (longitude)");
  for (std::size_t d = 0; d < roles.size(); ++d) {
    const bool used =
        static_cast<int>(d) == out.time_axis || static_cast<int>(d) == out.y_axis || static_cast<int>(d) == out.x_axis;
    require<DataError>(used || variable.dims[d].size == 1, where, ": dimension ", variable.dims[d].name, " has ",
                       variable.dims[d].size, " levels, only one is possible (extract one first)");
    require<DataError>(variable.dims[d].size > 0, where, ": dimension ", variable.dims[d].name, " is empty");
  }
  const double cells = static_cast<double>(out.dim(out.y_axis).size) * static_cast<double>(out.dim(out.x_axis).size);
  require<DataError>(std::max(cells, static_cast<double>(out.dim(out.time_axis).size)) <= std::numeric_limits<int>::max(), where,
                     ": has more cells or frames than the ", std::numeric_limits<int>::max(), " that are possible");
  const auto y = coordinate_of(file, out.dim(out.y_axis)), x = coordinate_of(file, out.dim(out.x_axis));
  out.has_y = y.has_value();
  out.has_x = x.has_value();
  auto rows = y ? coordinate_values(file, y) : numbered(out.dim(out.y_axis).size);
  auto columns = x ? coordinate_values(file, x) : numbered(out.dim(out.x_axis).size);
  out.grid = make_grid(std::move(rows), std::move(columns),
                       y && x && geographic_axis(file, *y, true) && geographic_axis(file, *x, false));
  const auto time = coordinate_of(file, out.dim(out.time_axis));
  out.has_time_coordinate = time.has_value();
  out.time = time ? coordinate_values(file, time) : numbered(out.dim(out.time_axis).size);
  if (time) {
    out.time_units = text_attribute(file, time->id, "units");
    out.calendar = lower(text_attribute(file, time->id, "calendar"));
  }
  return out;
}

}  // namespace lacuna::data::netcdf
