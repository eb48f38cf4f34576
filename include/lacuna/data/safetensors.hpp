#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/data/atomic_file.hpp"

static_assert(std::endian::native == std::endian::little, "safetensors files are little-endian");

namespace lacuna::data {

/// @brief Bytes in an element of a safetensors dtype, 0 if the dtype is unknown.
inline std::size_t dtype_bytes(const std::string& dtype) {
  static const std::map<std::string, std::size_t> sizes = {{"BOOL", 1}, {"U8", 1},   {"I8", 1},  {"U16", 2}, {"I16", 2},
                                                           {"F16", 2},  {"BF16", 2}, {"U32", 4}, {"I32", 4}, {"F32", 4},
                                                           {"U64", 8},  {"I64", 8},  {"F64", 8}};
  const auto found = sizes.find(dtype);
  return found == sizes.end() ? 0 : found->second;
}

/// @brief Bytes of an array of that shape; empty if a size is negative, or a file's offsets could not tell so many.
inline std::optional<std::uint64_t> bytes_of(const std::vector<std::int64_t>& shape, std::size_t element) {
  std::uint64_t bytes = element;
  for (const std::int64_t n : shape) {
    if (n < 0 || (n > 0 && bytes > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max() / n))) return std::nullopt;
    bytes *= static_cast<std::uint64_t>(n);
  }
  return bytes;
}

/// @brief The dtype that holds elements of T.
template <class T>
constexpr const char* dtype_of() {
  if constexpr (std::is_same_v<T, float>) return "F32";
  if constexpr (std::is_same_v<T, double>) return "F64";
  if constexpr (std::is_same_v<T, std::int8_t>) return "I8";
  if constexpr (std::is_same_v<T, std::uint8_t>) return "U8";
  if constexpr (std::is_same_v<T, std::int32_t>) return "I32";
  if constexpr (std::is_same_v<T, std::uint32_t>) return "U32";
  if constexpr (std::is_same_v<T, std::int64_t>) return "I64";
  if constexpr (std::is_same_v<T, std::uint64_t>) return "U64";
}

/// @brief A named array of a safetensors file: dtype, shape and raw little-endian bytes, the last axis contiguous.
struct Tensor {
  std::string dtype;
  std::vector<std::int64_t> shape;
  std::vector<std::byte> bytes;

  template <class T>
  static Tensor from(std::span<const T> values, std::vector<std::int64_t> shape) {
    require<ShapeError>(bytes_of(shape, sizeof(T)) == values.size_bytes(), "Tensor: ", values.size(), " values for the shape ",
                        nlohmann::json(shape).dump());
    const auto raw = std::as_bytes(values);
    return {dtype_of<T>(), std::move(shape), {raw.begin(), raw.end()}};
  }
  template <class T>
  static Tensor from(const std::vector<T>& values) {
    return from(std::span<const T>(values), {static_cast<std::int64_t>(values.size())});
  }

  /// The elements. Throws DataError if the dtype is not T's.
  template <class T>
  std::vector<T> as() const {
    require<DataError>(dtype == dtype_of<T>(), "tensor holds ", dtype, ", not ", dtype_of<T>());
    std::vector<T> out(bytes.size() / sizeof(T));
    if (!out.empty()) std::memcpy(out.data(), bytes.data(), out.size() * sizeof(T));
    return out;
  }

  /// The elements as float, from F32, F64 or BF16.
  std::vector<float> as_float() const {
    if (dtype == "F64") {
      const auto wide = as<double>();
      std::vector<float> out(wide.size());
      std::transform(wide.begin(), wide.end(), out.begin(), [](double x) { return static_cast<float>(x); });
      return out;
    }
    if (dtype != "BF16") return as<float>();
    std::vector<float> out(bytes.size() / 2);
    for (std::size_t i = 0; i < out.size(); ++i) {
      std::uint16_t half = 0;
      std::memcpy(&half, bytes.data() + 2 * i, 2);
      out[i] = std::bit_cast<float>(static_cast<std::uint32_t>(half) << 16);
    }
    return out;
  }
};

