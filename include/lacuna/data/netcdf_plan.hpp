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
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/data/field.hpp"
#include "lacuna/data/netcdf_axes.hpp"
#include "lacuna/data/netcdf_encoding.hpp"
#include "lacuna/data/netcdf_handle.hpp"
#include "lacuna/data/netcdf_read.hpp"

namespace lacuna::data {

/// @brief What was computed, in the layout (T, H, W, V) of the fields it was computed from; NaN = left missing.
struct FilledFields {
  std::span<const float> values;
  std::span<const float> spread;  ///< standard deviation, in the variable's unit
};

namespace netcdf {

/// @brief The stored number nearest to `value` that reads back as data: inside the valid range, no missing code.
/// Empty if the type cannot hold it.
template <class T>
std::optional<T> encode(const Encoding<T>& e, double value) {
  if (e.range_is_unpacked) value = std::clamp(value, e.low, std::max(e.low, e.high));
  double stored = e.packed ? (value - e.offset) / e.scale : value;
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
};

/// @brief How a variable is stored in the output.
struct Plan {
  nc_type type = NC_NAT;
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
inline bool same_encoding(const Layout& a, const Layout& b) {
  bool same = a.variable.type == b.variable.type;
  with_encoding(a, [&](const File&, const Variable&, const auto& ea) {
    with_encoding(b, [&](const File&, const Variable&, const auto& eb) {
      if constexpr (std::is_same_v<decltype(ea), decltype(eb)>) {
        same = same && ea == eb;
      } else {
        same = false;
      }
    });
  });
  return same;
}

/// Decides on the stored type: the input's unless a computed value does not fit or the files differ.
inline Plan plan_variable(const Series& series, int v, const Filling& filling) {
  const Layout& first = series.parts.front();
  Plan plan{.type = first.variable.type};
  for (const Layout& part : series.parts) {
    if (!same_encoding(first, part)) plan.reason = "the files pack it differently";
  }
  with_encoding(first, [&](const File&, const Variable&, const auto& encoding) {
    const auto stride = static_cast<std::size_t>(filling.input->fields.variables());
    for (auto i = static_cast<std::size_t>(v); i < filling.filled.values.size() && plan.reason.empty(); i += stride) {
      if (filling.state(i) != Filling::computed || encode(encoding, filling.filled.values[i])) continue;
      plan.reason = text("its packing cannot hold ", filling.filled.values[i]);
    }
  });
  plan.widened = !plan.reason.empty();
  if (plan.widened) {
    for (const Layout& part : series.parts) {
      const nc_type type = widened_type(part.variable.type);
      plan.type = plan.type == NC_DOUBLE || type == NC_DOUBLE ? NC_DOUBLE : NC_FLOAT;
    }
  }
  return plan;
}

}  // namespace netcdf
}  // namespace lacuna::data
