#pragma once

#include <netcdf.h>

#include <algorithm>
#include <string>
#include <vector>

#include "lacuna/data/atomic_file.hpp"
#include "lacuna/data/field.hpp"
#include "lacuna/data/netcdf_copy.hpp"
#include "lacuna/data/netcdf_output.hpp"

namespace lacuna::data {

/// @brief Writes fields in memory to a NetCDF-4 file of their own: float variables on time x lat x lon (time x y x x where the
/// grid is not geographic), not observed = NaN = _FillValue; double where Fields::affine says that floats do not hold them. To
/// give back what was read from files, see write_filled. Throws: DataError if the file exists without `overwrite` or cannot be
/// written; ShapeError if `fields` is inconsistent.
inline void write_netcdf(const std::string& path, const Fields& fields, bool overwrite = false) {
  require_consistent(fields);
  require_writable_output(path, {}, overwrite);
  netcdf::Output target(path, NC_NETCDF4, overwrite ? Existing::replaced : Existing::kept);
  const netcdf::File& out = target.file();
  const bool sphere = fields.grid.geographic;
  struct Axis {
    std::string name, units;
    const std::vector<double>* values;
    int dim = -1, variable = -1;
  };
  Axis axes[] = {{"time", fields.time_units, &fields.time},
                 {sphere ? "lat" : "y", sphere ? "degrees_north" : "", &fields.grid.y},
                 {sphere ? "lon" : "x", sphere ? "degrees_east" : "", &fields.grid.x}};
  std::vector<int> dims, variables;
  for (Axis& a : axes) {
    out.check(nc_def_dim(out.id(), a.name.c_str(), a.values->size(), &a.dim), "defining dimension " + a.name);
    a.variable = netcdf::define_variable(out, a.name, NC_DOUBLE, {a.dim});
    if (!a.units.empty()) netcdf::put_text(out, a.variable, "units", a.units);
    dims.push_back(a.dim);
  }
  for (int v = 0; v < fields.variables(); ++v) {
    const nc_type type = fields.affine_of(v).is_identity() ? NC_FLOAT : NC_DOUBLE;
    variables.push_back(netcdf::define_variable(out, fields.names[static_cast<std::size_t>(v)], type, dims));
    out.check(nc_put_att_float(out.id(), variables.back(), "_FillValue", type, 1, &not_observed), "writing attribute _FillValue");
    out.check(nc_def_var_deflate(out.id(), variables.back(), 1, 1, 4), "setting compression");
  }
  for (const Axis& a : axes) out.check(nc_put_var_double(out.id(), a.variable, a.values->data()), "writing " + a.name);
  const std::size_t each = fields.values.size() / fields.names.size();
  for (std::size_t v = 0; v < variables.size(); ++v) {
    const Affine affine = fields.affine_of(static_cast<int>(v));
    std::vector<float> numbers(each);
    for (std::size_t i = 0; i < each; ++i) numbers[i] = fields.values[i * variables.size() + v];
    if (affine.is_identity()) {
      out.check(nc_put_var_float(out.id(), variables[v], numbers.data()), "writing " + fields.names[v]);
      continue;
    }
    std::vector<double> values(each);
    std::transform(numbers.begin(), numbers.end(), values.begin(), [&](float x) { return affine.value(x); });
    out.check(nc_put_var_double(out.id(), variables[v], values.data()), "writing " + fields.names[v]);
  }
  target.commit();
}

}  // namespace lacuna::data
