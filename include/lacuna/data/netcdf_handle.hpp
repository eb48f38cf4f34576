#pragma once

#include <fcntl.h>
#include <netcdf.h>
#include <netcdf_mem.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/data/netcdf_classic.hpp"

/// Thin ownership and error reporting over the NetCDF C library (which is not thread-safe: one thread at a time).
namespace lacuna::data::netcdf {

struct Dimension {
  int id = -1;
  std::string name{};
  std::size_t size = 0;
  bool unlimited = false;
};

struct Variable {
  int id = -1;
  std::string name{};
  nc_type type = NC_NAT;
  std::vector<Dimension> dims{};
};

/// @brief "name(time=64, lat=33, lon=36)".
inline std::string describe(const Variable& variable) {
  std::string out = variable.name + "(";
  for (const Dimension& d : variable.dims) out += (&d == variable.dims.data() ? "" : ", ") + text(d.name, "=", d.size);
  return out + ")";
}

/// @brief Whether a program has a NetCDF-4 file open for writing: HDF5 locks it then. Throws: DataError where it cannot be read.
inline bool being_written(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  require<DataError>(fd >= 0, path, ": cannot be read: ", std::strerror(errno));
  const bool locked = ::flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  ::close(fd);
  return locked;
}

/// @brief An open NetCDF file; closed on destruction (quietly: call close() to learn of errors, a full disk among them).
class File {
 public:
  /// `mode`: NC_NOWRITE or NC_WRITE.
  static File open(const std::string& path, int mode = NC_NOWRITE) {
    std::error_code ignored;
    require<DataError>(std::filesystem::exists(path, ignored), path, ": there is no such file");
    require<DataError>(!std::filesystem::is_directory(path, ignored), path, ": is a folder, not a NetCDF file");
    require<DataError>(std::filesystem::is_regular_file(path, ignored), path, ": is not a regular file");  // a FIFO would wait
    require_whole(path);
    int id = -1;
    const int status = nc_open(path.c_str(), mode, &id);
    // What is no NetCDF comes back as one of several codes, HDF5 files of another kind or locked as a general HDF5 error.
    require<DataError>(status != NC_ENOTNC && status != NC_EHDFERR, path, ": is not a NetCDF file", what_else(path));
    require<DataError>(status == NC_NOERR, path, ": cannot be opened: ", nc_strerror(status));
    return {path, id};
  }
  /// Creates (replaces) a file; messages call it `shown_as`.
  static File create(const std::string& path, int mode, const std::string& shown_as) {
    int id = -1;
    const int status = nc_create(path.c_str(), mode | NC_CLOBBER, &id);
    require<DataError>(status == NC_NOERR, shown_as, ": cannot be created: ", nc_strerror(status));
    return {shown_as, id};
  }
  /// Opens a file in memory for writing, to be fetched by close(image); the library takes the image's memory (malloc'ed).
  static File open_in_memory(NC_memio& image, const std::string& shown_as) {
    int id = -1;
    const int status = nc_open_memio(shown_as.c_str(), NC_WRITE, &image, &id);
    require<DataError>(status == NC_NOERR, shown_as, ": cannot be created in memory: ", nc_strerror(status));
    return {shown_as, id};
  }
  File(File&& other) noexcept : path_(std::move(other.path_)), id_(std::exchange(other.id_, -1)) {}
  File& operator=(File&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(id_, other.id_);
    return *this;
  }
  ~File() {
    if (id_ >= 0) nc_close(id_);
  }
  void close() { check(nc_close(std::exchange(id_, -1)), "closing"); }
  /// Closes a file of open_in_memory; its bytes are the caller's to free().
  void close(NC_memio& image) { check(nc_close_memio(std::exchange(id_, -1), &image), "closing"); }

  int id() const { return id_; }
  const std::string& path() const { return path_; }

  /// Throws DataError with the file, what was done, and the library's reason.
  void check(int status, const std::string& what) const {
    require<DataError>(status == NC_NOERR, path_, ": ", what, ": ", nc_strerror(status));
  }

  /// NC_FORMAT_CLASSIC, NC_FORMAT_NETCDF4, ...
  int format() const {
    int format = 0;
    check(nc_inq_format(id_, &format), "asking for the format");
    return format;
  }
  bool is_netcdf4() const { return format() == NC_FORMAT_NETCDF4 || format() == NC_FORMAT_NETCDF4_CLASSIC; }

