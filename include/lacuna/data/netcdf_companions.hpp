#pragma once

#include <netcdf.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/data/netcdf_axes.hpp"
#include "lacuna/data/netcdf_copy.hpp"
#include "lacuna/data/netcdf_handle.hpp"
#include "lacuna/data/netcdf_plan.hpp"
#include "lacuna/data/netcdf_series.hpp"

/// Variables that go into the output beside the filled ones: coordinates, their bounds, projections, static masks.
namespace lacuna::data::netcdf {

/// @brief A variable of the first file, and of the later ones where it depends on time.
struct Companion {
  std::string name;
  int out_id = -1;
  int time_axis = -1;    ///< -1: does not depend on time, the first file's holds
  bool decoded = false;  ///< the files store it differently: it is unpacked to double, in the first file's units
};

/// The position of a file's time dimension among a variable's, -1 if it is not there.
inline int time_axis_of(const Variable& v, const Layout& layout) {
  const int time = layout.dim(layout.time_axis).id;
  const auto found = std::find_if(v.dims.begin(), v.dims.end(), [&](const Dimension& d) { return d.id == time; });
  return found == v.dims.end() ? -1 : static_cast<int>(found - v.dims.begin());
}

/// What a file calls a companion of the first file: its own time coordinate and that one's bounds, whatever their names, else the
/// variable of that name.
inline std::optional<Variable> counterpart(const File& file, const Layout& layout, const std::string& name, const File& first,
                                           const Layout& first_layout) {
  const auto time = coordinate_of(first, first_layout.dim(first_layout.time_axis));
  const auto own_time = coordinate_of(file, layout.dim(layout.time_axis));
  if (!time || !own_time) return file.find(name);
  if (time->name == name) return own_time;
  if (text_attribute(first, time->id, "bounds") == name) return file.find(text_attribute(file, own_time->id, "bounds"));
  return file.find(name);
}

/// Units of a variable; the bounds of times are in the times' where they tell none (CF conventions, 7.1).
inline TimeScale units_of(const File& file, const Variable& v, const Layout& layout) {
  const std::string units = text_attribute(file, v.id, "units");
  if (!units.empty()) return {units, lower(text_attribute(file, v.id, "calendar"))};
  const auto time = coordinate_of(file, layout.dim(layout.time_axis));
  if (!time || text_attribute(file, time->id, "bounds") != v.name) return {};
  return {text_attribute(file, time->id, "units"), lower(text_attribute(file, time->id, "calendar"))};
}

/// How a variable's numbers in one file become those of the first file's units. Throws: DataError where that cannot be told.
inline TimeConversion conversion_of(const File& file, const Variable& v, const Layout& layout, const TimeScale& first,
                                    const std::string& who) {
  const TimeScale here = units_of(file, v, layout);
  // Units that are none of time are compared as they are written.
  const bool times = parse_time_units(here.units) && parse_time_units(first.units);
  require<DataError>(times || here.units == first.units || here.silent() || first.silent(), who, " is in '", first.units,
                     "' in one and in '", here.units, "' in the other");
  return times ? TimeConversion(here, first, who) : TimeConversion({}, {}, who);
}

/// Decides how a variable of the first file that depends on time is put together from all files. Throws: DataError that names the
/// variable and both files, where its parts do not fit together.
inline Companion plan_companion(const File& in, const Variable& v, const Series& series) {
  const Layout& first = series.parts.front();
  Companion out{.name = v.name, .time_axis = time_axis_of(v, first)};
  if (out.time_axis < 0) return out;
  for (const Layout& part : series.parts) {
    if (part.path == first.path) continue;
    const File file = File::open(part.path);
    const auto other = counterpart(file, part, v.name, in, first);
    if (!other) continue;
    const std::string who = text("variable ", v.name, " of ", first.path, " and ", part.path);
    require<DataError>(is_numeric(v.type) ? is_numeric(other->type) : v.type == other->type, who,
                       " holds numbers in one and text in the other, or text of another kind");
    bool fits = other->dims.size() == v.dims.size() && time_axis_of(*other, part) == out.time_axis;
    for (std::size_t d = 0; fits && d < v.dims.size(); ++d)
      fits = static_cast<int>(d) == out.time_axis || other->dims[d].size == v.dims[d].size;
    require<DataError>(fits, who, " has other dimensions in each: ", describe(v), " and ", describe(*other));
    const bool same_units = conversion_of(file, *other, part, units_of(in, v, first), who).same();
    if (is_numeric(v.type)) out.decoded = out.decoded || !same_units || !same_encoding(in, v, file, *other);
  }
  return out;
}

/// Copies a hyperslab; the two files' types are the same.
inline void copy_block(const File& in, const Variable& v, const File& out, int out_variable, std::vector<std::size_t> start,
                       const std::vector<std::size_t>& count, int time_axis, std::size_t first_frame) {
  std::size_t size = 0, cells = 1;
  in.check(nc_inq_type(in.id(), v.type, nullptr, &size), "asking for a type");
  for (std::size_t c : count) cells *= c;
  if (cells == 0) return;
  std::vector<char> bytes(size * cells);
  in.check(nc_get_vara(in.id(), v.id, start.data(), count.data(), bytes.data()), "reading variable " + v.name);
  if (time_axis >= 0) start[static_cast<std::size_t>(time_axis)] = first_frame;
  const int status = nc_put_vara(out.id(), out_variable, start.data(), count.data(), bytes.data());
  if (v.type == NC_STRING) nc_free_string(cells, reinterpret_cast<char**>(bytes.data()));
  out.check(status, "writing variable " + v.name);
}

/// Writes a companion's part as double: unpacked, in the first file's units, missing as the type's fill value.
inline void decode_block(const File& in, const Variable& v, const TimeConversion& convert, const File& out,
                         const Companion& companion, std::vector<std::size_t> start, const std::vector<std::size_t>& count,
                         std::size_t first_frame) {
  std::size_t cells = 1;
  for (std::size_t c : count) cells *= c;
  if (cells == 0) return;
  std::vector<double> values(cells);
  with_type(v.type, stored_unsigned(in, v), [&](auto zero) {
    using T = decltype(zero);
    const Encoding<T> encoding = read_encoding<T>(in, v);
    std::vector<T> stored(cells);
    in.check(nc_get_vara(in.id(), v.id, start.data(), count.data(), stored.data()), "reading variable " + v.name);
    for (std::size_t i = 0; i < cells; ++i)
      values[i] = encoding.missing(stored[i]) ? NC_FILL_DOUBLE : convert(encoding.unpack(stored[i]));
  });
  start[static_cast<std::size_t>(companion.time_axis)] = first_frame;
  out.check(nc_put_vara_double(out.id(), companion.out_id, start.data(), count.data(), values.data()),
            "writing variable " + v.name);
}

/// Copies the data of a companion from every file of the first variable; where a file does not have it, its frames stay missing.
inline void copy_companion(const Companion& companion, const Series& series, const File& out) {
  const Layout& first = series.parts.front();
  const File in_first = File::open(first.path);
  const TimeScale units = units_of(in_first, in_first.find(companion.name).value(), first);
  std::size_t frame = 0;
  for (const Layout& part : series.parts) {
    const File in = File::open(part.path);
    if (const auto v = counterpart(in, part, companion.name, in_first, first)) {
      std::vector<std::size_t> count;
      for (const Dimension& d : v->dims) count.push_back(d.size);
      const std::vector<std::size_t> start(count.size(), 0);
      if (companion.decoded)
        decode_block(in, *v, conversion_of(in, *v, part, units, companion.name), out, companion, start, count, frame);
      else
        copy_block(in, *v, out, companion.out_id, start, count, companion.time_axis, frame);
    }
    if (companion.time_axis < 0) return;
    frame += part.time.size();
  }
}

/// True for gridded fields over time, which go into the output only when they are asked for.
inline bool is_field(const Variable& v, const Dimension& time) {
  int long_dims = 0;
  bool over_time = false;
  for (const Dimension& d : v.dims) {
    over_time = over_time || d.id == time.id;
    long_dims += d.id != time.id && d.size > 1 ? 1 : 0;
  }
  return over_time && long_dims >= 2;
}

/// Defines every variable of the first file that is no gridded field. Throws: as plan_companion.
inline std::vector<Companion> define_companions(const File& in, const Series& series, const std::vector<std::string>& taken,
                                                OutputDimensions& dims, const File& out) {
  const auto time = coordinate_of(in, dims.time());
  std::vector<Companion> all;
  for (const Variable& v : in.variables()) {
    if (is_field(v, dims.time()) || among(taken, v.name) || v.type > NC_STRING) continue;
    Companion c = plan_companion(in, v, series);
    c.out_id = define_variable(out, v.name, c.decoded ? NC_DOUBLE : v.type, dims.of_first(v));
    set_compression(in, v, out, c.out_id, 0);
    std::vector<std::string> dropped;
    if (c.decoded) {
      dropped = packing_attributes();
      const double fill = NC_FILL_DOUBLE;
      const bool coordinate = time && time->id == v.id;  // which has no missing values
      if (!coordinate)
        out.check(nc_put_att_double(out.id(), c.out_id, "_FillValue", NC_DOUBLE, 1, &fill), "writing attribute _FillValue");
    }
    copy_attributes(in, v.id, out, c.out_id, dropped);
    all.push_back(c);
  }
  return all;
}

}  // namespace lacuna::data::netcdf
