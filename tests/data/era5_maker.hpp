#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "netcdf_maker.hpp"

/// A value of a made-up ERA5 file: row 0 is the northernmost, hours are counted from 1970, version 1 is final, 5 preliminary.
struct Era5Cell {
  std::string name;
  long long hour;
  int y, x, version;
};

/// What files of ERA5 hold; NaN = missing.
struct Era5Content {
  std::vector<std::string> names;
  long long first_hour = 480000;
  int hours = 3;
  std::function<float(const Era5Cell&)> value;
  std::vector<double> latitudes = {50, 49.75}, longitudes = {10, 10.25, 10.5};
};

/// Writes a file as the Copernicus store delivers it since September 2024: NetCDF-4, compressed floats, valid_time in seconds,
/// a scalar `number`, and `expver` as words over time; none if `versions` is empty. level: as a dimension of size 1, as files of
/// pressure levels have it. South to north if latitudes rise.
inline void write_era5(const std::string& path, const Era5Content& c, const std::vector<std::string>& versions,
                       bool level = false) {
  const auto hours = static_cast<std::size_t>(c.hours);
  Maker m(path, NC_NETCDF4);
  m.dim("valid_time", hours);
  if (level) m.dim("pressure_level", 1);
  m.dim("latitude", c.latitudes.size()).dim("longitude", c.longitudes.size());
  m.var<long long>("number", {}).att("units", "1").att("standard_name", "realization").put<long long>({0});
  std::vector<long long> seconds;
  for (int t = 0; t < c.hours; ++t) seconds.push_back(3600 * (c.first_hour + t));
  m.var<long long>("valid_time", {"valid_time"}).att("units", "seconds since 1970-01-01").att("calendar", "proleptic_gregorian");
  m.att("standard_name", "time").put(seconds);
  if (level) m.var<double>("pressure_level", {"pressure_level"}).att("units", "hPa").put<double>({500});
  const bool decreasing = c.latitudes.front() > c.latitudes.back();
  m.var<double>("latitude", {"latitude"}).att("units", "degrees_north");
  m.att("stored_direction", decreasing ? "decreasing" : "increasing").put(c.latitudes);
  m.var<double>("longitude", {"longitude"}).att("units", "degrees_east").put(c.longitudes);
  if (!versions.empty()) m.strings("expver", "valid_time", versions);
  const int rows = static_cast<int>(c.latitudes.size()), columns = static_cast<int>(c.longitudes.size());
  for (const std::string& name : c.names) {
    std::vector<float> values;
    for (int t = 0; t < c.hours; ++t) {
      const int version = versions.empty() ? 0 : std::stoi(versions[static_cast<std::size_t>(t)]);
      for (int y = 0; y < rows; ++y)
        for (int x = 0; x < columns; ++x)
          values.push_back(c.value({name, c.first_hour + t, decreasing ? y : rows - 1 - y, x, version}));
    }
    std::vector<std::string> dims{"valid_time", "latitude", "longitude"};
    if (level) dims.insert(dims.begin() + 1, "pressure_level");
    m.var<float>(name, dims).deflate().att<float>("_FillValue", {std::numeric_limits<float>::quiet_NaN()});
    m.att<float>("GRIB_missingValue", {3.4e38F}).att("GRIB_stepType", "instant");
    m.att("coordinates", "number valid_time latitude longitude expver").put(values);
  }
}

/// How a file of the old form is packed and split: the first hour that is there in the preliminary version, and the first that
/// is not there in the final one.
struct Era5Legacy {
  std::optional<double> scale{}, offset{};               ///< chosen as the store did, to use all 16 bits, where not given
  std::optional<int> preliminary_from{}, final_until{};  ///< with either the dimension expver is there
};

/// Writes a file as the store delivered it before: packed shorts, time in hours since 1900, and where final and preliminary hours
/// were mixed a dimension `expver` of two, with fill values where an hour is of the other.
inline void write_legacy_era5(const std::string& path, const Era5Content& c, const Era5Legacy& form = {}) {
  constexpr short missing = -32767;
  constexpr long long hours_to_1970 = 613608;
  const bool split = form.preliminary_from || form.final_until;
  const int preliminary_from = form.preliminary_from.value_or(c.hours), final_until = form.final_until.value_or(preliminary_from);
  Maker m(path, NC_64BIT_OFFSET);
  m.dim("longitude", c.longitudes.size()).dim("latitude", c.latitudes.size());
  if (split) m.dim("expver", 2);
  m.dim("time", static_cast<std::size_t>(c.hours));
  const auto floats = [](const std::vector<double>& v) { return std::vector<float>(v.begin(), v.end()); };
  m.var<float>("longitude", {"longitude"}).att("units", "degrees_east").put(floats(c.longitudes));
  m.var<float>("latitude", {"latitude"}).att("units", "degrees_north").put(floats(c.latitudes));
  if (split) m.var<int>("expver", {"expver"}).att("long_name", "expver").put<int>({1, 5});
  std::vector<int> times;
  for (int t = 0; t < c.hours; ++t) times.push_back(static_cast<int>(c.first_hour + t + hours_to_1970));
  m.var<int>("time", {"time"}).att("units", "hours since 1900-01-01 00:00:00.0").att("calendar", "gregorian").put(times);
  for (const std::string& name : c.names) {
    std::vector<float> values;
    for (int t = 0; t < c.hours; ++t)
      for (const int version : split ? std::vector<int>{1, 5} : std::vector<int>{1}) {
        const bool there = version == 1 ? t < final_until : t >= preliminary_from;
        for (int y = 0; y < static_cast<int>(c.latitudes.size()); ++y)
          for (int x = 0; x < static_cast<int>(c.longitudes.size()); ++x)
            values.push_back(there ? c.value({name, c.first_hour + t, y, x, version}) : std::numeric_limits<float>::quiet_NaN());
      }
    double low = std::numeric_limits<double>::infinity(), high = -low;
    for (const float v : values)
      if (!std::isnan(v)) low = std::min(low, static_cast<double>(v)), high = std::max(high, static_cast<double>(v));
    const double scale = form.scale.value_or((high - low) / 65532), offset = form.offset.value_or((low + high) / 2);
    std::vector<short> packed;
    for (const float v : values)
      packed.push_back(std::isnan(v) ? missing : static_cast<short>(std::lround((static_cast<double>(v) - offset) / scale)));
    std::vector<std::string> dims{"time", "latitude", "longitude"};
    if (split) dims.insert(dims.begin() + 1, "expver");
    m.var<short>(name, dims).att<double>("scale_factor", {scale}).att<double>("add_offset", {offset});
    m.att<short>("_FillValue", {missing}).att<short>("missing_value", {missing}).put(packed);
  }
}
