#pragma once

#include <cmath>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "lacuna/baseline/climatology.hpp"
#include "lacuna/baseline/kriging.hpp"
#include "lacuna/core/error.hpp"
#include "lacuna/data/field.hpp"
#include "lacuna/data/windows.hpp"

namespace lacuna::baseline {

/// @brief What the network's anomaly is an anomaly from.
enum class BackgroundKind { none, climatology, kriging, climatology_kriging };

inline const char* name(BackgroundKind kind) {
  switch (kind) {
    case BackgroundKind::none: return "none";
    case BackgroundKind::climatology: return "climatology";
    case BackgroundKind::kriging: return "kriging";
    case BackgroundKind::climatology_kriging: return "climatology+kriging";
  }
  return "";
}

/// @brief Everything a background is made with; correlations (V) of the values, and of the anomalies from a climatology, which
/// is a smoother one than that which is best by itself.
struct BackgroundSettings {
  ClimatologySettings climatology, anomaly_climatology;
  std::vector<Correlation> values, anomalies;
  KrigingSettings kriging;
};

/// @brief First guess of a window's fields, from the clean values of a context and the climatology alone.
///
/// none: zero. climatology: Climatology, own windows left out. kriging: of the values about zero, their normalised mean.
/// climatology_kriging: climatology + kriging of the anomaly from it. Planes (frame, variable) whose contexts and correlations
/// are the same share one factorisation. With kriging, cells of the context get their own values; a plane without any gets the
/// climatology, or zero.
/// Safe to share between threads; each brings its own workspace.
class Background {
 public:
  class Workspace;

  /// fields: normalised values, NaN where not observed or withheld. Copied as far as needed. learned: the frames that the
  /// climatology is taken from.
  /// The climatology is computed for every kind but none: the network may want it beside another background.
  Background(BackgroundKind kind, const data::Fields& fields, const data::WindowSettings& windows,
             const BackgroundSettings& settings, int threads, const data::FrameRange& learned)
      : kind_(kind), height_(fields.grid.height()), width_(fields.grid.width()), variables_(fields.variables()) {
    data::require_consistent(fields);
    if (kind == BackgroundKind::none) return;
    const bool anomalies = kind == BackgroundKind::climatology_kriging;
    climatology_ =
        Climatology(fields, windows, learned)(anomalies ? settings.anomaly_climatology : settings.climatology, threads);
    if (kind == BackgroundKind::climatology) return;
    anomalies_ = fields.values;
    if (anomalies)
      for (std::size_t i = 0; i < anomalies_.size(); ++i) anomalies_[i] -= climatology_[i];
    const auto& correlations = kind == BackgroundKind::kriging ? settings.values : settings.anomalies;
    require<OptionError>(correlations.size() == fields.names.size(), "Background: ", correlations.size(), " correlations for ",
                         fields.names.size(), " variables");
    for (const auto& c : correlations) {
      std::size_t same = 0;
      while (same < kriging_.size() && !(kriging_[same].correlation() == c)) ++same;
      if (same == kriging_.size()) kriging_.emplace_back(fields.grid, c, settings.kriging);
      kriging_of_.push_back(same);
    }
  }

  Background(BackgroundKind kind, const data::Fields& fields, const data::WindowSettings& windows,
             const BackgroundSettings& settings, int threads = 1)
      : Background(kind, fields, windows, settings, threads, {0, fields.frames()}) {}

  BackgroundKind kind() const { return kind_; }

  /// The climatology (T,H,W,V); empty if the kind is none.
  const std::vector<float>& climatology() const { return climatology_; }

  /// @brief Background of frames [first, first + frames) in a patch.
  /// Shapes: context (F,h,w,V), 1 = in the context | out (F,h,w,V)
  /// NaN policy: a value outside the context is never read; cells of the context must be observed
  void evaluate(int first, int frames, const data::Patch& patch, const std::uint8_t* context, float* out,
                Workspace& workspace) const;

  /// @brief The error that kriging expects of evaluate(), as a fraction of the anomaly's deviation: it grows with the distance
  /// from the context, and is 0 in it. Without kriging it is 1 everywhere.
  /// Shapes: context (F,h,w,V), 1 = in the context | out (F,h,w,V)
  void deviation(int frames, const data::Patch& patch, const std::uint8_t* context, float* out, Workspace& workspace,
                 int threads = 1) const;

 private:
  template <class Visit>
  void each_group(int frames, const data::Patch& patch, const std::uint8_t* context, Workspace& w, const Visit& visit) const;
  template <class T>
  void cut(const std::vector<T>& from, int t, int v, const data::Patch& patch, T* to, std::size_t stride) const;
  void krige(int first, const data::Patch& patch, std::size_t variable, float* out, Workspace& w) const;

