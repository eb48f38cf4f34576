#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/data/checks.hpp"
#include "lacuna/data/field.hpp"
#include "lacuna/data/netcdf_axes.hpp"
#include "lacuna/data/netcdf_encoding.hpp"
#include "lacuna/data/netcdf_handle.hpp"
#include "lacuna/data/netcdf_read.hpp"
#include "lacuna/data/time_units.hpp"

namespace lacuna::data {

namespace netcdf {

/// The times of a variable in a file, in whole seconds since 1970. Throws: DataError where they are no CF times.
inline std::vector<std::int64_t> seconds_of(const Layout& l) {
  const auto units = parse_time_units(l.time_units);
  const bool gregorian = one_of(l.calendar, {"", "standard", "gregorian", "proleptic_gregorian"});
  require<DataError>(l.has_time_coordinate && units && gregorian, where(l), " has no times that can be put in order (units '",
                     l.time_units, "', calendar '", l.calendar, "')");
  std::vector<std::int64_t> out;
  for (const double t : l.time) {
    const double seconds = units->seconds(t);
    require<DataError>(std::abs(seconds) < 1e12, where(l), " has a time out of range: ", t, " ", l.time_units);
    out.push_back(std::llround(seconds));
  }
  return out;
}

/// How final a version of ERA5 is, the smaller the more: 1 is final, 5 preliminary (ERA5T). A file that does not say comes
/// between: it is one or the other.
inline constexpr int unsaid_version = 2;

/// The versions in the variable `expver`, a number or a word ("0005") for all or for each of `count`; empty where there is none.
inline std::vector<int> said_versions(const File& file, std::size_t count) {
  const auto variable = file.find("expver");
  if (!variable || variable->dims.size() > 1) return {};
  const std::size_t size = variable->dims.empty() ? 1 : variable->dims[0].size;
  std::vector<int> said(size, unsaid_version);
  if (variable->type == NC_STRING) {
    std::vector<char*> words(size);
    file.check(nc_get_var_string(file.id(), variable->id, words.data()), "reading expver");
    for (std::size_t i = 0; i < size; ++i) {
      const int number = words[i] == nullptr ? 0 : std::atoi(words[i]);
      if (number > 0) said[i] = number;
    }
    nc_free_string(size, words.data());
  } else if (is_numeric(variable->type)) {
    file.check(nc_get_var_int(file.id(), variable->id, said.data()), "reading expver");
  }
  if (variable->dims.empty()) said.assign(count, said[0]);
  return said.size() == count ? said : std::vector<int>{};
}

/// Whether one version of a frame holds any value.
inline bool version_holds(const File& file, const Layout& layout, int frame, std::size_t version) {
  return with_type(layout.variable.type, stored_unsigned(file, layout.variable), [&](auto zero) {
    using T = decltype(zero);
    const Encoding<T> encoding = read_encoding<T>(file, layout.variable);
    RawBlock<T> block = make_block<T>(layout, frame, 1);
    read_version(file, layout, version, block, block.values);
    return std::any_of(block.values.begin(), block.values.end(), [&](T raw) { return !encoding.missing(raw); });
  });
}

/// The version that one frame of a variable is of; said: said_versions of the file's times, or of its dimension of versions.
/// Where they lie side by side, it is the first that has values.
inline int version_of(const File& file, const Layout& layout, int frame, const std::vector<int>& said) {
  if (said.empty()) return unsaid_version;
  if (layout.version_axis < 0) return said[static_cast<std::size_t>(frame)];
  for (std::size_t version = 0; version < layout.versions; ++version)
    if (version_holds(file, layout, frame, version)) return said[version];
  return unsaid_version;
}

}  // namespace netcdf

/// @brief Variables in NetCDF files as one record in time, of which frames are read when they are asked for: what does not fit
/// into memory can be gone through. The files are open meanwhile. Not thread-safe, as the NetCDF library.
///
/// Any file may hold any variables and times, in any order. A time that several files have counts once: of ERA5's versions
/// (`expver`, as a coordinate or as a dimension) the final one, else the file that was named first. Rows of a geographic grid run
/// from north to south, whichever way a file has them. Times are seconds since 1970.
/// NaN policy, packing and axes: as read_netcdf_input.
/// Throws: DataError, one line that names the file and the variable: as read_netcdf_input, and where times are no CF times.
class NetcdfRecord {
 public:
  NetcdfRecord(const std::vector<std::string>& paths, std::vector<std::string> names) : names_(std::move(names)) {
    netcdf::require_request(paths, names_);
    const auto distinct = netcdf::distinct(paths);
    for (netcdf::Series& series : netcdf::find_parts(distinct, names_)) add(series, distinct);
    for (const std::string& path : distinct) files_.push_back(netcdf::File::open(path));
    for (Track& track : tracks_) choose(track);
    for (std::size_t v = 0; v < tracks_.size(); ++v) require_same_times(v);
  }

  const Grid& grid() const { return grid_; }
  const std::vector<std::string>& names() const { return names_; }
  int frames() const { return static_cast<int>(tracks_.front().sources.size()); }
  /// Seconds from 1970-01-01 UTC to a frame.
  std::int64_t seconds(int frame) const { return tracks_.front().sources.at(static_cast<std::size_t>(frame)).seconds; }

  /// Throws DataError, with the dates, unless every frame comes `step` seconds after the one before.
  void require_steps(std::int64_t step) const {
    for (int t = 1; t < frames(); ++t)
      require<DataError>(seconds(t) - seconds(t - 1) == step, "times are not in steps of ", static_cast<double>(step) / 3600,
                         " hours: after ", date_text(seconds(t - 1)), " comes ", date_text(seconds(t)));
  }