  Dimension dimension(int dim_id) const {
    char name[NC_MAX_NAME + 1] = {};
    Dimension d{.id = dim_id};
    check(nc_inq_dim(id_, dim_id, name, &d.size), "reading a dimension");
    d.name = name;
    int count = 0;
    check(nc_inq_unlimdims(id_, &count, nullptr), "reading unlimited dimensions");
    std::vector<int> unlimited(static_cast<std::size_t>(count));
    check(nc_inq_unlimdims(id_, &count, unlimited.data()), "reading unlimited dimensions");
    for (int u : unlimited) d.unlimited = d.unlimited || u == dim_id;
    return d;
  }

  std::vector<Variable> variables() const {
    int count = 0;
    check(nc_inq_nvars(id_, &count), "counting variables");
    std::vector<Variable> all;
    all.reserve(static_cast<std::size_t>(count));
    for (int v = 0; v < count; ++v) all.push_back(variable(v));
    return all;
  }
  Variable variable(int var_id) const {
    char name[NC_MAX_NAME + 1] = {};
    int rank = 0;
    Variable out{.id = var_id};
    check(nc_inq_var(id_, var_id, name, &out.type, &rank, nullptr, nullptr), "reading a variable's description");
    std::vector<int> dims(static_cast<std::size_t>(rank));
    check(nc_inq_vardimid(id_, var_id, dims.data()), "reading a variable's dimensions");
    out.name = name;
    for (int d : dims) out.dims.push_back(dimension(d));
    return out;
  }
  std::optional<Variable> find(const std::string& name) const {
    int var_id = -1;
    if (nc_inq_varid(id_, name.c_str(), &var_id) != NC_NOERR) return std::nullopt;
    return variable(var_id);
  }

 private:
  File(std::string path, int id) : path_(std::move(path)), id_(id) {}

  /// What a file that the library does not know may be, by its first bytes.
  static const char* what_else(const std::string& path) {
    std::array<char, 4> begin{};
    std::ifstream(path, std::ios::binary).read(begin.data(), begin.size());
    const std::string_view word(begin.data(), begin.size());
    if (word == "PK\x03\x04") return " but a ZIP archive (as the Copernicus store packs several files in): unpack it";
    if (word == "GRIB") return " but GRIB: get it, or convert it, as NetCDF";
    return " (or is damaged, or another program is writing it)";
  }

  /// Before the library opens a classic file: it reads one that ends early as zeros without a word, and of a damaged header it
  /// believes every length and takes gigabytes of memory.
  static void require_whole(const std::string& path) {
    std::array<char, 4> begin{};
    std::ifstream(path, std::ios::binary).read(begin.data(), begin.size());
    if (std::string_view(begin.data(), 3) != "CDF" || (begin[3] != 1 && begin[3] != 2 && begin[3] != 5)) return;
    const std::uintmax_t needed = ClassicHeader(path).bytes_needed(), size = std::filesystem::file_size(path);
    require<DataError>(size >= needed, path, ": is truncated: it has ", size, " bytes, its header declares ", needed);
  }