/// @brief The content of a safetensors file.
struct Tensors {
  std::map<std::string, Tensor> tensors;
  std::map<std::string, std::string> metadata;

  /// Throws DataError if there is none of that name.
  const Tensor& at(const std::string& name) const {
    const auto found = tensors.find(name);
    require<DataError>(found != tensors.end(), "there is no tensor ", name);
    return found->second;
  }
};

namespace safetensors {

struct Extent {
  std::uint64_t begin, end;
  std::string name;
};

/// A name of a file for a message of one line, with control characters and what is no UTF-8 replaced.
inline std::string shown(const std::string& name) {
  const std::string quoted = nlohmann::json(name).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return quoted.substr(1, quoted.size() - 2);
}

/// The shape in a header's entry. Throws DataError, which begins with `who`, if it is none.
inline std::vector<std::int64_t> read_shape(const std::string& who, const nlohmann::json& sizes) {
  std::vector<std::int64_t> shape;
  bool valid = sizes.is_array();
  for (const auto& n : sizes) {
    valid = valid && n.is_number_unsigned() && n.get<std::uint64_t>() <= std::numeric_limits<std::int64_t>::max();
    if (valid) shape.push_back(n.get<std::int64_t>());
  }
  require<DataError>(valid, who, " has a shape that is not of sizes");
  return shape;
}

/// Checks one header entry and returns its place; `size` is that of all data.
inline Extent read_entry(const std::string& path, const std::string& name, const nlohmann::json& entry, std::uint64_t size,
                         Tensor& tensor) {
  const std::string who = path + ": tensor " + shown(name);
  tensor.dtype = entry.at("dtype").get<std::string>();
  const std::size_t element = dtype_bytes(tensor.dtype);
  require<DataError>(element > 0, who, " has the unknown dtype ", shown(tensor.dtype));
  tensor.shape = read_shape(who, entry.at("shape"));
  const auto bytes = bytes_of(tensor.shape, element);
  require<DataError>(bytes.has_value(), who, " is too large");
  const auto& offsets = entry.at("data_offsets");
  require<DataError>(
      offsets.is_array() && offsets.size() == 2 && offsets[0].is_number_unsigned() && offsets[1].is_number_unsigned(), who,
      " has data_offsets that are not two numbers");
  Extent place{offsets[0].get<std::uint64_t>(), offsets[1].get<std::uint64_t>(), name};
  require<DataError>(place.begin <= place.end && place.end <= size, who, " lies at ", place.begin, " to ", place.end,
                     ", the file has ", size, " bytes of data");
  require<DataError>(place.end - place.begin == *bytes, who, " has ", place.end - place.begin,
                     " bytes, its shape and dtype need ", *bytes);
  return place;
}

/// Parses the header; fills `out` but for the bytes. Returns the tensors' places, in order of position.
inline std::vector<Extent> read_header(const std::string& path, const std::string& header, std::uint64_t size, Tensors& out) {
  std::vector<Extent> places;
  try {
    const auto json = nlohmann::json::parse(header);
    require<DataError>(json.is_object(), path, ": the header is no JSON object");
    for (const auto& [name, entry] : json.items()) {
      if (name == "__metadata__") {
        out.metadata = entry.get<std::map<std::string, std::string>>();
      } else {
        places.push_back(read_entry(path, name, entry, size, out.tensors[name]));
      }
    }
  } catch (const nlohmann::json::exception& error) {
    throw DataError(text(path, ": the header is damaged: ", error.what()));
  }
  std::sort(places.begin(), places.end(),
            [](const Extent& a, const Extent& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
  std::uint64_t at = 0;
  for (const Extent& p : places) {
    require<DataError>(p.begin >= at, path, ": tensor ", shown(p.name), " overlaps the one before it");
    require<DataError>(p.begin == at, path, ": there are ", p.begin - at, " bytes before tensor ", shown(p.name),
                       " that belong to none");
    at = p.end;
  }
  require<DataError>(at == size, path, ": ", size, " bytes of data, the tensors need ", at);
  return places;
}

/// The header as JSON. Throws: DataError where a name or the metadata are no UTF-8.
inline std::string header_text(const std::string& path, const nlohmann::json& header) {
  try {
    return header.dump();
  } catch (const nlohmann::json::exception&) {
    const auto replaced = header.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    throw DataError(text(path, ": cannot be written: names and metadata must be UTF-8, got ", replaced));
  }
}

}  // namespace safetensors

/// @brief Reads a safetensors file (8 bytes of header length, JSON header, raw data).
/// Throws: DataError that says what is wrong: missing, truncated, a header that is no JSON, offsets out of range, overlapping or
/// not matching dtype and shape.
inline Tensors read_safetensors(const std::string& path) {
  std::error_code failed;
  require<DataError>(std::filesystem::is_regular_file(path, failed), path, ": there is no such file");
  const std::uint64_t total = std::filesystem::file_size(path);
  std::ifstream in(path, std::ios::binary);
  require<DataError>(in.good(), path, ": cannot be opened");
  std::uint64_t length = 0;
  require<DataError>(total >= sizeof length, path, ": is truncated: ", total, " bytes are no safetensors file");
  in.read(reinterpret_cast<char*>(&length), sizeof length);
  require<DataError>(length <= total - sizeof length, path, ": is truncated or no safetensors file: its header claims ", length,
                     " bytes, the file has ", total);
  std::string header(length, '\0');
  in.read(header.data(), static_cast<std::streamsize>(length));
  Tensors out;
  for (const auto& place : safetensors::read_header(path, header, total - sizeof length - length, out)) {
    auto& bytes = out.tensors[place.name].bytes;
    bytes.resize(place.end - place.begin);
    in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
  require<DataError>(in.good(), path, ": cannot be read to its end");
  return out;
}

/// @brief Writes a safetensors file; it replaces an existing one whole or not at all (AtomicFile). The same content gives the
/// same bytes. Throws: DataError if it cannot be written, or a tensor's bytes do not match its dtype and shape.
inline void write_safetensors(const std::string& path, const Tensors& content) {
  nlohmann::json json = nlohmann::json::object();
  if (!content.metadata.empty()) json["__metadata__"] = content.metadata;
  std::uint64_t at = 0;
  for (const auto& [name, tensor] : content.tensors) {
    const auto bytes = bytes_of(tensor.shape, dtype_bytes(tensor.dtype));
    require<DataError>(bytes.has_value(), path, ": tensor ", name, " has the shape ", nlohmann::json(tensor.shape).dump(),
                       ", which has no size");
    require<DataError>(name != "__metadata__" && dtype_bytes(tensor.dtype) > 0 && *bytes == tensor.bytes.size(), path,
                       ": tensor ", name, " of dtype ", tensor.dtype, " has ", tensor.bytes.size(), " bytes, expected ", *bytes);
    json[name] = {{"dtype", tensor.dtype}, {"shape", tensor.shape}, {"data_offsets", {at, at + *bytes}}};
    at += *bytes;
  }
  std::string header = safetensors::header_text(path, json);
  header.append((8 - header.size() % 8) % 8, ' ');  // aligns the data, as the format advises
  const std::uint64_t length = header.size();
  std::vector<std::span<const std::byte>> pieces = {std::as_bytes(std::span(&length, 1)),
                                                    std::as_bytes(std::span(header.data(), header.size()))};
  for (const auto& [name, tensor] : content.tensors) pieces.emplace_back(tensor.bytes);
  write_atomically(path, pieces);
}

}  // namespace lacuna::data