  BackgroundKind kind_;
  int height_, width_, variables_;
  std::vector<float> climatology_, anomalies_;
  std::vector<Kriging> kriging_;
  std::vector<std::size_t> kriging_of_;  // (V)
};

/// @brief Buffers of evaluate(), kept from call to call.
class Background::Workspace {
  friend class Background;
  Kriging::Workspace kriging_;
  std::vector<std::uint8_t> mask_, done_;
  std::vector<std::size_t> group_;
  std::vector<float> values_, filled_;
};

template <class T>
void Background::cut(const std::vector<T>& from, int t, int v, const data::Patch& patch, T* to, std::size_t stride) const {
  const auto variables = static_cast<std::size_t>(variables_);
  for (int y = 0; y < patch.height; ++y) {
    const std::size_t row =
        (static_cast<std::size_t>(t) * static_cast<std::size_t>(height_) + static_cast<std::size_t>(patch.y + y)) *
        static_cast<std::size_t>(width_);
    int column = patch.x % width_;
    for (int x = 0; x < patch.width; ++x, to += stride) {
      *to = from[(row + static_cast<std::size_t>(column)) * variables + static_cast<std::size_t>(v)];
      if (++column == width_) column = 0;
    }
  }
}

inline void Background::evaluate(int first, int frames, const data::Patch& patch, const std::uint8_t* context, float* out,
                                 Workspace& w) const {
  const auto variables = static_cast<std::size_t>(variables_), planes = static_cast<std::size_t>(frames) * variables;
  const std::size_t cells = static_cast<std::size_t>(patch.cells());
  if (kind_ == BackgroundKind::none) return std::fill(out, out + cells * planes, 0.0f);
  for (std::size_t p = 0; p < planes; ++p) {
    float* to = out + (p / variables) * cells * variables + p % variables;
    if (kind_ == BackgroundKind::kriging)
      for (std::size_t i = 0; i < cells; ++i) to[i * variables] = 0.0f;
    else
      cut(climatology_, first + static_cast<int>(p / variables), static_cast<int>(p % variables), patch, to, variables);
  }
  if (kind_ == BackgroundKind::climatology) return;
  each_group(frames, patch, context, w, [&](std::size_t variable) { krige(first, patch, variable, out, w); });
}

inline void Background::deviation(int frames, const data::Patch& patch, const std::uint8_t* context, float* out, Workspace& w,
                                  int threads) const {
  const auto variables = static_cast<std::size_t>(variables_), cells = static_cast<std::size_t>(patch.cells());
  if (kriging_.empty()) return std::fill(out, out + static_cast<std::size_t>(frames) * cells * variables, 1.0f);
  each_group(frames, patch, context, w, [&](std::size_t variable) {
    w.filled_.resize(cells);
    kriging_[kriging_of_[variable]].deviation(patch, w.mask_.data(), w.filled_.data(), w.kriging_, threads);
    for (const std::size_t plane : w.group_) {
      float* to = out + (plane / variables) * cells * variables + plane % variables;
      for (std::size_t i = 0; i < cells; ++i) to[i * variables] = w.filled_[i];
    }
  });
}

/// Gathers planes whose contexts and correlations are the same in w.group_, their context in w.mask_, and calls visit(variable of
/// the first).
template <class Visit>
void Background::each_group(int frames, const data::Patch& patch, const std::uint8_t* context, Workspace& w,
                            const Visit& visit) const {
  const auto variables = static_cast<std::size_t>(variables_), planes = static_cast<std::size_t>(frames) * variables;
  const std::size_t cells = static_cast<std::size_t>(patch.cells());
  w.done_.assign(planes, 0);
  for (std::size_t p = 0; p < planes; ++p) {
    if (w.done_[p] != 0) continue;
    const std::uint8_t* mine = context + (p / variables) * cells * variables + p % variables;
    w.group_.clear();
    for (std::size_t q = p; q < planes; ++q) {
      if (w.done_[q] != 0 || kriging_of_[q % variables] != kriging_of_[p % variables]) continue;
      const std::uint8_t* other = context + (q / variables) * cells * variables + q % variables;
      std::size_t i = 0;
      while (i < cells && mine[i * variables] == other[i * variables]) ++i;
      if (i < cells) continue;
      w.group_.push_back(q);
      w.done_[q] = 1;
    }
    w.mask_.resize(cells);
    for (std::size_t i = 0; i < cells; ++i) w.mask_[i] = mine[i * variables];
    visit(p % variables);
  }
}

/// Adds the kriged planes w.group_, whose context is w.mask_.
inline void Background::krige(int first, const data::Patch& patch, std::size_t variable, float* out, Workspace& w) const {
  const auto variables = static_cast<std::size_t>(variables_), cells = static_cast<std::size_t>(patch.cells());
  const std::size_t channels = w.group_.size();
  w.values_.resize(cells * channels);
  w.filled_.resize(cells * channels);
  for (std::size_t c = 0; c < channels; ++c)
    cut(anomalies_, first + static_cast<int>(w.group_[c] / variables), static_cast<int>(w.group_[c] % variables), patch,
        w.values_.data() + c, channels);
  kriging_[kriging_of_[variable]].predict(patch, w.mask_.data(), w.values_.data(), static_cast<int>(channels), w.filled_.data(),
                                          w.kriging_);
  for (std::size_t c = 0; c < channels; ++c) {
    float* to = out + (w.group_[c] / variables) * cells * variables + w.group_[c] % variables;
    for (std::size_t i = 0; i < cells; ++i) to[i * variables] += w.filled_[i * channels + c];
  }
}

}  // namespace lacuna::baseline
