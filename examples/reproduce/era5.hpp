#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <numeric>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/data/field.hpp"
#include "lacuna/data/netcdf_record.hpp"
#include "lacuna/data/normalisation.hpp"
#include "lacuna/data/time_units.hpp"
#include "reproduce/sample_set.hpp"
#include "reproduce/settings.hpp"

namespace lacuna::experiment {

/// @brief The nine variables by their names in the store's files. The paper's figure 11 names eight of them, and v10 has u10
/// beside it. Pictures show the first, as the paper's figure 2b.
inline const std::vector<std::string> era5_variables = {"tcwv", "t2m", "msl", "sp", "u10", "v10", "u100", "v100", "z"};

/// @brief How to get what the ERA5 columns are read from, for who has not got it.
inline constexpr const char* era5_request =
    "https://cds.climate.copernicus.eu, a year of hourly data with data_format netcdf and an area of 103 x 120 points, such as\n"
    "area [60.5, -10, 35, 19.75] at 0.25 degrees: of reanalysis-era5-single-levels total_column_water_vapour, 2m_temperature,\n"
    "mean_sea_level_pressure, surface_pressure, 10m_u_component_of_wind, 10m_v_component_of_wind, 100m_u_component_of_wind and\n"
    "100m_v_component_of_wind; of reanalysis-era5-pressure-levels geopotential at 500 hPa (docs/data-sets.md)";

/// @brief Samples of hourly ERA5, as the paper has them: windows of `frames` hours, complete; observed pixels are drawn later.
///
/// The days of the record are counted from its first hour; every tenth is for filling, the others are learned from, so that both
/// see all seasons and no sample that is filled lies hours beside many that are learned from. Of the windows of either kind as
/// many as the settings say are taken, spread evenly. Each variable is standardised by mean and deviation of the complete
/// samples that are learned from: that is the unit of the errors, as the paper's of 1e-2; a network's own normalisation knows
/// observed values alone.           Cost: reads the samples that are learned from once when it is made, and again when asked
/// Throws: DataError for files that cannot be read (data::NetcdfRecord), times that are not hourly, missing values (their truth
/// must be known), fewer samples than asked for; OptionError for frames that do not divide a day.
class Era5Samples {
 public:
  Era5Samples(std::shared_ptr<const data::NetcdfRecord> record, const SetSettings& s) : record_(std::move(record)), settings_(s) {
    record_->require_steps(hour);
    choose_windows();
    measure();
  }

  /// `count` samples from `first` on: settings.train that are learned from, after them settings.test to fill.
  SampleSet operator()(int first, int count) const {
    SampleSet out{.truth = {}, .frames = settings_.frames, .parameters = {}};
    each_sample(first, count, [&](data::Fields&& sample) {
      scale_.apply(sample);
      if (out.truth.values.empty()) {
        out.truth = {.grid = sample.grid, .names = sample.names, .time = {}, .time_units = "", .values = {}};
        out.truth.values.reserve(sample.frame_size() * static_cast<std::size_t>(count * settings_.frames));
      }
      out.truth.values.insert(out.truth.values.end(), sample.values.begin(), sample.values.end());
    });
    // Counted, as in the other sets: the paper's networks are not told the season.
    out.truth.time.resize(static_cast<std::size_t>(count * settings_.frames));
    std::iota(out.truth.time.begin(), out.truth.time.end(), 0.0);
    out.parameters.resize(static_cast<std::size_t>(count));
    return out;
  }

  /// First frames in the record of the samples, those that are learned from before those to fill.
  const std::vector<int>& starts() const { return starts_; }
  /// Mean and deviation that the samples are standardised by, in the files' units.
  const data::Normalisation& scale() const { return scale_; }

 private:
  static constexpr std::int64_t hour = 3600;
  static constexpr int hours_a_day = 24, days_a_test = 10;

  void choose_windows() {
    require<OptionError>(settings_.frames >= 1 && hours_a_day % settings_.frames == 0, "era5: samples of ", settings_.frames,
                         " hours do not divide a day");
    std::vector<int> learned, filled;
    for (int t = 0; t + settings_.frames <= record_->frames(); t += settings_.frames)
      (t / hours_a_day % days_a_test == days_a_test - 1 ? filled : learned).push_back(t);
    const auto have = [](const std::vector<int>& all) { return static_cast<int>(all.size()); };
    require<DataError>(have(learned) >= settings_.train && have(filled) >= settings_.test, "era5: the files hold ",
                       record_->frames(), " hours, with ", have(learned), " samples of ", settings_.frames,
                       " hours to learn from and, every tenth day, ", have(filled), " to fill; the budget takes ",
                       settings_.train, " and ", settings_.test);
    const auto take = [&](const std::vector<int>& all, int count) {
      for (std::int64_t i = 0; i < count; ++i) starts_.push_back(all[static_cast<std::size_t>(i * have(all) / count)]);
    };
    take(learned, settings_.train);
    take(filled, settings_.test);
  }

