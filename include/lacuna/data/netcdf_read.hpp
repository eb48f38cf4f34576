#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <new>
#include <span>
#include <string>
#include <vector>

#include "lacuna/core/digest.hpp"
#include "lacuna/core/error.hpp"
#include "lacuna/core/memory_limit.hpp"
#include "lacuna/data/checks.hpp"
#include "lacuna/data/field.hpp"
#include "lacuna/data/file_identity.hpp"
#include "lacuna/data/netcdf_axes.hpp"
#include "lacuna/data/netcdf_encoding.hpp"
#include "lacuna/data/netcdf_handle.hpp"
#include "lacuna/data/netcdf_series.hpp"

namespace lacuna::data {

/// @brief Variables read from NetCDF files, with what write_filled needs to give them back in the form they came in.
struct NetcdfInput {
  Fields fields{};
  std::vector<std::string> paths;          ///< as given, without repetitions of the same file
  std::vector<std::uint8_t> observed{};    ///< (T, H, W, V): 1 = observed in the files, whatever later becomes of `fields`
  std::vector<FileIdentity> identities{};  ///< of the files, when they were read
  std::uint64_t content = 0;               ///< digest of what was read
};

namespace netcdf {

/// @brief The least and the largest of finite values.
struct Extremes {
  double low = std::numeric_limits<double>::infinity(), high = -std::numeric_limits<double>::infinity();

