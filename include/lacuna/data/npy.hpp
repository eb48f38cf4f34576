#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/data/atomic_file.hpp"
#include "lacuna/data/checks.hpp"
#include "lacuna/data/field.hpp"

static_assert(std::endian::native == std::endian::little, ".npy files are read and written as little-endian");

namespace lacuna::data {

/// @brief An array of a .npy file as float, the last axis contiguous whatever the file's order.
struct NpyArray {
  std::vector<std::size_t> shape;
  std::vector<float> values;
};

namespace npy {

inline constexpr char magic[] = "\x93NUMPY";
inline constexpr std::size_t most_axes = 64;  ///< as NumPy 2 has it; a damaged header may list a hundred thousand

struct Header {
  std::string descr;
  bool fortran_order = false;
  std::vector<std::size_t> shape = {};
};

inline std::string describe(const std::vector<std::size_t>& shape) {
  std::string out = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) out += (i ? ", " : "") + std::to_string(shape[i]);
  return out + ")";
}

/// What follows 'key': in the header's Python dictionary, up to one of the characters of `end`; empty if there is none.
inline std::string value_of(const std::string& dictionary, const std::string& key, const char* end) {
  const std::size_t found = dictionary.find("'" + key + "'");
  const std::size_t colon = dictionary.find(':', found);
  if (found == std::string::npos || colon == std::string::npos) return {};
  const std::size_t begin = dictionary.find_first_not_of(" '(", colon + 1);
  if (begin == std::string::npos) return {};
  return dictionary.substr(begin, dictionary.find_first_of(end, begin) - begin);
}

/// The beginning of a header's text for a message of one line.
inline std::string shown(const std::string& text) {
  std::string out = text.substr(0, 100);
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c < ' ' || c > '~'; }, ' ');
  return out.substr(0, out.find_last_not_of(' ') + 1);
}

/// Reads the Python dictionary that describes the array.
inline Header parse_header(const std::string& path, const std::string& dictionary) {
  Header out{.descr = value_of(dictionary, "descr", "',}")};
  const std::string order = value_of(dictionary, "fortran_order", ",} ");
  out.fortran_order = order == "True";
  const bool has_shape = dictionary.find("'shape'") != std::string::npos;
  require<DataError>(!out.descr.empty() && (order == "True" || order == "False") && has_shape, path,
                     ": the .npy header is damaged: ", shown(dictionary));
  std::string sizes = value_of(dictionary, "shape", ")");
  std::replace(sizes.begin(), sizes.end(), ',', ' ');
  std::istringstream in(sizes);
  for (std::string n; in >> n;) {
    const bool number = n.size() <= 18 && n.find_first_not_of("0123456789") == std::string::npos;
    require<DataError>(number, path, ": the .npy header's shape cannot be read: ", shown(sizes));
    require<DataError>(out.shape.size() < most_axes, path, ": has more than ", most_axes, " axes");
    out.shape.push_back(std::stoull(n));
  }
  return out;
}

/// The position in the file's data (first axis fastest) of element i in row-major order.
inline std::size_t fortran_position(const std::vector<std::size_t>& shape, std::size_t i) {
  std::size_t position = 0, stride = 1;
  for (std::size_t n : shape) stride *= n;
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    stride /= shape[axis];
    position += i % shape[axis] * stride;
    i /= shape[axis];
  }
  return position;
}

inline Header read_header(const std::string& path, std::ifstream& in) {
  char begin[8] = {};
  in.read(begin, sizeof begin);
  require<DataError>(in.good() && std::memcmp(begin, magic, 6) == 0, path, ": is not a .npy file");
  const int version = static_cast<unsigned char>(begin[6]);
  require<DataError>(version >= 1 && version <= 3, path, ": .npy version ", version, " is not known");
  unsigned char size[4] = {};
  in.read(reinterpret_cast<char*>(size), version == 1 ? 2 : 4);
  const std::size_t length = size[0] + 256U * size[1] + 65536U * size[2] + 16777216U * static_cast<std::size_t>(size[3]);
  require<DataError>(in.good() && length < (1U << 20), path, ": the .npy header is damaged");
  std::string dictionary(length, '\0');
  in.read(dictionary.data(), static_cast<std::streamsize>(length));
  require<DataError>(in.good(), path, ": is truncated in its header");
  return parse_header(path, dictionary);
}

}  // namespace npy

