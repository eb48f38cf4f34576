#pragma once

#include <netcdf.h>

#include <string>
#include <type_traits>
#include <vector>

#include "catch.hpp"

template <class T>
constexpr nc_type netcdf_type() {
  if constexpr (std::is_same_v<T, signed char>) return NC_BYTE;
  if constexpr (std::is_same_v<T, unsigned char>) return NC_UBYTE;
  if constexpr (std::is_same_v<T, short>) return NC_SHORT;
  if constexpr (std::is_same_v<T, int>) return NC_INT;
  if constexpr (std::is_same_v<T, long long>) return NC_INT64;
  if constexpr (std::is_same_v<T, float>) return NC_FLOAT;
  if constexpr (std::is_same_v<T, double>) return NC_DOUBLE;
}

/// Makes a small NetCDF file with the C library: dimensions, variables with attributes and data, in any order.
class Maker {
 public:
  Maker(const std::string& path, int mode = 0) { REQUIRE(nc_create(path.c_str(), mode | NC_CLOBBER, &id_) == NC_NOERR); }
  Maker(const Maker&) = delete;
  Maker& operator=(const Maker&) = delete;
  ~Maker() { nc_close(id_); }

  Maker& dim(const std::string& name, std::size_t size) {
    define();
    int dim_id = 0;
    REQUIRE(nc_def_dim(id_, name.c_str(), size, &dim_id) == NC_NOERR);
    return *this;
  }
  /// Defines a variable; the attributes and values that follow are its own.
  template <class T>
  Maker& var(const std::string& name, const std::vector<std::string>& dims) {
    std::vector<int> ids;
    for (const std::string& d : dims) {
      ids.push_back(0);
      REQUIRE(nc_inq_dimid(id_, d.c_str(), &ids.back()) == NC_NOERR);
    }
    define();
    REQUIRE(nc_def_var(id_, name.c_str(), netcdf_type<T>(), static_cast<int>(ids.size()), ids.data(), &variable_) == NC_NOERR);
    return *this;
  }
  /// A variable of strings over one dimension, with its values (NetCDF-4 only).
  Maker& strings(const std::string& name, const std::string& dim_name, const std::vector<std::string>& values) {
    int dim_id = 0;
    REQUIRE(nc_inq_dimid(id_, dim_name.c_str(), &dim_id) == NC_NOERR);
    define();
    REQUIRE(nc_def_var(id_, name.c_str(), NC_STRING, 1, &dim_id, &variable_) == NC_NOERR);
    std::vector<const char*> pointers;
    for (const std::string& value : values) pointers.push_back(value.c_str());
    REQUIRE(nc_put_var_string(id_, variable_, pointers.data()) == NC_NOERR);
    return *this;
  }
  /// Compresses the variable that was defined last (NetCDF-4 only).
  Maker& deflate() {
    REQUIRE(nc_def_var_deflate(id_, variable_, 1, 1, 1) == NC_NOERR);
    return *this;
  }
  Maker& global() {
    variable_ = NC_GLOBAL;
    return *this;
  }
  template <class T>
  Maker& att(const std::string& name, const std::vector<T>& values) {
    define();
    REQUIRE(nc_put_att(id_, variable_, name.c_str(), netcdf_type<T>(), values.size(), values.data()) == NC_NOERR);
    return *this;
  }
  Maker& att(const std::string& name, const std::string& value) {
    define();
    REQUIRE(nc_put_att_text(id_, variable_, name.c_str(), value.size(), value.c_str()) == NC_NOERR);
    return *this;
  }
  /// Writes the variable's values; along an unlimited first dimension as many as there are.
  template <class T>
  Maker& put(const std::vector<T>& values) {
    nc_enddef(id_);
    int rank = 0;
    int ids[NC_MAX_VAR_DIMS];
    REQUIRE(nc_inq_varndims(id_, variable_, &rank) == NC_NOERR);
    REQUIRE(nc_inq_vardimid(id_, variable_, ids) == NC_NOERR);
    std::vector<std::size_t> start(static_cast<std::size_t>(rank), 0), count(start.size(), 1);
    std::size_t rest = 1;
    for (std::size_t d = 1; d < count.size(); ++d) {
      REQUIRE(nc_inq_dimlen(id_, ids[d], &count[d]) == NC_NOERR);
      rest *= count[d];
    }
    if (rank > 0) count[0] = values.size() / rest;
    REQUIRE(nc_put_vara(id_, variable_, start.data(), count.data(), values.data()) == NC_NOERR);
    return *this;
  }

  /// time (unlimited) x lat x lon of 2 x 2 x 3 with coordinates: 60, 50 degrees north; 0, 10, 20 degrees east.
  Maker& usual_grid(const std::vector<double>& times = {0, 1}) {
    dim("time", NC_UNLIMITED).dim("lat", 2).dim("lon", 3);
    var<double>("time", {"time"}).att("units", "days since 2000-01-01").put(times);
    var<float>("lat", {"lat"}).att("units", "degrees_north").put<float>({60, 50});
    return var<float>("lon", {"lon"}).att("units", "degrees_east").put<float>({0, 10, 20});
  }

 private:
  void define() {
    nc_redef(id_);  // an error when it is in that mode already
  }

  int id_ = -1, variable_ = -1;
};
