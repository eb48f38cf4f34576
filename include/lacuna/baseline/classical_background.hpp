#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "lacuna/baseline/background.hpp"
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
class ClassicalBackground {
 public:
  class Workspace;

  ClassicalBackground(BackgroundKind kind, BackgroundSettings settings) : kind_(kind), settings_(std::move(settings)) {}

  BackgroundKind kind() const { return kind_; }
  std::string name() const { return baseline::name(kind_); }
  bool exists() const { return kind_ != BackgroundKind::none; }

  /// The climatology is computed for every kind but none: the network may want it beside kriging.
  /// Throws: OptionError for another number of correlations than of variables.
  void fit(const BackgroundData& data) {
    data::require_consistent(data.fields);
    height_ = data.fields.grid.height();
    width_ = data.fields.grid.width();
    variables_ = data.fields.variables();
    kriging_.clear();
    kriging_of_.clear();
    climatology_.clear();
    if (kind_ == BackgroundKind::none) return;
    const bool anomalies = kind_ == BackgroundKind::climatology_kriging;
    climatology_ = Climatology(data.fields, data.windows, data.training_frames())(
        anomalies ? settings_.anomaly_climatology : settings_.climatology, data.threads);
    if (kind_ == BackgroundKind::climatology) return;
    const auto& correlations = anomalies ? settings_.anomalies : settings_.values;
    require<OptionError>(correlations.size() == data.fields.names.size(), "Background: ", correlations.size(),
                         " correlations for ", data.fields.names.size(), " variables");
    for (const auto& c : correlations) {
      std::size_t same = 0;
      while (same < kriging_.size() && !(kriging_[same].correlation() == c)) ++same;
      if (same == kriging_.size()) kriging_.emplace_back(data.fields.grid, c, settings_.kriging);
      kriging_of_.push_back(same);
    }
  }

  /// The climatology (T,H,W,V); empty if the kind is none.
  std::span<const float> climatology() const { return climatology_; }
  /// Kriging knows nothing of the climatology, so the network is shown it besides.
  std::span<const float> climatology_channel() const {
    return kind_ == BackgroundKind::kriging ? std::span<const float>(climatology_) : std::span<const float>();
  }

  /// @brief Background::evaluate: out (F,h,w,V).
  void evaluate(const BackgroundRequest& request, float* out, Workspace& workspace) const;

  /// @brief The error that kriging expects of evaluate(), as a fraction of the anomaly's deviation: it grows with the distance
  /// from the context, and is 0 in it. Without kriging it is 1 everywhere. out (F,h,w,V)
  void expected_error(const BackgroundRequest& request, float* out, Workspace& workspace, int threads = 1) const;

 private:
  template <class Visit>
  void each_group(const BackgroundRequest& request, Workspace& w, const Visit& visit) const;
  void cut_climatology(int t, int v, const data::Patch& patch, float* to, std::size_t stride) const;
  void krige(const BackgroundRequest& request, std::size_t variable, float* out, Workspace& w) const;

  BackgroundKind kind_;
  BackgroundSettings settings_;
  int height_ = 0, width_ = 0, variables_ = 0;
  std::vector<float> climatology_;
  std::vector<Kriging> kriging_;
  std::vector<std::size_t> kriging_of_;  // (V)
};

/// @brief Buffers of evaluate(), kept from call to call.
class ClassicalBackground::Workspace {
  friend class ClassicalBackground;
  Kriging::Workspace kriging_;
  std::vector<std::uint8_t> mask_, done_;
  std::vector<std::size_t> group_;
  std::vector<float> values_, filled_;
};

inline void ClassicalBackground::cut_climatology(int t, int v, const data::Patch& patch, float* to, std::size_t stride) const {
  const auto variables = static_cast<std::size_t>(variables_);
  for (int y = 0; y < patch.height; ++y) {
    const std::size_t row =
        (static_cast<std::size_t>(t) * static_cast<std::size_t>(height_) + static_cast<std::size_t>(patch.y + y)) *
        static_cast<std::size_t>(width_);
    int column = patch.x % width_;
    for (int x = 0; x < patch.width; ++x, to += stride) {
      *to = climatology_[(row + static_cast<std::size_t>(column)) * variables + static_cast<std::size_t>(v)];
      if (++column == width_) column = 0;
    }
  }
}

