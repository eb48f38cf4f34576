// read_netcdf_input of classic NetCDF files: of any bytes, and of a small grid with any attributes and values.

#include <netcdf.h>

#include <algorithm>
#include <array>

#include "input.hpp"
#include "lacuna/data/netcdf_read.hpp"

using namespace lacuna;

namespace {

/// "c": text, else numbers, by a letter of their type.
nc_type type_of(const std::string& letter) {
  constexpr std::array<std::pair<char, nc_type>, 11> types = {{{'c', NC_CHAR},
                                                               {'b', NC_BYTE},
                                                               {'s', NC_SHORT},
                                                               {'i', NC_INT},
                                                               {'f', NC_FLOAT},
                                                               {'d', NC_DOUBLE},
                                                               {'B', NC_UBYTE},
                                                               {'S', NC_USHORT},
                                                               {'I', NC_UINT},
                                                               {'l', NC_INT64},
                                                               {'L', NC_UINT64}}};
  for (const auto& [name, type] : types)
    if (letter.starts_with(name)) return type;
  return NC_FLOAT;
}

std::vector<double> numbers_of(const std::string& words) {
  std::vector<double> out;
  const char* at = words.c_str();
  for (char* end = nullptr;; at = end) {
    out.push_back(std::strtod(at, &end));
    if (end != at) continue;
    out.pop_back();
    return out;
  }
}

/// A small file in the making. What the C library refuses to write is left out.
class Small {
 public:
  /// The types of the file ("1": classic, "5": 64-bit data) and of its two variables v and w.
  Small(const std::string& path, fuzz::Bytes types) {
    const int mode = types.until(' ') == "5" ? NC_64BIT_DATA : 0;
    fuzz::expect(nc_create(path.c_str(), mode | NC_CLOBBER, &id_) == NC_NOERR, "a file can be created");
    const std::array<int, 4> dims = {dim("time", NC_UNLIMITED), dim("days", 2), dim("lat", 2), dim("lon", 3)};
    variable("time", NC_DOUBLE, {dims[0]});
    variable("days", NC_DOUBLE, {dims[1]});
    variable("lat", NC_FLOAT, {dims[2]});
    variable("lon", NC_FLOAT, {dims[3]});
    variable("v", type_of(std::string(types.until(' '))), {dims[0], dims[2], dims[3]});
    variable("w", type_of(std::string(types.until(' '))), {dims[2], dims[1], dims[3]});
  }
  Small(const Small&) = delete;
  Small& operator=(const Small&) = delete;
  ~Small() { nc_close(id_); }

  /// "variable attribute type values", or "variable = numbers": its values in the file.
  void line(const std::string& text) {
    fuzz::Bytes in(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
    const std::string name(in.until(' ')), attribute(in.until(' '));
    int variable = -1;
    if (nc_inq_varid(id_, name.c_str(), &variable) != NC_NOERR) return;
    if (attribute == "=") {
      data_.emplace_back(variable, numbers_of(std::string(in.rest())));
      return;
    }
    const nc_type type = type_of(std::string(in.until(' ')));
    const std::string values(in.rest());
    if (type == NC_CHAR) {
      nc_put_att_text(id_, variable, attribute.c_str(), values.size(), values.data());
      return;
    }
    const auto numbers = numbers_of(values);
    nc_put_att_double(id_, variable, attribute.c_str(), type, numbers.size(), numbers.data());
  }

  /// Ends the definitions: the usual coordinates and some values, then those that lines gave.
  void finish() {
    nc_enddef(id_);
    put("time", {0, 1});
    put("days", {0, 1});
    put("lat", {60, 50});
    put("lon", {0, 10, 20});
    put("v", {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
    put("w", {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
    for (const auto& [variable, values] : data_) put(variable, values);
  }

 private:
  int dim(const char* name, std::size_t size) {
    int out = -1;
    nc_def_dim(id_, name, size, &out);
    return out;
  }
  void variable(const char* name, nc_type type, const std::vector<int>& dims) {
    int out = -1;
    if (nc_def_var(id_, name, type, static_cast<int>(dims.size()), dims.data(), &out) == NC_NOERR) return;
    nc_def_var(id_, name, NC_FLOAT, static_cast<int>(dims.size()), dims.data(), &out);  // a type that the format lacks
  }
  void put(const char* name, const std::vector<double>& values) {
    int out = -1;
    nc_inq_varid(id_, name, &out);
    put(out, values);
  }
  /// Two frames, as far as there are values.
  void put(int variable, std::vector<double> values) {
    int rank = 0;
    std::array<int, 3> ids{};
    nc_inq_var(id_, variable, nullptr, nullptr, &rank, ids.data(), nullptr);
    std::array<std::size_t, 3> start{}, count{};
    std::size_t size = 1;
    for (std::size_t d = 0; d < static_cast<std::size_t>(rank); ++d) {
      nc_inq_dimlen(id_, ids[d], &count[d]);
      if (ids[d] == 0) count[d] = 2;
      size *= count[d];
    }
    values.resize(size);
    nc_put_vara_double(id_, variable, start.data(), count.data(), values.data());
  }

  int id_ = -1;
  std::vector<std::pair<int, std::vector<double>>> data_;
};

void read(const std::string& path, const std::vector<std::string>& names) {
  data::NetcdfInput in;
  if (fuzz::refused([&] { in = data::read_netcdf_input({path}, names); })) return;
  data::require_consistent(in.fields);
  for (std::size_t i = 0; i < in.observed.size(); ++i) {
    fuzz::expect(!std::isinf(in.fields.values[i]), "values are finite or not observed");
    fuzz::expect(std::isnan(in.fields.values[i]) == (in.observed[i] == 0), "what is observed has a value");
  }
}

}  // namespace

/// A file's bytes, or a line as Small's types and further ones as Small::line has them.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Bytes in(data, size);
  std::string path = fuzz::folder() / "in.nc";
  if (in.rest().starts_with("CDF")) {
    path = fuzz::file("in.nc", in.rest());
  } else {
    Small file(path, {data, in.until('\n').size()});
    for (const std::string& line : in.lines()) file.line(line);
    file.finish();
  }
  read(path, {"v"});
  read(path, {"v", "w"});
  return 0;
}
