#pragma once

#include <netcdf.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "lacuna/data/field.hpp"
#include "lacuna/data/netcdf_axes.hpp"
#include "lacuna/data/netcdf_handle.hpp"

namespace lacuna::data::netcdf {

/// @brief How numbers are stored: packing, and which of them mean "not observed". T is the stored type.
template <class T>
struct Encoding {
  Packing packing{};
  std::vector<T> codes;  ///< _FillValue, missing_value, the type's default fill
  double low = -std::numeric_limits<double>::infinity(), high = std::numeric_limits<double>::infinity();
  bool range_is_unpacked = false;  ///< low and high apply to unpacked values

  bool operator==(const Encoding&) const = default;

  double unpack(T raw) const { return packing.unpack(static_cast<double>(raw)); }

  bool missing(T raw) const {
    if constexpr (std::is_floating_point_v<T>) {
      if (std::isnan(raw)) return true;
    }
    if (std::find(codes.begin(), codes.end(), raw) != codes.end()) return true;
    const double tested = range_is_unpacked ? unpack(raw) : static_cast<double>(raw);
    return tested < low || tested > high;
  }
};

/// The C library's default fill of a type; bytes have none by convention (all 256 values are data).
inline double default_fill(nc_type type) {
  switch (type) {
    case NC_SHORT: return NC_FILL_SHORT;
    case NC_USHORT: return NC_FILL_USHORT;
    case NC_INT: return NC_FILL_INT;
    case NC_UINT: return NC_FILL_UINT;
    case NC_FLOAT: return static_cast<double>(NC_FILL_FLOAT);
    case NC_DOUBLE: return NC_FILL_DOUBLE;
    default: return std::numeric_limits<double>::quiet_NaN();
  }
}

inline bool stored_unsigned(const File& file, const Variable& v) {
  return lower(text_attribute(file, v.id, "_Unsigned")) == "true" && !is_floating(v.type);
}

/// @brief valid_range, valid_min and valid_max. They are in stored units unless their type is floating and the stored one an
/// integer (NetCDF user's guide, attribute conventions).
template <class T>
void read_range(const File& file, const Variable& v, Encoding<T>& out) {
  const auto limit = [&](const char* name, std::size_t i, double& bound) {
    const auto a = find_attribute(file, v.id, name);
    const std::vector<double> numbers = required_number_attribute(file, v, name);
    if (!a || numbers.size() <= i || std::isnan(numbers[i])) return;
    bound = numbers[i];
    if constexpr (std::is_same_v<T, float>) bound = static_cast<double>(static_cast<float>(bound));
    // With _Unsigned the range's type is the signed stored one, its bits meant as unsigned.
    if (a->type == v.type && std::is_unsigned_v<T>) bound = static_cast<double>(native_attribute<T>(file, v, name)[i]);
    out.range_is_unpacked = is_floating(a->type) && !is_floating(v.type);
  };
  limit("valid_min", 0, out.low);
  limit("valid_max", 0, out.high);
  limit("valid_range", 0, out.low);
  limit("valid_range", 1, out.high);
}

/// @brief Reads a variable's attributes on packing and missing values.
template <class T>
Encoding<T> read_encoding(const File& file, const Variable& v) {
  Encoding<T> out;
  out.packing = read_packing(file, v);
  for (const char* name : {"_FillValue", "missing_value"}) {
    required_number_attribute(file, v, name);
    for (T code : native_attribute<T>(file, v, name)) {
      if (code == code) out.codes.push_back(code);  // NaN is missing anyhow, and equals nothing
    }
  }
  const bool own_fill = find_attribute(file, v.id, "_FillValue").has_value();
  if (const double fill = default_fill(v.type); !own_fill && !std::isnan(fill)) {
    if constexpr (std::is_integral_v<T>)
      out.codes.push_back(static_cast<T>(static_cast<std::int64_t>(fill)));  // _Unsigned: a negative fill's bits
    else
      out.codes.push_back(static_cast<T>(fill));
  }
  read_range(file, v, out);
  return out;
}

/// @brief A run of frames of a variable as stored, and how to find a cell in it.
template <class T>
struct RawBlock {
  std::vector<T> values{};  ///< in the file's order of dimensions
  int frames = 0;
  std::size_t frame_stride = 0, row_stride = 0, column_stride = 0;
  std::vector<std::size_t> start{}, count{};

  T& at(int frame, int row, int column) { return values[position(frame, row, column)]; }
  T at(int frame, int row, int column) const { return values[position(frame, row, column)]; }
  std::size_t position(int frame, int row, int column) const {
    return static_cast<std::size_t>(frame) * frame_stride + static_cast<std::size_t>(row) * row_stride +
           static_cast<std::size_t>(column) * column_stride;
  }
};

/// @brief An empty block of `frames` frames from `first` on, in the order of dimensions of `layout`.
template <class T>
RawBlock<T> make_block(const Layout& layout, int first, int frames) {
  RawBlock<T> block{.frames = frames};
  std::size_t size = 1;
  for (const Dimension& d : layout.variable.dims) {
    block.start.push_back(0);
    block.count.push_back(d.size);
  }
  block.start[static_cast<std::size_t>(layout.time_axis)] = static_cast<std::size_t>(first);
  block.count[static_cast<std::size_t>(layout.time_axis)] = static_cast<std::size_t>(frames);
  for (int axis = static_cast<int>(block.count.size()); axis-- > 0;) {
    if (axis == layout.time_axis) block.frame_stride = size;
    if (axis == layout.y_axis) block.row_stride = size;
    if (axis == layout.x_axis) block.column_stride = size;
    size *= block.count[static_cast<std::size_t>(axis)];
  }
  block.values.resize(size);
  return block;
}

/// Reads one version of a block of `layout` into `values`.
template <class T>
void read_version(const File& file, const Layout& layout, std::size_t version, const RawBlock<T>& block, std::vector<T>& values) {
  std::vector<std::size_t> start = block.start, count = block.count;
  if (layout.version_axis >= 0) {
    start.insert(start.begin() + layout.version_axis, version);
    count.insert(count.begin() + layout.version_axis, 1);
  }
  file.check(nc_get_vara(file.id(), layout.variable.id, start.data(), count.data(), values.data()),
             "reading variable " + layout.variable.name);
}

/// @brief Frames as stored. Of several versions the first that has a value counts.
template <class T>
RawBlock<T> read_block(const File& file, const Layout& layout, int first, int frames) {
  RawBlock<T> block = make_block<T>(layout, first, frames);
  read_version(file, layout, 0, block, block.values);
  if (layout.versions == 1) return block;
  const Encoding<T> encoding = read_encoding<T>(file, layout.variable);
  std::vector<T> other(block.values.size());
  for (std::size_t version = 1; version < layout.versions; ++version) {
    read_version(file, layout, version, block, other);
    for (std::size_t i = 0; i < other.size(); ++i)
      if (encoding.missing(block.values[i])) block.values[i] = other[i];
  }
  return block;
}

/// Frames handled at once: about 16 million cells, so that compressed chunks over time are not unpacked again and again.
inline int frames_at_once(const Grid& grid) { return std::max(1, (1 << 24) / std::max(1, grid.cells())); }

}  // namespace lacuna::data::netcdf