  void add(double value) {
    if (!std::isfinite(value)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

/// @brief The identity where floats hold such values, else what centres them, or brings them to the size of floats.
inline Affine choose_affine(const Extremes& e) {
  constexpr double much_larger = 256, large = 1e30, small = 1e-30;  // 256: 16 of a float's 24 bits are left for what varies
  Affine affine;
  if (!(e.low <= e.high)) return affine;
  const double half_range = e.high / 2 - e.low / 2;  // halves, since the range of doubles may be none
  double largest = std::max(std::abs(e.low), std::abs(e.high));
  const bool constant = half_range == 0 && static_cast<double>(static_cast<float>(e.low)) != e.low;
  if (constant || (half_range > 0 && largest / 2 > much_larger * half_range)) {
    affine.offset = e.low + half_range;
    largest = half_range;
  }
  if (largest > large || (largest > 0 && largest < small)) affine.factor = std::ldexp(1.0, std::ilogb(largest));
  return affine;
}

/// Decodes some frames of a file into variable v of `out`, from its frame `to` on; `flipped`: the last row first.
/// Returns the extremes of what was there.
inline Extremes decode_frames(const File& file, const Layout& layout, const FrameRange& frames, int to, int v, bool flipped,
                              Fields& out) {
  const Variable variable = file.variable(layout.variable.id);
  const int height = layout.grid.height(), step = frames_at_once(layout.grid);
  const Affine affine = out.affine_of(v);
  Extremes extremes;
  with_type(variable.type, stored_unsigned(file, variable), [&](auto zero) {
    using T = decltype(zero);
    const Encoding<T> encoding = read_encoding<T>(file, variable);
    for (int t0 = frames.begin; t0 < frames.end; t0 += step) {
      const RawBlock<T> block = read_block<T>(file, layout, t0, std::min(step, frames.end - t0));
      for (int t = 0; t < block.frames; ++t) {
        for (int y = 0; y < height; ++y) {
          for (int x = 0; x < layout.grid.width(); ++x) {
            const T raw = block.at(t, flipped ? height - 1 - y : y, x);
            float& number = out.at(to + t0 - frames.begin + t, y, x, v);
            number = not_observed;
            if (encoding.missing(raw)) continue;
            const double value = encoding.unpack(raw);
            extremes.add(value);
            number = affine.number(value);
          }
        }
      }
    }
  });
  return extremes;
}

/// Decodes all frames of variable v.
inline Extremes decode_series(const Series& series, int v, Fields& out) {
  Extremes all;
  int frame = 0;
  for (const Layout& part : series.parts) {
    const Extremes here = decode_frames(File::open(part.path), part, {0, part.frames()}, frame, v, false, out);
    all.low = std::min(all.low, here.low);
    all.high = std::max(all.high, here.high);
    frame += part.frames();
  }
  return all;
}

/// What a float in the file is, it is in memory: only other numbers may need to be centred or scaled.
inline bool stored_as_float(const Series& series) {
  return std::all_of(series.parts.begin(), series.parts.end(), [](const Layout& part) {
    const File file = File::open(part.path);
    return part.variable.type == NC_FLOAT && read_packing(file, file.variable(part.variable.id)).is_identity();
  });
}

/// Makes room for the values. Throws: DataError that tells how much memory they need, where that cannot be had.
inline void allocate_fields(Fields& fields, const Series& first) {
  const double bytes = static_cast<double>(fields.time.size()) * static_cast<double>(fields.frame_size()) * sizeof(float);
  bool enough = bytes < static_cast<double>(memory_limit());
  try {
    if (enough) fields.values.resize(fields.frame_size() * fields.time.size());
  } catch (const std::bad_alloc&) {
    enough = false;
  }
  require<DataError>(enough, where(first.parts.front()), ", with what is filled together with it, has ", bytes / 1e9,
                     " GB of values, which is more memory than can be had");
}

/// Digest of all that was read: values and what they stand for, times with their units, coordinates.
inline std::uint64_t digest_of(const NetcdfInput& input) {
  const Fields& f = input.fields;
  std::uint64_t sum = 0;
  const auto add = [&sum](const auto& numbers) {
    sum = digest_bytes(std::as_bytes(std::span(numbers.data(), numbers.size())), sum);
  };
  add(f.time);
  add(f.time_units);
  add(f.grid.y);
  add(f.grid.x);
  for (const Affine& a : f.affine) add(std::array{a.offset, a.factor});
  add(f.values);
  return sum;
}

/// Throws DataError if a file is not what it was when it was read.
inline void require_same_files(const NetcdfInput& input, const char* when) {
  for (std::size_t i = 0; i < input.paths.size(); ++i)
    require<DataError>(file_identity(input.paths[i]) == input.identities[i], input.paths[i],
                       ": has been changed by another program ", when);
}

}  // namespace netcdf

/// @brief Reads variables on one grid from NetCDF-3 or NetCDF-4 files, each from the file that has it, or, where several have
/// it, from all of them in time order.
/// Shapes: time x [dimensions of size 1] x rows x columns in any order; axes are known by CF attributes, else by name, else by
/// position. Rows keep the file's order. Times increase from frame to frame.  Dtype: any number, packed or not; float in memory,
/// centred and scaled (Fields::affine) where a float would lose what varies
/// ERA5's dimension `expver` (final and preliminary versions side by side) is merged: the first version that has a value counts.
/// NaN policy: _FillValue, missing_value, the type's default fill, values outside valid_range/valid_min/valid_max and NaN
/// become NaN; an infinite value is an error.
/// Throws: DataError, one line that names the file and the variable: file missing or not NetCDF, variable unknown (the message
/// lists those there), no time, more than one level, grids or times that differ, infinite values, all values missing; a file that
/// another program changes meanwhile.
inline NetcdfInput read_netcdf_input(const std::vector<std::string>& paths, const std::vector<std::string>& names) {
  netcdf::require_request(paths, names);
  NetcdfInput out{.paths = netcdf::distinct(paths)};
  for (const std::string& path : out.paths) {
    netcdf::File::open(path).close();  // what is no file, or none of NetCDF, says so itself
    out.identities.push_back(file_identity(path));
  }
  const std::vector<netcdf::Series> all = netcdf::find_series(out.paths, names);
  const netcdf::Layout& first = all.front().parts.front();
  Fields& fields = out.fields;
  fields.grid = first.grid;
  fields.names = names;
  fields.time = all.front().time();
  fields.time_units = first.time_units;
  netcdf::allocate_fields(fields, all.front());
  for (int v = 0; v < fields.variables(); ++v) {
    const netcdf::Series& series = all[static_cast<std::size_t>(v)];
    const Affine affine = netcdf::choose_affine(netcdf::decode_series(series, v, fields));
    if (affine.is_identity() || netcdf::stored_as_float(series)) continue;
    fields.affine.resize(names.size());
    fields.affine[static_cast<std::size_t>(v)] = affine;
    netcdf::decode_series(series, v, fields);
  }
  require_finite(fields, out.paths.size() == 1 ? out.paths.front() : "input");
  require_observed(fields);
  out.observed.resize(fields.values.size());
  std::transform(fields.values.begin(), fields.values.end(), out.observed.begin(),
                 [](float value) { return static_cast<std::uint8_t>(std::isnan(value) ? 0 : 1); });
  out.content = netcdf::digest_of(out);
  netcdf::require_same_files(out, "while it was read");
  return out;
}

/// @brief As read_netcdf_input, without what is needed to write the variables back.
inline Fields read_netcdf(const std::vector<std::string>& paths, const std::vector<std::string>& names) {
  return read_netcdf_input(paths, names).fields;
}

}  // namespace lacuna::data
