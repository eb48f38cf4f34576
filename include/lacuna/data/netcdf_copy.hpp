#pragma once

#include <netcdf.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/data/netcdf_axes.hpp"
#include "lacuna/data/netcdf_handle.hpp"
#include "lacuna/data/netcdf_read.hpp"

/// Copies what surrounds the filled variables: dimensions, coordinates, attributes.
namespace lacuna::data::netcdf {

inline bool among(const std::vector<std::string>& list, const std::string& word) {
  return std::find(list.begin(), list.end(), word) != list.end();
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

/// @brief A variable that goes into the output as it is.
struct Companion {
  std::string in_name;
  int out_id = -1;
  int time_axis = -1;  ///< -1: does not depend on time
  bool is_time_coordinate = false;
};

/// Copies a hyperslab; the two files' types are the same.
inline void copy_block(const File& in, const Variable& v, const File& out, int out_variable, std::vector<std::size_t> start,
                       const std::vector<std::size_t>& count, int time_axis, std::size_t first_frame) {
  std::size_t size = 0, cells = 1;
  in.check(nc_inq_type(in.id(), v.type, nullptr, &size), "asking for a type");
  for (std::size_t c : count) cells *= c;
  if (cells == 0) return;
  std::vector<char> bytes(size * cells);
  in.check(nc_get_vara(in.id(), v.id, start.data(), count.data(), bytes.data()), "reading variable " + v.name);
  if (time_axis >= 0) start[static_cast<std::size_t>(time_axis)] = first_frame;
  const int status = nc_put_vara(out.id(), out_variable, start.data(), count.data(), bytes.data());
  if (v.type == NC_STRING) nc_free_string(cells, reinterpret_cast<char**>(bytes.data()));
  out.check(status, "writing variable " + v.name);
}

/// Copies the data of a companion from every file of the first variable.
inline void copy_companion(const Companion& companion, const Series& series, const File& out) {
  std::size_t frame = 0;
  for (const Layout& part : series.parts) {
    const File in = File::open(part.path);
    const auto v = in.find(companion.in_name);
    if (companion.is_time_coordinate &&
        std::any_of(series.parts.begin(), series.parts.end(), [](const Layout& l) { return l.time_converted; })) {
      const std::size_t count = part.time.size();
      out.check(nc_put_vara_double(out.id(), companion.out_id, &frame, &count, part.time.data()), "writing " + companion.in_name);
    } else if (v) {
      std::vector<std::size_t> count;
      for (const Dimension& d : v->dims) count.push_back(d.size);
      const std::vector<std::size_t> start(count.size(), 0);
      copy_block(in, *v, out, companion.out_id, start, count, companion.time_axis, frame);
    }
    if (companion.time_axis < 0) return;
    frame += part.time.size();
  }
}

/// True for gridded fields over time, which go into the output only when they are asked for.
inline bool is_field(const Variable& v, const Dimension& time) {
  int long_dims = 0;
  bool over_time = false;
  for (const Dimension& d : v.dims) {
    over_time = over_time || d.id == time.id;
    long_dims += d.id != time.id && d.size > 1 ? 1 : 0;
  }
  return over_time && long_dims >= 2;
}

/// Defines every variable of the first file that is no gridded field: coordinates, bounds, projections, static masks.
inline std::vector<Companion> define_companions(const File& in, const Series& series, const std::vector<std::string>& taken,
                                                OutputDimensions& dims, const File& out) {
  const Layout& first = series.parts.front();
  const bool converted = std::any_of(series.parts.begin(), series.parts.end(), [](const Layout& l) { return l.time_converted; });
  const auto time = coordinate_of(in, first.dim(first.time_axis));
  const std::string bounds = time ? text_attribute(in, time->id, "bounds") : "";
  std::vector<Companion> all;
  for (const Variable& v : in.variables()) {
    if (is_field(v, dims.time()) || among(taken, v.name) || v.type > NC_STRING) continue;
    if (converted && v.name == bounds) continue;
    Companion c{.in_name = v.name, .is_time_coordinate = time && v.id == time->id};
    for (std::size_t d = 0; d < v.dims.size(); ++d) {
      if (v.dims[d].id == dims.time().id) c.time_axis = static_cast<int>(d);
    }
    const bool as_double = converted && c.is_time_coordinate;
    c.out_id = define_variable(out, v.name, as_double ? NC_DOUBLE : v.type, dims.of_first(v));
    set_compression(in, v, out, c.out_id, 0);
    copy_attributes(in, v.id, out, c.out_id,
                    as_double ? std::vector<std::string>{"_FillValue", "scale_factor", "add_offset", "bounds", "valid_range"}
                              : std::vector<std::string>{});
    all.push_back(c);
  }
  return all;
}

}  // namespace lacuna::data::netcdf