inline void ClassicalBackground::evaluate(const BackgroundRequest& request, float* out, Workspace& w) const {
  if (kind_ == BackgroundKind::none) return std::fill_n(out, request.size(), 0.0f), void();
  const auto variables = static_cast<std::size_t>(variables_), planes = static_cast<std::size_t>(request.frames) * variables;
  const std::size_t cells = static_cast<std::size_t>(request.patch.cells());
  for (std::size_t p = 0; p < planes; ++p) {
    float* to = out + (p / variables) * cells * variables + p % variables;
    if (kind_ == BackgroundKind::kriging)
      for (std::size_t i = 0; i < cells; ++i) to[i * variables] = 0.0f;
    else
      cut_climatology(request.first + static_cast<int>(p / variables), static_cast<int>(p % variables), request.patch, to,
                      variables);
  }
  if (kind_ == BackgroundKind::climatology) return;
  each_group(request, w, [&](std::size_t variable) { krige(request, variable, out, w); });
}

inline void ClassicalBackground::expected_error(const BackgroundRequest& request, float* out, Workspace& w, int threads) const {
  const auto variables = static_cast<std::size_t>(variables_), cells = static_cast<std::size_t>(request.patch.cells());
  if (kriging_.empty()) return std::fill_n(out, request.size(), 1.0f), void();
  each_group(request, w, [&](std::size_t variable) {
    w.filled_.resize(cells);
    kriging_[kriging_of_[variable]].deviation(request.patch, w.mask_.data(), w.filled_.data(), w.kriging_, threads);
    for (const std::size_t plane : w.group_) {
      float* to = out + (plane / variables) * cells * variables + plane % variables;
      for (std::size_t i = 0; i < cells; ++i) to[i * variables] = w.filled_[i];
    }
  });
}

/// Gathers planes whose contexts and correlations are the same in w.group_, their context in w.mask_, and calls visit(variable of
/// the first).
template <class Visit>
void ClassicalBackground::each_group(const BackgroundRequest& request, Workspace& w, const Visit& visit) const {
  const auto variables = static_cast<std::size_t>(variables_), planes = static_cast<std::size_t>(request.frames) * variables;
  const std::size_t cells = static_cast<std::size_t>(request.patch.cells());
  w.done_.assign(planes, 0);
  for (std::size_t p = 0; p < planes; ++p) {
    if (w.done_[p] != 0) continue;
    const std::uint8_t* mine = request.context + (p / variables) * cells * variables + p % variables;
    w.group_.clear();
    for (std::size_t q = p; q < planes; ++q) {
      if (w.done_[q] != 0 || kriging_of_[q % variables] != kriging_of_[p % variables]) continue;
      const std::uint8_t* other = request.context + (q / variables) * cells * variables + q % variables;
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

/// Adds to `out`, which holds the climatology or zero, the kriged planes w.group_, whose context is w.mask_.
inline void ClassicalBackground::krige(const BackgroundRequest& request, std::size_t variable, float* out, Workspace& w) const {
  const auto variables = static_cast<std::size_t>(variables_), cells = static_cast<std::size_t>(request.patch.cells());
  const std::size_t channels = w.group_.size();
  w.values_.resize(cells * channels);
  w.filled_.resize(cells * channels);
  const auto start = [&](std::size_t c) { return (w.group_[c] / variables) * cells * variables + w.group_[c] % variables; };
  for (std::size_t c = 0; c < channels; ++c) {
    const std::size_t at = start(c);
    for (std::size_t i = 0; i < cells; ++i)
      w.values_[i * channels + c] = w.mask_[i] != 0 ? request.values[at + i * variables] - out[at + i * variables] : 0.0f;
  }
  kriging_[kriging_of_[variable]].predict(request.patch, w.mask_.data(), w.values_.data(), static_cast<int>(channels),
                                          w.filled_.data(), w.kriging_);
  for (std::size_t c = 0; c < channels; ++c) {
    float* to = out + start(c);
    for (std::size_t i = 0; i < cells; ++i) to[i * variables] += w.filled_[i * channels + c];
  }
}

static_assert(Background<ClassicalBackground>);

}  // namespace lacuna::baseline
