#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include "lacuna/core/error.hpp"

namespace lacuna::data::netcdf {

/// @brief Reads the header of a classic NetCDF file (CDF-1, CDF-2, CDF-5), as far as it says where the values lie.
///
/// Why by hand: the C library reads what a shortened file lacks as zeros, and does not tell where variables begin.
/// Source: "The NetCDF Classic Format Specification", NetCDF documentation, Unidata.
class ClassicHeader {
 public:
  /// Throws: DataError if it is none, or ends early.
  explicit ClassicHeader(const std::string& path) : path_(path), in_(path, std::ios::binary) {
    const std::uint64_t magic = number(4);
    version_ = static_cast<int>(magic & 0xff);
    require<DataError>((magic >> 8) == 0x434446 && (version_ == 1 || version_ == 2 || version_ == 5), path_,
                       ": is not a classic NetCDF file");
    records_ = size();
    if (records_ == (version_ == 5 ? ~std::uint64_t{0} : 0xffffffffU)) records_ = 0;  // being written: nobody knows how many
    for (std::uint64_t d = list(0x0a); d > 0; --d) {
      skip_name();
      lengths_.push_back(size());
    }
    skip_attributes();
    for (std::uint64_t v = list(0x0b); v > 0; --v) read_variable();
  }

  /// Bytes that the file must have at least: up to the end of the last value, without padding behind it.
  std::uint64_t bytes_needed() const {
    std::uint64_t record = 0, needed = 0;
    std::size_t recorded = 0;
    for (const Place& p : places_) {
      if (!p.record) continue;
      ++recorded;
      record = sum(record, padded(p.bytes));
    }
    for (const Place& p : places_) {
      if (p.record && records_ == 0) continue;
      // A single record variable is not padded from record to record.
      const std::uint64_t before = p.record ? product(records_ - 1, recorded == 1 ? p.bytes : record) : 0;
      needed = std::max(needed, sum(p.begin, sum(before, p.bytes)));
    }
    return needed;
  }

 private:
  /// Where a variable lies: all of it, or its part of the first record.
  struct Place {
    std::uint64_t begin = 0, bytes = 0;
    bool record = false;
  };

  void read_variable() {
    skip_name();
    Place place;
    const std::uint64_t rank = size();
    std::uint64_t values = 1;
    for (std::uint64_t d = 0; d < rank; ++d) {
      const std::uint64_t dimension = size();
      require<DataError>(dimension < lengths_.size(), path_, ": is damaged: a variable has a dimension that is not there");
      const std::uint64_t length = lengths_[dimension];
      if (d == 0 && length == 0)
        place.record = true;
      else
        values = product(values, length);
    }
    skip_attributes();
    place.bytes = product(values, type_bytes(number(4)));
    size();  // the variable's bytes as the header has them, which do not hold large ones
    place.begin = number(version_ == 1 ? 4 : 8);
    places_.push_back(place);
  }

  void skip_attributes() {
    for (std::uint64_t a = list(0x0c); a > 0; --a) {
      skip_name();
      const std::uint64_t bytes = type_bytes(number(4));
      skip(padded(product(bytes, size())));
    }
  }
  void skip_name() { skip(padded(size())); }

  /// The number of elements of a list with this tag; an absent one has the tag 0 and none.
  std::uint64_t list(std::uint64_t tag) {
    const std::uint64_t found = number(4), elements = size();
    require<DataError>(found == tag || (found == 0 && elements == 0), path_, ": is damaged: its header has a list of kind ",
                       found, ", expected ", tag);
    return elements;
  }

  std::uint64_t size() { return number(version_ == 5 ? 8 : 4); }

  /// A big-endian number.
  std::uint64_t number(int bytes) {
    std::uint64_t value = 0;
    for (int i = 0; i < bytes; ++i) {
      const int byte = in_.get();
      require<DataError>(byte >= 0, path_, ": is truncated: it ends within its header");
      value = value << 8 | static_cast<std::uint64_t>(byte);
    }
    return value;
  }
  void skip(std::uint64_t bytes) {
    require<DataError>(bytes < std::uint64_t{1} << 62, path_, ": is damaged: its header declares ", bytes, " bytes of text");
    in_.seekg(static_cast<std::streamoff>(bytes), std::ios::cur);
  }

  std::uint64_t type_bytes(std::uint64_t type) const {
    constexpr std::uint64_t bytes[] = {1, 1, 2, 4, 4, 8, 1, 2, 4, 8, 8};  // byte, char, short, int, float, double, ubyte, ...
    require<DataError>(type >= 1 && type <= std::size(bytes), path_, ": is damaged: its header has a type of number ", type);
    return bytes[type - 1];
  }

  /// Products and sums that stay at the largest number where they would wrap: more than any file has.
  static constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  static std::uint64_t product(std::uint64_t a, std::uint64_t b) { return b != 0 && a > most / b ? most : a * b; }
  static std::uint64_t sum(std::uint64_t a, std::uint64_t b) { return a > most - b ? most : a + b; }
  static std::uint64_t padded(std::uint64_t bytes) { return bytes > most - 3 ? most : (bytes + 3) / 4 * 4; }

  std::string path_;
  std::ifstream in_;
  int version_ = 0;
  std::uint64_t records_ = 0;
  std::vector<std::uint64_t> lengths_;
  std::vector<Place> places_;
};

}  // namespace lacuna::data::netcdf
