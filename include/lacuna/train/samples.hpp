#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "lacuna/baseline/background.hpp"
#include "lacuna/data/field.hpp"
#include "lacuna/data/time_units.hpp"
#include "lacuna/data/windows.hpp"
#include "lacuna/mask/partition.hpp"
#include "lacuna/mask/policy.hpp"
#include "lacuna/mask/static_cells.hpp"
#include "lacuna/train/input.hpp"

namespace lacuna::train {

/// @brief What a network may learn from or impute: normalised gappy fields cut into windows, their masks, and a background.
///
/// Values are in units of each variable's deviation about its mean; NaN = not available (missing or withheld).
/// Not copyable: the windows look into its masks.
class Samples {
 public:
  /// The background is fitted to these fields. live (H, W, V), 0 = static: found from the masks if empty. learned: the frames
  /// that are learned from (empty: all): the background is fitted to them alone, and they decide whether there is a season.
  /// Samples that share a network must share both. threads: of the fit.
  Samples(data::Fields fields, const data::WindowSettings& settings, baseline::AnyBackground background = {},
          std::vector<std::uint8_t> live = {}, const data::FrameRange& learned = {}, int threads = 1)
      : fields_(std::move(fields)),
        length_(settings.length),
        starts_(data::window_starts(fields_.frames(), settings)),
        background_(std::move(background)),
        live_(std::move(live)) {
    data::require_consistent(fields_);
    observed_.resize(fields_.values.size());
    for (std::size_t i = 0; i < observed_.size(); ++i) observed_[i] = std::isnan(fields_.values[i]) ? 0 : 1;
    if (live_.empty()) live_ = mask::live_cells(masks(), mask::windows_of(masks(), starts_, length_));
    require<ShapeError>(live_.size() == fields_.frame_size(), "Samples: ", live_.size(), " bytes of live cells, expected ",
                        fields_.frame_size());
    windows_ = mask::windows_of(masks(), starts_, length_, live_);
    make_place();
    make_season(learned == data::FrameRange{} ? data::FrameRange{0, fields_.frames()} : learned);
    background_.fit({fields_, settings, learned, threads});
    require<ShapeError>(
        background_.climatology_channel().empty() || background_.climatology_channel().size() == fields_.values.size(),
        "Samples: the background's climatology has ", background_.climatology_channel().size(), " values, expected ",
        fields_.values.size());
  }
  Samples(const Samples&) = delete;
  Samples& operator=(const Samples&) = delete;

  const data::Fields& fields() const { return fields_; }
  int length() const { return length_; }
  const std::vector<int>& starts() const { return starts_; }
  const std::vector<mask::Window>& windows() const { return windows_; }
  const std::vector<std::uint8_t>& live() const { return live_; }  ///< (H, W, V), 0 = static (land)
  const baseline::AnyBackground& background() const { return background_; }
  int place_channels() const { return place_channels_; }
  int season_channels() const { return season_channels_; }
  /// Features of a window's middle frame's time: sine and cosine of the year; none if what is learned from is shorter than a
  /// year.
  const float* season(int window) const { return season_.data() + static_cast<std::ptrdiff_t>(window) * season_channels_; }

  mask::Masks masks() const {
    return {fields_.frames(),    fields_.grid.height(),   fields_.grid.width(),
            fields_.variables(), fields_.grid.periodic_x, observed_};
  }

  /// Copies per-value data (T, H, W, V) of a window's patch to (F, h, w, V).
  template <class T>
  void cut(std::span<const T> from, int window, const data::Patch& patch, std::vector<T>& to) const {
    const auto first = static_cast<std::size_t>(starts_[static_cast<std::size_t>(window)]) * fields_.frame_size();
    cut_window(from.subspan(first), patch, to);
  }
  template <class T>
  void cut(const std::vector<T>& from, int window, const data::Patch& patch, std::vector<T>& to) const {
    cut(std::span<const T>(from), window, patch, to);
  }
  /// The same of data that begin with the window.
  template <class T>
  void cut_window(std::span<const T> from, const data::Patch& patch, std::vector<T>& to) const {
    const int v = fields_.variables();
    to.resize(static_cast<std::size_t>(length_) * static_cast<std::size_t>(patch.cells() * v));
    auto out = to.begin();
    for (int f = 0; f < length_; ++f)
      for (int y = 0; y < patch.height; ++y)
        each_run(patch, [&](int x, int cells) {
          const auto at = static_cast<std::ptrdiff_t>(fields_.index(f, patch.y + y, x, 0));
          out = std::copy_n(from.begin() + at, static_cast<std::ptrdiff_t>(cells) * v, out);
        });
  }
  /// What the background is asked for a window's patch: values and context (F, h, w, V) of that patch.
  baseline::BackgroundRequest background_request(int window, const data::Patch& patch, const float* values,
                                                 const std::uint8_t* context) const {
    return {.first = starts_[static_cast<std::size_t>(window)],
            .frames = length_,
            .variables = fields_.variables(),
            .patch = patch,
            .values = values,
            .context = context};
  }
  /// The same for the whole grid, where the values lie as they are wanted.
  baseline::BackgroundRequest background_request(int window, const std::uint8_t* context) const {
    return background_request(window, data::whole(fields_.grid), window_values(window).data(), context);
  }
  /// The values (F, H, W, V) of a window.
  std::span<const float> window_values(int window) const {
    const std::size_t frame = fields_.frame_size(), first = static_cast<std::size_t>(starts_[static_cast<std::size_t>(window)]);
    return std::span<const float>(fields_.values).subspan(first * frame, static_cast<std::size_t>(length_) * frame);
  }
  /// Static features (h, w, P) of a patch: where the cell lies, and where a variable never exists.
  void cut_place(const data::Patch& patch, std::vector<float>& to) const {
    to.resize(static_cast<std::size_t>(patch.cells() * place_channels_));
    auto out = to.begin();
    for (int y = 0; y < patch.height; ++y)
      each_run(patch, [&](int x, int cells) {
        const std::ptrdiff_t cell = static_cast<std::ptrdiff_t>(patch.y + y) * fields_.grid.width() + x;
        out = std::copy_n(place_.begin() + cell * place_channels_, static_cast<std::ptrdiff_t>(cells) * place_channels_, out);
      });
  }

