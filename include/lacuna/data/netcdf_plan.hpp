#pragma once

#include <netcdf.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/data/field.hpp"
#include "lacuna/data/netcdf_axes.hpp"
#include "lacuna/data/netcdf_encoding.hpp"
#include "lacuna/data/netcdf_handle.hpp"
#include "lacuna/data/netcdf_read.hpp"

namespace lacuna::data {

/// @brief What was computed, in the layout (T, H, W, V) of the fields it was computed from, and as numbers of the same meaning
/// (Fields::affine); NaN = left missing.
struct FilledFields {
  std::span<const float> values;
  std::span<const float> spread;  ///< standard deviation, in the variable's unit over Affine::factor
};

namespace netcdf {

/// @brief The stored number nearest to `value` that reads back as data: inside the valid range, no missing code.
/// Empty if the type cannot hold it.
template <class T>
std::optional<T> encode(const Encoding<T>& e, double value) {
  if (e.range_is_unpacked) value = std::clamp(value, e.low, std::max(e.low, e.high));
  double stored = e.packing.is_identity() ? value : (value - e.packing.offset) / e.packing.scale;
  if (!e.range_is_unpacked) stored = std::clamp(stored, e.low, std::max(e.low, e.high));
  if constexpr (std::is_integral_v<T>) {
    stored = std::nearbyint(stored);
    const double top = std::ldexp(1.0, std::numeric_limits<T>::digits);
    if (!(stored >= static_cast<double>(std::numeric_limits<T>::lowest()) && stored < top)) return std::nullopt;
    const T nearest = static_cast<T>(stored);
    if (!e.missing(nearest)) return nearest;
    if (nearest < std::numeric_limits<T>::max() && !e.missing(static_cast<T>(nearest + 1))) return static_cast<T>(nearest + 1);
    if (nearest > std::numeric_limits<T>::lowest() && !e.missing(static_cast<T>(nearest - 1))) return static_cast<T>(nearest - 1);
    return std::nullopt;
  } else {
    const auto nearest = static_cast<T>(stored);
    if (!std::isfinite(nearest)) return std::nullopt;
    for (T candidate : {nearest, std::nextafter(nearest, T(0)), std::nextafter(nearest, std::numeric_limits<T>::max())}) {
      if (!e.missing(candidate)) return candidate;
    }
    return std::nullopt;
  }
}

/// @brief Everything write_filled was given, and which cells to fill.
struct Filling {
  const NetcdfInput* input;
  FilledFields filled;
  bool fill_never_observed;
  std::vector<std::uint8_t> ever_observed{};  ///< (H, W, V)

  static constexpr signed char observed = 1, computed = 0, left_missing = -1;

  Filling(const NetcdfInput& in, const FilledFields& f, bool all) : input(&in), filled(f), fill_never_observed(all) {
    const std::size_t frame = in.fields.frame_size();
    ever_observed.assign(frame, 0);
    for (std::size_t i = 0; i < in.observed.size(); ++i) ever_observed[i % frame] |= in.observed[i];
  }

  signed char state(std::size_t i) const {
    if (input->observed[i]) return observed;
    const bool wanted = fill_never_observed || ever_observed[i % ever_observed.size()];
    return wanted && !std::isnan(filled.values[i]) ? computed : left_missing;
  }
  Affine affine(std::size_t i) const { return input->fields.affine_of(static_cast<int>(i % input->fields.names.size())); }
  /// What was computed, in the variable's unit.
  double value(std::size_t i) const { return affine(i).value(filled.values[i]); }
  double spread(std::size_t i) const { return affine(i).factor * static_cast<double>(filled.spread[i]); }
};

/// @brief How a variable is stored in the output.
struct Plan {
  nc_type type = NC_NAT;
  nc_type spread_type = NC_FLOAT;
  bool widened = false;  ///< the input's packing cannot hold the result, so it is unpacked
  std::string reason{};
  int values_id = -1, spread_id = -1, observed_id = -1;
};

inline nc_type widened_type(nc_type type) {
  return type == NC_BYTE || type == NC_UBYTE || type == NC_SHORT || type == NC_USHORT || type == NC_FLOAT ? NC_FLOAT : NC_DOUBLE;
}

/// Calls f(File, Variable, Encoding<T>) for the file of a part.
template <class F>
void with_encoding(const Layout& part, F&& f) {
  const File file = File::open(part.path);
  const Variable variable = file.variable(part.variable.id);
  with_type(variable.type, stored_unsigned(file, variable),
            [&](auto zero) { f(file, variable, read_encoding<decltype(zero)>(file, variable)); });
}

/// True if two files store a variable in the same way, so that one set of attributes describes both.
inline bool same_encoding(const File& file_a, const Variable& a, const File& file_b, const Variable& b) {
  const bool as_unsigned = stored_unsigned(file_a, a);
  if (a.type != b.type || as_unsigned != stored_unsigned(file_b, b)) return false;
  return with_type(a.type, as_unsigned, [&](auto zero) {
    return read_encoding<decltype(zero)>(file_a, a) == read_encoding<decltype(zero)>(file_b, b);
  });
}

inline bool same_encoding(const Layout& a, const Layout& b) {
  const File file_a = File::open(a.path), file_b = File::open(b.path);
  return same_encoding(file_a, file_a.variable(a.variable.id), file_b, file_b.variable(b.variable.id));
}

/// The plan for a variable whose stored type is kept, or given up for `reason`.
inline Plan make_plan(const Series& series, const Affine& affine, std::string reason) {
  Plan plan{.type = series.parts.front().variable.type, .reason = std::move(reason)};
  for (const Layout& part : series.parts)
    if (plan.reason.empty() && !same_encoding(series.parts.front(), part)) plan.reason = "the files pack it differently";
  if (affine.factor != 1) plan.spread_type = NC_DOUBLE;  // a float may not hold it
  plan.widened = !plan.reason.empty();
  if (!plan.widened) return plan;
  for (const Layout& part : series.parts) {
    const nc_type type = affine.is_identity() ? widened_type(part.variable.type) : NC_DOUBLE;
    plan.type = plan.type == NC_DOUBLE || type == NC_DOUBLE ? NC_DOUBLE : NC_FLOAT;
  }
  return plan;
}

/// Decides on the stored type: the input's unless a computed value does not fit or the files differ.
inline Plan plan_variable(const Series& series, int v, const Filling& filling) {
  const Affine affine = filling.input->fields.affine_of(v);
  const Plan kept = make_plan(series, affine, "");
  if (kept.widened) return kept;
  std::string reason;
  with_encoding(series.parts.front(), [&](const File&, const Variable&, const auto& encoding) {
    const auto stride = static_cast<std::size_t>(filling.input->fields.variables());
    for (auto i = static_cast<std::size_t>(v); i < filling.filled.values.size() && reason.empty(); i += stride)
      if (filling.state(i) == Filling::computed && !encode(encoding, filling.value(i)))
        reason = text("its packing cannot hold ", filling.value(i));
  });
  return reason.empty() ? kept : make_plan(series, affine, reason);
}

}  // namespace netcdf
}  // namespace lacuna::data