  /// Frames begin .. end - 1. Throws: ShapeError if the range leaves the record or is empty; DataError for infinite values.
  Fields read(const FrameRange& range) const {
    require<ShapeError>(range.begin >= 0 && range.size() >= 1 && range.end <= frames(), "frames ", range.begin, ":", range.end,
                        " of ", frames());
    Fields out{.grid = grid_, .names = names_, .time = {}, .time_units = "seconds since 1970-01-01", .values = {}};
    for (int t = range.begin; t < range.end; ++t) out.time.push_back(static_cast<double>(seconds(t)));
    out.values.resize(out.frame_size() * out.time.size());
    for (std::size_t v = 0; v < tracks_.size(); ++v) {
      for (int begin = range.begin; begin < range.end;) {
        const int end = run_end(tracks_[v], begin, range.end);
        const Source& first = tracks_[v].sources[static_cast<std::size_t>(begin)];
        const Part& part = tracks_[v].parts[first.part];
        const auto extremes = netcdf::decode_frames(files_[part.file], part.layout, {first.frame, first.frame + end - begin},
                                                    begin - range.begin, static_cast<int>(v), part.flipped, out);
        for (const double value : {extremes.low, extremes.high})
          require<DataError>(!std::isfinite(value) || std::isfinite(static_cast<float>(value)), netcdf::where(part.layout),
                             " has the value ", value, ", which a float cannot hold");
        begin = end;
      }
    }
    require_finite(out, files_.size() == 1 ? files_.front().path() : "input");
    return out;
  }

 private:
  /// A variable in a file.
  struct Part {
    netcdf::Layout layout;
    std::size_t file = 0;
    bool flipped = false;  ///< the file's rows run from south to north
  };
  /// Where a frame is.
  struct Source {
    std::int64_t seconds = 0;
    std::size_t part = 0;
    int frame = 0;  ///< of the part
  };
  /// A variable in all files.
  struct Track {
    std::vector<Part> parts;
    std::vector<Source> sources{};  ///< of the record's frames, in time order
  };

  void add(netcdf::Series& series, const std::vector<std::string>& paths) {
    Track track;
    for (netcdf::Layout& layout : series.parts) {
      auto& y = layout.grid.y;
      const bool flipped = layout.grid.geographic && y.front() < y.back();
      if (flipped) std::reverse(y.begin(), y.end());
      const auto file = static_cast<std::size_t>(std::find(paths.begin(), paths.end(), layout.path) - paths.begin());
      track.parts.push_back({std::move(layout), file, flipped});
      netcdf::require_same_grid(tracks_.empty() ? track.parts.front().layout : tracks_.front().parts.front().layout,
                                track.parts.back().layout);
    }
    if (tracks_.empty()) grid_ = track.parts.front().layout.grid;
    tracks_.push_back(std::move(track));
  }

  /// Puts a variable's frames in order, each time once. Versions are looked at where a time is there twice.
  void choose(Track& track) const {
    std::vector<Source> all;
    std::vector<std::vector<int>> said;
    for (std::size_t p = 0; p < track.parts.size(); ++p) {
      const auto& [layout, file, flipped] = track.parts[p];
      const auto times = netcdf::seconds_of(layout);
      for (std::size_t t = 0; t < times.size(); ++t) all.push_back({times[t], p, static_cast<int>(t)});
      said.push_back(netcdf::said_versions(files_[file], layout.version_axis < 0 ? times.size() : layout.versions));
    }
    std::stable_sort(all.begin(), all.end(), [](const Source& a, const Source& b) { return a.seconds < b.seconds; });
    const auto version = [&](const Source& s) {
      const Part& part = track.parts[s.part];
      return netcdf::version_of(files_[part.file], part.layout, s.frame, said[s.part]);
    };
    for (auto begin = all.begin(); begin != all.end();) {
      const auto end = std::find_if(begin, all.end(), [&](const Source& s) { return s.seconds != begin->seconds; });
      auto best = begin;
      if (end - begin > 1) {
        int least = version(*begin);
        for (auto s = begin + 1; s != end; ++s)
          if (const int here = version(*s); here < least) {
            least = here;
            best = s;
          }
      }
      track.sources.push_back(*best);
      begin = end;
    }
  }

  void require_same_times(std::size_t v) const {
    const auto &a = tracks_.front().sources, &b = tracks_[v].sources;
    const auto differ = std::mismatch(a.begin(), a.end(), b.begin(), b.end(),
                                      [](const Source& x, const Source& y) { return x.seconds == y.seconds; });
    if (differ.first == a.end() && differ.second == b.end()) return;
    const bool in_first = differ.second == b.end() || (differ.first != a.end() && differ.first->seconds < differ.second->seconds);
    const std::string &has = names_[in_first ? 0 : v], &lacks = names_[in_first ? v : 0];
    throw DataError(text("times differ: variable ", names_.front(), " has ", a.size(), " frames, variable ", names_[v], " has ",
                         b.size(), "; ", date_text(in_first ? differ.first->seconds : differ.second->seconds), " is there of ",
                         has, " and not of ", lacks));
  }

  /// The end of the frames from `begin` on that follow one another in one file.
  static int run_end(const Track& track, int begin, int limit) {
    const auto at = [&](int t) -> const Source& { return track.sources[static_cast<std::size_t>(t)]; };
    int end = begin + 1;
    while (end < limit && at(end).part == at(begin).part && at(end).frame == at(begin).frame + end - begin) ++end;
    return end;
  }

  std::vector<std::string> names_;
  std::vector<netcdf::File> files_;
  std::vector<Track> tracks_;
  Grid grid_;
};

}  // namespace lacuna::data