 private:
  /// The runs of neighbouring columns that make up a row of a patch: visit(first column, number), again from 0 past the seam.
  template <class Visit>
  void each_run(const data::Patch& patch, const Visit& visit) const {
    for (int done = 0; done < patch.width;) {
      const int x = (patch.x + done) % fields_.grid.width(), cells = std::min(patch.width - done, fields_.grid.width() - x);
      visit(x, cells);
      done += cells;
    }
  }

  void make_place() {
    const auto& grid = fields_.grid;
    bool any_static = false;
    for (const auto e : live_) any_static |= e == 0;
    place_channels_ = 3 + (any_static ? 1 : 0);
    place_.reserve(static_cast<std::size_t>(grid.cells() * place_channels_));
    const auto unit = [](const std::vector<double>& axis, int i) {
      return axis.size() > 1 ? 2.0 * i / static_cast<double>(axis.size() - 1) - 1.0 : 0.0;
    };
    constexpr double degree = 3.14159265358979323846 / 180.0;
    for (int y = 0; y < grid.height(); ++y)
      for (int x = 0; x < grid.width(); ++x) {
        const double longitude = grid.x[static_cast<std::size_t>(x)] * degree;
        const std::array<double, 3> features =
            grid.geographic ? std::array<double, 3>{std::sin(grid.y[static_cast<std::size_t>(y)] * degree) * 1.5,
                                                    std::cos(longitude), std::sin(longitude)}
                            : std::array<double, 3>{unit(grid.y, y), unit(grid.x, x), 0.0};
        for (const double f : features) place_.push_back(static_cast<float>(f));
        if (!any_static) continue;
        const auto cell = static_cast<std::size_t>(y * grid.width() + x) * fields_.names.size();
        float land = 0;
        for (std::size_t v = 0; v < fields_.names.size(); ++v) land += live_[cell + v] == 0 ? 1.0f : 0.0f;
        place_.push_back(land / static_cast<float>(fields_.names.size()));
      }
  }

  void make_season(const data::FrameRange& learned) {
    const auto units = data::parse_time_units(fields_.time_units);
    constexpr double year = 365.2425 * 86400.0;
    const auto seconds = [&](int t) { return units->seconds(fields_.time[static_cast<std::size_t>(t)]); };
    if (!units || seconds(learned.end - 1) - seconds(learned.begin) < 0.9 * year) return;
    season_channels_ = 2;
    for (const int start : starts_) {
      const double phase = seconds(start + length_ / 2) / year;
      const double angle = 2.0 * 3.14159265358979323846 * (phase - std::floor(phase));
      season_.push_back(static_cast<float>(std::sin(angle)));
      season_.push_back(static_cast<float>(std::cos(angle)));
    }
  }

  data::Fields fields_;
  int length_;
  std::vector<int> starts_;
  baseline::AnyBackground background_;
  std::vector<std::uint8_t> live_, observed_;
  std::vector<mask::Window> windows_;
  std::vector<float> place_, season_;
  int place_channels_ = 0, season_channels_ = 0;
};

/// @brief The layout of a network's input for these samples; `query`: the network is shown the query too.
inline InputLayout input_layout(const Samples& samples, bool query = false) {
  return {.frames = samples.length(),
          .variables = samples.fields().variables(),
          .background = samples.background().exists(),
          .climate = !samples.background().climatology_channel().empty(),
          .place = samples.place_channels(),
          .season = samples.season_channels(),
          .query = query};
}

}  // namespace lacuna::train
