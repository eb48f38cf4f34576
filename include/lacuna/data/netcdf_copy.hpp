#pragma once

#include <netcdf.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/data/netcdf_axes.hpp"
#include "lacuna/data/netcdf_encoding.hpp"
#include "lacuna/data/netcdf_handle.hpp"
#include "lacuna/data/netcdf_series.hpp"

/// Copies what surrounds the filled variables: dimensions, coordinates, attributes.
namespace lacuna::data::netcdf {

inline bool among(const std::vector<std::string>& list, const std::string& word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

/// Attributes that say how a variable's numbers are stored: they mean nothing of unpacked ones.
inline const std::vector<std::string>& packing_attributes() {
  static const std::vector<std::string> names = {"scale_factor", "add_offset", "_FillValue", "missing_value",
                                                 "valid_range",  "valid_min",  "valid_max",  "_Unsigned"};
  return names;
}

/// Some files have a _FillValue of another type than the variable's, which the C library reads but does not write: it is written
/// as the value of the variable's type that it means to the reader, and left out where there is none (1e300 or -999.5 of whole
/// numbers): then no stored value is equal to it. False: its type is right.
inline bool copy_mistyped_fill(const File& in, int in_variable, const File& out, int out_variable) {
  const Variable v = in.variable(in_variable);
  const auto attribute = find_attribute(in, in_variable, "_FillValue");
  if (!attribute || attribute->type == v.type || !is_numeric(v.type)) return false;
  with_type(v.type, stored_unsigned(in, v), [&](auto zero) {
    const auto codes = native_attribute<decltype(zero)>(in, v, "_FillValue");
    if (codes.empty() || std::isinf(static_cast<double>(codes[0]))) return;
    out.check(nc_put_att(out.id(), out_variable, "_FillValue", v.type, 1, codes.data()),
              "writing attribute _FillValue of " + v.name);
  });
  return true;
}

/// Copies the attributes of a variable (NC_GLOBAL: of the file) except those named.
inline void copy_attributes(const File& in, int in_variable, const File& out, int out_variable,
                            const std::vector<std::string>& except = {}) {
  int count = 0;
  in.check(in_variable == NC_GLOBAL ? nc_inq_natts(in.id(), &count) : nc_inq_varnatts(in.id(), in_variable, &count),
           "counting attributes");
  for (int i = 0; i < count; ++i) {
    char name[NC_MAX_NAME + 1] = {};
    in.check(nc_inq_attname(in.id(), in_variable, i, name), "reading an attribute's name");
    const auto attribute = find_attribute(in, in_variable, name);
    if (among(except, name) || !attribute || attribute->type > NC_STRING) continue;
    if (std::string(name) == "_FillValue" && in_variable != NC_GLOBAL && copy_mistyped_fill(in, in_variable, out, out_variable))
      continue;
    out.check(nc_copy_att(in.id(), in_variable, name, out.id(), out_variable), text("copying attribute ", name));
  }
}

inline void put_text(const File& out, int variable, const std::string& name, const std::string& value) {
  out.check(nc_put_att_text(out.id(), variable, name.c_str(), value.size(), value.c_str()), "writing attribute " + name);
}

inline int define_variable(const File& out, const std::string& name, nc_type type, const std::vector<int>& dims) {
  int id = -1;
  out.check(nc_def_var(out.id(), name.c_str(), type, static_cast<int>(dims.size()), dims.data(), &id),
            "defining variable " + name);
  return id;
}

/// Compresses as the input does, else at `level` (0 = not).
inline void set_compression(const File& in, const Variable& variable, const File& out, int out_variable, int level) {
  if (!out.is_netcdf4() || variable.dims.empty() || variable.type == NC_STRING) return;
  int shuffle = 1, deflate = 0, in_level = 0;
  if (in.is_netcdf4())
    in.check(nc_inq_var_deflate(in.id(), variable.id, &shuffle, &deflate, &in_level), "asking for compression");
  if (!deflate && level == 0) return;
  out.check(nc_def_var_deflate(out.id(), out_variable, deflate ? shuffle : 1, 1, deflate ? in_level : level),
            "setting compression of " + variable.name);
}

/// @brief The output's dimensions: those of the first file by name, others of size 1 beside them.
class OutputDimensions {
 public:
  /// `frames` along the time dimension of `first`, unlimited if it is there and every variable has time first.
  OutputDimensions(const File& out, const std::vector<Series>& all)
      : out_(&out), first_(&all.front().parts.front()), frames_(all.front().time().size()) {
    unlimited_ = first_->dim(first_->time_axis).unlimited;
    for (const Series& s : all) {
      for (const Layout& part : s.parts) unlimited_ = unlimited_ && part.time_axis == 0;
    }
  }

  /// The output dimensions of a variable of the first file.
  std::vector<int> of_first(const Variable& v) {
    std::vector<int> ids;
    for (const Dimension& d : v.dims) ids.push_back(define(d.name, d, d.id == time().id));
    return ids;
  }

  /// The output dimensions of a filled variable: time, rows and columns are the first variable's, whatever its file calls them.
  std::vector<int> of_filled(const Layout& l) {
    std::vector<int> ids;
    for (int axis = 0; axis < static_cast<int>(l.variable.dims.size()); ++axis) {
      const Dimension& d = l.dim(axis);
      if (axis == l.time_axis) {
        ids.push_back(define(time().name, time(), true));
      } else if (axis == l.y_axis) {
        ids.push_back(define(first_->dim(first_->y_axis).name, d, false));
      } else if (axis == l.x_axis) {
        ids.push_back(define(first_->dim(first_->x_axis).name, d, false));
      } else {
        // Another file's level may have the name of the first file's and another value.
        ids.push_back(define(l.path == first_->path ? d.name : d.name + "_" + l.variable.name, d, false));
      }
    }
    return ids;
  }

  const Dimension& time() const { return first_->dim(first_->time_axis); }

 private:
  int define(const std::string& name, const Dimension& d, bool is_time) {
    if (const auto found = ids_.find(name); found != ids_.end()) return found->second;
    std::size_t size = d.unlimited ? NC_UNLIMITED : d.size;
    if (is_time) size = unlimited_ ? NC_UNLIMITED : frames_;
    int id = -1;
    out_->check(nc_def_dim(out_->id(), name.c_str(), size, &id), "defining dimension " + name);
    return ids_[name] = id;
  }

  const File* out_;
  const Layout* first_;
  std::size_t frames_;
  bool unlimited_ = false;
  std::map<std::string, int> ids_;
};

}  // namespace lacuna::data::netcdf
