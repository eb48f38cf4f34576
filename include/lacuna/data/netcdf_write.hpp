#pragma once

#include <netcdf.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/data/atomic_file.hpp"
#include "lacuna/data/field.hpp"
#include "lacuna/data/file_identity.hpp"
#include "lacuna/data/netcdf_companions.hpp"
#include "lacuna/data/netcdf_copy.hpp"
#include "lacuna/data/netcdf_encoding.hpp"
#include "lacuna/data/netcdf_output.hpp"
#include "lacuna/data/netcdf_plan.hpp"
#include "lacuna/data/netcdf_read.hpp"

namespace lacuna::data {

struct NetcdfWriteOptions {
  bool overwrite = false;            ///< replace an existing file
  bool fill_never_observed = false;  ///< also write values into cells never observed in any frame (land)
  std::string history;               ///< line for the history attribute, see history_line()
  int deflate = 4;                   ///< NetCDF-4 compression of variables that were not compressed, 0 = none
};

/// @brief "2024-05-01T12:00:00Z: command".
inline std::string history_line(const std::string& command) {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm utc{};
  gmtime_r(&now, &utc);
  char date[32] = {};
  std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text(date, ": ", command);
}

namespace netcdf {

/// The creation mode of the output: NetCDF-4 if any input is (of the classic model if those are), else the classic family, with
/// 64-bit offsets where they are needed.
inline int output_mode(const NetcdfInput& input) {
  bool four = false, enhanced = false, five = false;
  for (const std::string& path : input.paths) {
    const int format = File::open(path).format();
    enhanced = enhanced || format == NC_FORMAT_NETCDF4;
    four = four || format == NC_FORMAT_NETCDF4_CLASSIC;
    five = five || format == NC_FORMAT_64BIT_DATA;
  }
  if (enhanced || (four && five)) return NC_NETCDF4;  // 64BIT_DATA has types that the classic model lacks
  if (four) return NC_NETCDF4 | NC_CLASSIC_MODEL;
  if (five) return NC_64BIT_DATA;
  return input.fields.values.size() > (std::size_t{1} << 27) ? NC_64BIT_OFFSET : 0;  // 13 bytes a value at most, 2 GiB
}

inline std::string long_name(const File& in, const Variable& v) {
  const std::string name = text_attribute(in, v.id, "long_name");
  return name.empty() ? v.name : name;
}

/// Defines NAME, NAME_spread and NAME_observed.
inline void define_filled(const Layout& first, OutputDimensions& dims, const File& out, int deflate, Plan& plan) {
  const File in = File::open(first.path);
  const Variable& v = first.variable;
  const std::vector<int> ids = dims.of_filled(first);
  plan.values_id = define_variable(out, v.name, plan.type, ids);
  plan.spread_id = define_variable(out, v.name + "_spread", plan.spread_type, ids);
  plan.observed_id = define_variable(out, v.name + "_observed", NC_BYTE, ids);
  for (int id : {plan.values_id, plan.spread_id, plan.observed_id}) set_compression(in, v, out, id, deflate);

  std::vector<std::string> dropped;
  if (plan.widened) {
    dropped = packing_attributes();
    const double fill = default_fill(plan.type);
    out.check(nc_put_att_double(out.id(), plan.values_id, "_FillValue", plan.type, 1, &fill), "writing attribute _FillValue");
  }
  copy_attributes(in, v.id, out, plan.values_id, dropped);

  const double spread_fill = default_fill(plan.spread_type);
  out.check(nc_put_att_double(out.id(), plan.spread_id, "_FillValue", plan.spread_type, 1, &spread_fill),
            "writing attribute _FillValue");
  put_text(out, plan.spread_id, "long_name", long_name(in, v) + ", standard deviation of the fill");
  if (const std::string units = text_attribute(in, v.id, "units"); !units.empty()) put_text(out, plan.spread_id, "units", units);

  const signed char flags[] = {Filling::computed, Filling::observed}, flag_fill = Filling::left_missing;
  out.check(nc_put_att_schar(out.id(), plan.observed_id, "_FillValue", NC_BYTE, 1, &flag_fill), "writing attribute _FillValue");
  put_text(out, plan.observed_id, "long_name", long_name(in, v) + ", observed or filled");
  out.check(nc_put_att_schar(out.id(), plan.observed_id, "flag_values", NC_BYTE, 2, flags), "writing attribute flag_values");
  put_text(out, plan.observed_id, "flag_meanings", "filled observed");
  for (const char* name : {"coordinates", "grid_mapping"}) {
    if (!find_attribute(in, v.id, name)) continue;
    for (int id : {plan.spread_id, plan.observed_id})
      out.check(nc_copy_att(in.id(), v.id, name, out.id(), id), "copying attributes");
  }
}

template <class T>
void put_block(const File& out, int variable, const RawBlock<T>& block, std::size_t time_axis, std::size_t first_frame) {
  std::vector<std::size_t> start(block.count.size(), 0);
  start[time_axis] = first_frame;
  if constexpr (std::is_same_v<T, double>)
    out.check(nc_put_vara_double(out.id(), variable, start.data(), block.count.data(), block.values.data()), "writing");
  else
    out.check(nc_put_vara(out.id(), variable, start.data(), block.count.data(), block.values.data()), "writing");
}

/// Writes some frames: `raw` as stored where observed, computed values encoded elsewhere, into `out_type` U.
template <class U, class T>
void write_block(const RawBlock<T>& raw, const Encoding<T>& encoding, const Layout& layout, int first, int v,
                 const Filling& filling, const Plan& plan, const File& out) {
  const int from = static_cast<int>(raw.start[static_cast<std::size_t>(layout.time_axis)]);
  auto values = make_block<U>(layout, from, raw.frames);
  auto spread = make_block<double>(layout, from, raw.frames);
  auto flags = make_block<signed char>(layout, from, raw.frames);
  const double spread_fill = default_fill(plan.spread_type);
  const auto value_of = [&](T stored, signed char state, std::size_t i) {
    if constexpr (std::is_same_v<U, T>) {
      if (!plan.widened) return state == Filling::computed ? *encode(encoding, filling.value(i)) : stored;
    }
    if (state == Filling::computed) return static_cast<U>(filling.value(i));
    return state == Filling::observed ? static_cast<U>(encoding.unpack(stored)) : static_cast<U>(default_fill(plan.type));
  };
  for (int t = 0; t < raw.frames; ++t) {
    for (int y = 0; y < layout.grid.height(); ++y) {
      for (int x = 0; x < layout.grid.width(); ++x) {
        const std::size_t i = filling.input->fields.index(first + t, y, x, v), at = raw.position(t, y, x);
        const signed char state = filling.state(i);
        const double s = filling.spread(i);
        const bool missing = encoding.missing(raw.values[at]);
        require<DataError>(missing == (state != Filling::observed), layout.path,
                           ": has been changed since it was read: variable ", layout.variable.name, ", frame ", from + t,
                           ", row ", y, ", column ", x, " is ", missing ? "missing now" : "observed now");
        values.values[at] = value_of(raw.values[at], state, i);
        spread.values[at] = state == Filling::left_missing || std::isnan(s) ? spread_fill : s;
        flags.values[at] = state;
      }
    }
  }
  const auto axis = static_cast<std::size_t>(layout.time_axis), frame = static_cast<std::size_t>(first);
  put_block(out, plan.values_id, values, axis, frame);
  put_block(out, plan.spread_id, spread, axis, frame);
  put_block(out, plan.observed_id, flags, axis, frame);
}

/// Writes the frames of variable v that come from one file.
inline void write_part(const Layout& layout, int first_frame, int v, const Filling& filling, const Plan& plan, const File& out) {
  with_encoding(layout, [&](const File& in, const Variable&, const auto& encoding) {
    using T = typename std::decay_t<decltype(encoding.codes)>::value_type;
    const int step = frames_at_once(layout.grid);
    for (int t = 0; t < layout.frames(); t += step) {
      const RawBlock<T> raw = read_block<T>(in, layout, t, std::min(step, layout.frames() - t));
      if (!plan.widened) {
        write_block<T>(raw, encoding, layout, first_frame + t, v, filling, plan, out);
      } else if (plan.type == NC_FLOAT) {
        write_block<float>(raw, encoding, layout, first_frame + t, v, filling, plan, out);
      } else {
        write_block<double>(raw, encoding, layout, first_frame + t, v, filling, plan, out);
      }
    }
  });
}

/// The first file's global attributes, with a line added to the history.
inline void put_global_attributes(const File& in, const File& out, const std::vector<Series>& all, const std::vector<Plan>& plans,
                                  const std::string& line) {
  copy_attributes(in, NC_GLOBAL, out, NC_GLOBAL, {"history"});
  std::string history = text_attribute(in, NC_GLOBAL, "history");
  if (!history.empty() && history.back() != '\n') history += '\n';
  history += line.empty() ? history_line("gaps filled by lacuna") : line;
  for (std::size_t v = 0; v < all.size(); ++v) {
    if (!plans[v].widened) continue;
    history +=
        text(" (", all[v].name, " is unpacked to ", plans[v].type == NC_FLOAT ? "float" : "double", ": ", plans[v].reason, ")");
  }
  put_text(out, NC_GLOBAL, "history", history);
}

/// The names the output's own variables have. Throws DataError if two of them are the same.
inline std::vector<std::string> names_taken(const std::vector<std::string>& names) {
  std::vector<std::string> taken;
  for (const std::string& name : names) {
    for (const char* suffix : {"", "_spread", "_observed"}) {
      require<DataError>(!among(taken, name + suffix), "the output would have two variables ", name, suffix);
      taken.push_back(name + suffix);
    }
  }
  return taken;
}

inline void require_sound(const NetcdfInput& input, const FilledFields& filled) {
  const std::size_t size = input.fields.frame_size() * input.fields.time.size();
  require<ShapeError>(input.observed.size() == size && filled.values.size() == size && filled.spread.size() == size,
                      "write_filled: ", filled.values.size(), " values, ", filled.spread.size(), " spreads, ",
                      input.observed.size(), " observed flags; the fields have ", size);
  const auto infinite = [](float x) { return std::isinf(x); };
  require<DataError>(std::none_of(filled.values.begin(), filled.values.end(), infinite) &&
                         std::none_of(filled.spread.begin(), filled.spread.end(), infinite),
                     "write_filled: infinite values among those computed");
}

/// Throws DataError unless the files hold what was read, by their identity or, where that differs, by what was observed.
inline void require_unchanged(const NetcdfInput& input) {
  bool same = true;
  for (std::size_t i = 0; i < input.paths.size(); ++i) same = same && file_identity(input.paths[i]) == input.identities[i];
  if (same) return;
  const NetcdfInput now = read_netcdf_input(input.paths, input.fields.names);
  require<DataError>(now.content == input.content && now.observed == input.observed,
                     input.paths.size() == 1 ? input.paths.front() : "an input file",
                     " has been changed since it was read: it holds other values now");
}

/// Defines dimensions, variables and attributes of the output.
inline std::vector<Companion> define_output(const NetcdfInput& input, const std::vector<Series>& all,
                                            const NetcdfWriteOptions& options, const File& out, std::vector<Plan>& plans) {
  const File first = File::open(all.front().parts.front().path);
  OutputDimensions dims(out, all);
  const auto companions = define_companions(first, all.front(), names_taken(input.fields.names), dims, out);
  for (std::size_t v = 0; v < all.size(); ++v) define_filled(all[v].parts.front(), dims, out, options.deflate, plans[v]);
  put_global_attributes(first, out, all, plans, options.history);
  out.check(nc_enddef(out.id()), "writing the header");
  return companions;
}

}  // namespace netcdf

/// @brief Variables of the input that the output's own NAME_spread and NAME_observed take the place of.
inline std::vector<std::string> replaced_variables(const NetcdfInput& input) {
  std::vector<std::string> replaced;
  for (const std::string& path : input.paths) {
    const netcdf::File file = netcdf::File::open(path);
    for (const std::string& name : netcdf::names_taken(input.fields.names))
      if (!netcdf::among(input.fields.names, name) && !netcdf::among(replaced, name) && file.find(name)) replaced.push_back(name);
  }
  return replaced;
}

/// @brief Writes nothing, and finds out before hours of work whether write_filled() could: the output's header is made in memory,
/// with each variable stored as in the input, and unpacked. Throws: as write_filled(), but for the room on the disk.
inline void require_writable(const NetcdfInput& input, const std::string& path, const NetcdfWriteOptions& options = {}) {
  require_writable_output(path, input.paths, options.overwrite);
  const std::vector<netcdf::Series> all = netcdf::find_series(input.paths, input.fields.names);
  for (const char* reason : {"", "rehearsed"}) {
    std::vector<netcdf::Plan> plans;
    for (int v = 0; v < input.fields.variables(); ++v)
      plans.push_back(netcdf::make_plan(all[static_cast<std::size_t>(v)], input.fields.affine_of(v), reason));
    const netcdf::File out = netcdf::File::create("rehearsal", netcdf::output_mode(input) | NC_DISKLESS, path);
    netcdf::define_output(input, all, options, out, plans);
  }
}

/// @brief Writes the input's variables with their gaps filled, each with NAME_spread (float) and NAME_observed (byte flag:
/// 1 observed, 0 filled, fill value: left missing), and everything around them as it was: dimensions, coordinates, attributes,
/// format. Observed values are copied as stored, bit for bit; computed ones are packed like them and kept inside valid_range;
/// where a packing cannot hold them the variable is unpacked and the history says so. Cells never observed stay missing unless
/// asked. Other gridded fields of the input are left out. Where several files store a companion (time, its bounds) in other
/// types, packing or units of time, it becomes double in the units of the earliest file. The file appears whole or not at all
/// (AtomicFile).          Cost: reads the input once more; NetCDF-4 is built in memory Throws: DataError if the output is an
/// input, exists without `overwrite`, or cannot be written, or if an input was changed since it was read; ShapeError if sizes
/// differ.
inline void write_filled(const NetcdfInput& input, const FilledFields& filled, const std::string& path,
                         const NetcdfWriteOptions& options = {}) {
  netcdf::require_sound(input, filled);
  require_writable_output(path, input.paths, options.overwrite);
  netcdf::require_unchanged(input);
  const std::vector<netcdf::Series> all = netcdf::find_series(input.paths, input.fields.names);
  const netcdf::Filling filling(input, filled, options.fill_never_observed);
  std::vector<netcdf::Plan> plans;
  for (int v = 0; v < input.fields.variables(); ++v)
    plans.push_back(netcdf::plan_variable(all[static_cast<std::size_t>(v)], v, filling));

  netcdf::Output target(path, netcdf::output_mode(input), options.overwrite ? Existing::replaced : Existing::kept);
  const netcdf::File& out = target.file();
  for (const auto& companion : netcdf::define_output(input, all, options, out, plans))
    netcdf::copy_companion(companion, all.front(), out);
  for (std::size_t v = 0; v < all.size(); ++v) {
    int frame = 0;
    for (const netcdf::Layout& part : all[v].parts) {
      netcdf::write_part(part, frame, static_cast<int>(v), filling, plans[v], out);
      frame += part.frames();
    }
  }
  netcdf::require_unchanged(input);  // nor while it was written
  target.commit();
}

}  // namespace lacuna::data