  std::string path_;
  int id_ = -1;
};

/// @brief True for the ten integer and floating-point types.
inline bool is_numeric(nc_type type) { return type >= NC_BYTE && type <= NC_UINT64 && type != NC_CHAR; }

inline bool is_floating(nc_type type) { return type == NC_FLOAT || type == NC_DOUBLE; }

/// @brief Calls f with a value of the C++ type that holds an element of `type`; signed types become unsigned on request
/// (the `_Unsigned` attribute).
template <class F>
decltype(auto) with_type(nc_type type, bool as_unsigned, F&& f) {
  switch (type) {
    case NC_BYTE: return as_unsigned ? f(std::uint8_t{}) : f(std::int8_t{});
    case NC_UBYTE: return f(std::uint8_t{});
    case NC_SHORT: return as_unsigned ? f(std::uint16_t{}) : f(std::int16_t{});
    case NC_USHORT: return f(std::uint16_t{});
    case NC_INT: return as_unsigned ? f(std::uint32_t{}) : f(std::int32_t{});
    case NC_UINT: return f(std::uint32_t{});
    case NC_INT64: return as_unsigned ? f(std::uint64_t{}) : f(std::int64_t{});
    case NC_UINT64: return f(std::uint64_t{});
    case NC_FLOAT: return f(float{});
    case NC_DOUBLE: return f(double{});
    default: throw DataError(text("NetCDF type ", type, " holds no numbers"));
  }
}

struct Attribute {
  nc_type type = NC_NAT;
  std::size_t length = 0;
};

inline std::optional<Attribute> find_attribute(const File& file, int variable, const std::string& name) {
  Attribute a;
  if (nc_inq_att(file.id(), variable, name.c_str(), &a.type, &a.length) != NC_NOERR) return std::nullopt;
  return a;
}

/// @brief A text attribute (character or the first string), without trailing NULs; empty if there is none.
inline std::string text_attribute(const File& file, int variable, const std::string& name) {
  const auto a = find_attribute(file, variable, name);
  if (!a || a->length == 0) return {};
  if (a->type == NC_STRING) {
    std::vector<char*> strings(a->length);
    file.check(nc_get_att_string(file.id(), variable, name.c_str(), strings.data()), "reading attribute " + name);
    std::string first = strings[0] ? strings[0] : "";
    nc_free_string(a->length, strings.data());
    return first;
  }
  if (a->type != NC_CHAR) return {};
  std::string out(a->length, '\0');
  file.check(nc_get_att_text(file.id(), variable, name.c_str(), out.data()), "reading attribute " + name);
  return out.substr(0, out.find_last_not_of('\0') + 1);
}

/// @brief The numbers of an attribute as double; empty if there is none or it is text.
inline std::vector<double> number_attribute(const File& file, int variable, const std::string& name) {
  const auto a = find_attribute(file, variable, name);
  if (!a || !is_numeric(a->type)) return {};
  std::vector<double> out(a->length);
  file.check(nc_get_att_double(file.id(), variable, name.c_str(), out.data()), "reading attribute " + name);
  return out;
}

/// @brief The numbers of an attribute that must not be text: a number that is written as text would be taken as absent.
/// Throws: DataError if it is.
inline std::vector<double> required_number_attribute(const File& file, const Variable& variable, const std::string& name) {
  const auto a = find_attribute(file, variable.id, name);
  require<DataError>(!a || is_numeric(a->type), file.path(), ": variable ", variable.name, ": ", name,
                     " is text, expected a number");
  return number_attribute(file, variable.id, name);
}

/// @brief value = stored * scale + offset.
struct Packing {
  double scale = 1, offset = 0;

  bool is_identity() const { return scale == 1 && offset == 0; }
  double unpack(double stored) const { return is_identity() ? stored : stored * scale + offset; }
  bool operator==(const Packing&) const = default;
};

/// @brief A variable's scale_factor and add_offset. Throws: DataError if they are no numbers to unpack with.
inline Packing read_packing(const File& file, const Variable& variable) {
  Packing out;
  const auto scale = required_number_attribute(file, variable, "scale_factor");
  const auto offset = required_number_attribute(file, variable, "add_offset");
  if (!scale.empty()) out.scale = scale[0];
  if (!offset.empty()) out.offset = offset[0];
  require<DataError>(std::isfinite(out.scale) && std::isfinite(out.offset) && out.scale != 0, file.path(), ": variable ",
                     variable.name, ": scale_factor ", out.scale, " and add_offset ", out.offset, " cannot be used");
  return out;
}

/// @brief The numbers of an attribute in the variable's own type T, those T cannot hold left out. An attribute of the
/// variable's type is taken bit by bit, which is what `_Unsigned` and 64-bit integers need.
template <class T>
std::vector<T> native_attribute(const File& file, const Variable& variable, const std::string& name) {
  const auto a = find_attribute(file, variable.id, name);
  if (!a) return {};
  if (a->type == variable.type) {
    std::vector<T> out(a->length);
    file.check(nc_get_att(file.id(), variable.id, name.c_str(), out.data()), "reading attribute " + name);
    return out;
  }
  std::vector<T> out;
  for (double value : number_attribute(file, variable.id, name)) {
    if constexpr (std::is_integral_v<T>) {
      const bool fits = value >= static_cast<double>(std::numeric_limits<T>::lowest()) &&
                        value < static_cast<double>(std::numeric_limits<T>::max()) + 1.0 && value == std::floor(value);
      if (!fits) continue;
    }
    out.push_back(static_cast<T>(value));
  }
  return out;
}

}  // namespace lacuna::data::netcdf