  /// Reads samples: visit(its frames). Files are read in large pieces, gaps between the samples included, since they are
  /// compressed in chunks of many frames, each of which would else be unpacked again for every sample in it.
  template <class Visit>
  void each_sample(int first, int count, const Visit& visit) const {
    const int end = first + count;
    require<OptionError>(first >= 0 && count >= 1 && end <= static_cast<int>(starts_.size()), "era5: samples ", first, ":", end,
                         " of ", starts_.size());
    const auto start = [&](int i) { return starts_[static_cast<std::size_t>(i)]; };
    constexpr std::size_t values_at_once = std::size_t{1} << 25;
    const std::size_t frame = static_cast<std::size_t>(record_->grid().cells()) * record_->names().size();
    const int most = std::max(settings_.frames, static_cast<int>(values_at_once / frame));
    for (int i = first; i < end;) {
      int last = i;
      while (last + 1 < end && start(last + 1) > start(last) && start(last + 1) + settings_.frames - start(i) <= most) ++last;
      const data::Fields piece = record_->read({start(i), start(last) + settings_.frames});
      for (const int from = start(i); i <= last; ++i) {
        data::Fields sample = data::frames_of(piece, {start(i) - from, start(i) - from + settings_.frames});
        require_complete(sample);
        visit(std::move(sample));
      }
    }
  }

  static void require_complete(const data::Fields& f) {
    for (std::size_t i = 0; i < f.values.size(); ++i) {
      if (!std::isnan(f.values[i])) continue;
      const auto seconds = static_cast<std::int64_t>(f.time[i / f.frame_size()]);
      throw DataError(text("era5: variable ", f.names[i % f.names.size()], " has missing values, the first read at ",
                           data::date_text(seconds),
                           "; the paper's errors need complete fields (no variables of the sea alone)"));
    }
  }

  /// Sums about a variable's first value, so that nothing cancels.
  void measure() {
    const std::size_t variables = record_->names().size();
    std::vector<double> origin, sum(variables, 0.0), squares(variables, 0.0);
    double count = 0;
    each_sample(0, settings_.train, [&](data::Fields&& sample) {
      if (origin.empty()) origin.assign(sample.values.begin(), sample.values.begin() + static_cast<std::ptrdiff_t>(variables));
      for (std::size_t i = 0; i < sample.values.size(); ++i) {
        const double d = static_cast<double>(sample.values[i]) - origin[i % variables];
        sum[i % variables] += d;
        squares[i % variables] += d * d;
      }
      count += static_cast<double>(sample.values.size() / variables);
    });
    for (std::size_t v = 0; v < variables; ++v) {
      const double mean = sum[v] / count, variance = squares[v] / count - mean * mean;
      require<DataError>(variance > 0, "era5: variable ", record_->names()[v], " has the same value everywhere");
      scale_.mean.push_back(origin[v] + mean);
      scale_.deviation.push_back(std::sqrt(variance));
    }
  }

  std::shared_ptr<const data::NetcdfRecord> record_;
  SetSettings settings_;
  std::vector<int> starts_;
  data::Normalisation scale_;
};

/// @brief A word for what a record holds: it changes with variables, grid, times, and values of four frames spread over it.
inline std::string content_word(const data::NetcdfRecord& record) {
  std::ostringstream words;
  for (const auto& name : record.names()) words << name << ' ';
  words.precision(9);
  for (const auto* axis : {&record.grid().y, &record.grid().x}) {
    for (const double c : *axis) words << c << ' ';
    words << '\n';
  }
  constexpr int looked_at = 4;
  for (int i = 0; i < looked_at; ++i) {
    const int t = static_cast<int>(static_cast<std::int64_t>(i) * (record.frames() - 1) / (looked_at - 1));
    const data::Fields f = record.read({t, t + 1});
    words << record.seconds(t) << ' ';
    words.write(reinterpret_cast<const char*>(f.values.data()), static_cast<std::streamsize>(f.values.size() * sizeof(float)));
  }
  return digest(text(record.frames(), ' ', words.str()));
}

}  // namespace lacuna::experiment
