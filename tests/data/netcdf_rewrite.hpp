#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "lacuna/data/netcdf_write.hpp"

/// What tests of reading and writing back share.
namespace rewrite {

inline const std::vector<std::string> usual = {"time", "lat", "lon"};
inline const std::vector<float> twelve = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};

/// Reads variables and writes them as they are, with a spread of zero.
inline void write_back(const std::vector<std::string>& paths, const std::vector<std::string>& names, const std::string& out) {
  const lacuna::data::NetcdfInput input = lacuna::data::read_netcdf_input(paths, names);
  lacuna::data::write_filled(input, {input.fields.values, std::vector<float>(input.fields.values.size())}, out,
                             {.history = "line"});
}

/// All numbers of a variable as they are stored.
inline std::vector<double> numbers(const std::string& path, const std::string& name) {
  const auto file = lacuna::data::netcdf::File::open(path);
  const auto v = file.find(name).value();
  std::size_t size = 1;
  for (const auto& d : v.dims) size *= d.size;
  std::vector<double> out(size);
  file.check(nc_get_var_double(file.id(), v.id, out.data()), "reading");
  return out;
}

}  // namespace rewrite