/// @brief Reads a .npy file of little-endian float32 or float64, in C or Fortran order.
/// Throws: DataError that says what is wrong: missing, not .npy, another dtype, truncated.
inline NpyArray read_npy_array(const std::string& path) {
  std::error_code failed;
  require<DataError>(std::filesystem::is_regular_file(path, failed), path, ": there is no such file");
  std::ifstream in(path, std::ios::binary);
  require<DataError>(in.good(), path, ": cannot be opened");
  const npy::Header header = npy::read_header(path, in);
  require<DataError>(header.descr == "<f4" || header.descr == "<f8", path, ": dtype '", npy::shown(header.descr),
                     "' is not supported, only '<f4' and '<f8' are");
  const std::size_t element = header.descr == "<f4" ? 4 : 8;
  const auto there = std::filesystem::file_size(path) - static_cast<std::uintmax_t>(in.tellg());
  std::size_t count = 1;
  for (std::size_t n : header.shape) {
    require<DataError>(n > 0, path, ": shape ", npy::describe(header.shape), " has no elements");
    // Also keeps the product of a damaged header's sizes from overflowing.
    require<DataError>(n <= there / element / count, path, ": is truncated: shape ", npy::describe(header.shape), " of '",
                       header.descr, "' needs more than its ", there, " bytes");
    count *= n;
  }
  NpyArray out{.shape = header.shape, .values = std::vector<float>(count)};
  std::vector<char> raw(count * element);
  in.read(raw.data(), static_cast<std::streamsize>(raw.size()));
  require<DataError>(in.good(), path, ": cannot be read to its end");
  for (std::size_t i = 0; i < count; ++i) {
    const char* at = raw.data() + element * (header.fortran_order ? npy::fortran_position(header.shape, i) : i);
    if (element == 4) {
      std::memcpy(&out.values[i], at, 4);
    } else {
      double wide = 0;
      std::memcpy(&wide, at, 8);
      out.values[i] = static_cast<float>(wide);
    }
  }
  return out;
}

/// @brief Reads gappy fields from a .npy file of shape (T, H, W) or (T, H, W, V); NaN = not observed. Coordinates are cell
/// numbers. `names` defaults to "v0", "v1", ...
/// Throws: DataError as read_npy_array, and for another number of axes, infinite values, or all values missing.
inline Fields read_npy(const std::string& path, std::vector<std::string> names = {}) {
  NpyArray array = read_npy_array(path);
  const std::size_t rank = array.shape.size();
  require<DataError>(rank == 3 || rank == 4, path, ": shape ", npy::describe(array.shape),
                     " is neither (time, rows, columns) nor (time, rows, columns, variables)");
  const std::size_t variables = rank == 4 ? array.shape[3] : 1;
  if (names.empty()) {
    for (std::size_t v = 0; v < variables; ++v) names.push_back(text("v", v));
  }
  require<DataError>(names.size() == variables, path, ": ", names.size(), " names for ", variables, " variables");
  const auto numbered = [](std::size_t count) {
    std::vector<double> out(count);
    for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<double>(i);
    return out;
  };
  Fields out;
  out.time = numbered(array.shape[0]);
  out.grid.y = numbered(array.shape[1]);
  out.grid.x = numbered(array.shape[2]);
  out.names = std::move(names);
  out.values = std::move(array.values);
  require_finite(out, path);
  require_observed(out);
  return out;
}

/// @brief Writes float32 values in C order as .npy version 1; an existing file is replaced whole or not at all.
/// Throws: ShapeError if the shape does not hold the values; DataError if the file exists without `overwrite` or cannot be
/// written.
inline void write_npy(const std::string& path, const std::vector<std::size_t>& shape, std::span<const float> values,
                      bool overwrite = false) {
  std::size_t count = 1;
  for (std::size_t n : shape) count *= n;
  require<ShapeError>(count == values.size(), "write_npy: ", values.size(), " values for shape ", npy::describe(shape));
  require_writable_output(path, {}, overwrite);
  std::string sizes = npy::describe(shape);
  if (shape.size() == 1) sizes = text("(", shape[0], ",)");
  std::string dictionary = "{'descr': '<f4', 'fortran_order': False, 'shape': " + sizes + ", }";
  dictionary.append(63 - (10 + dictionary.size()) % 64, ' ');
  dictionary += '\n';
  std::string header(npy::magic, 6);
  header += {'\x01', '\0', static_cast<char>(dictionary.size() & 255U), static_cast<char>(dictionary.size() >> 8U)};
  header += dictionary;
  write_atomically(path, {std::as_bytes(std::span(header.data(), header.size())), std::as_bytes(values)});
}

/// @brief Writes fields as (T, H, W) if there is one variable, else (T, H, W, V); NaN = not observed.
inline void write_npy(const std::string& path, const Fields& fields, bool overwrite = false) {
  require_consistent(fields);
  std::vector<std::size_t> shape = {fields.time.size(), fields.grid.y.size(), fields.grid.x.size()};
  if (fields.names.size() != 1) shape.push_back(fields.names.size());
  write_npy(path, shape, fields.values, overwrite);
}

}  // namespace lacuna::data
