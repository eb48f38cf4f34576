#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "lacuna/sampler/evaluator.hpp"
#include "lacuna/sampler/tiles.hpp"
#include "lacuna/schedule/matching.hpp"
#include "lacuna/schedule/variance_preserving.hpp"
#include "lacuna/train/input.hpp"
#include "lacuna/train/samples.hpp"

namespace lacuna::sampler {

/// @brief One network evaluation: a window and what of it the network sees; at t = delta and of the observations, unless a state
/// is given.
struct Request {
  int window = 0;
  std::uint64_t member = 0;           ///< decides the noise
  std::vector<std::uint8_t> context;  ///< (F, H, W, V)
  std::vector<std::uint8_t> query{};  ///< (F, H, W, V): for a network that is shown the query
  double time = schedule::smallest_time;
  std::span<const float> state = {};            ///< x_t (F, H, W, V), in units of the anomaly's deviation: seen as it is
  std::span<const float> kept_background = {};  ///< (F, H, W, V): taken instead of the context's own
};

/// @brief The answer: x0 is estimated by background + weight * anomaly, all (F, H, W, V) in normalised units.
struct Estimate {
  std::vector<float> background, anomaly;
};

struct SingleStepSettings {
  std::uint64_t seed = 1;
  int tile = 256;              ///< largest rows and columns evaluated at once (plus margins)
  int margin = 32;             ///< what a tile sees beside its core
  int cells_per_pass = 20000;  ///< members are batched up to about this many cells
};

/// @brief The paper's single-step estimate E[x0 | ctx] (eq. 9-10, before averaging) on whole windows; multi-step sampling asks
/// the same network for E[x0 | M_rnd x_t] (eq. 26) by requests with a state.
///
/// Large grids are cut into tiles with margins, periodic grids are continued around the seam, and several requests run as one
/// batch. The network must have been trained on samples of the same layout and for the same matching; its answers are converted
/// to x0. Determinism: bit for bit with the same threads and requests.
/// Throws: ShapeError, OptionError (a time outside 0 .. 1, a query of unknown values, alpha = 0 for NoiseMatching).
template <class Network, schedule::NoiseSchedule Schedule = schedule::VariancePreserving,
          schedule::Matching Matching = schedule::DataMatching, class DeviceType = cpu::Device>
class SingleStep {
 public:
  SingleStep(DeviceType& device, const train::Samples& samples, const train::InputLayout& layout, const Network& network,
             Parameters<float>& parameters, std::vector<float> scale, const SingleStepSettings& settings = {},
             const Schedule& schedule = {}, const Matching& matching = {})
      : device_(device),
        samples_(samples),
        layout_(layout),
        evaluate_(device, network, parameters),
        moments_(device),
        scale_(std::move(scale)),
        settings_(settings),
        schedule_(schedule),
        matching_(matching) {
    train::require_scale(scale_, samples.fields().names.size());
    require<ShapeError>(train::input_layout(samples, layout.query) == layout, "SingleStep: the samples make an input of ",
                        train::input_layout(samples, layout.query).channels(), " channels, the network was trained on one of ",
                        layout.channels());
    const auto& grid = samples.fields().grid;
    rows_ = cut_axis(grid.height(), settings.tile, settings.margin, false);
    columns_ = cut_axis(grid.width(), settings.tile, settings.margin, grid.periodic_x);
  }

  int threads() const { return device_.threads(); }

  /// @brief Evaluates every request and calls visit(index, estimate) for each, in order.
  template <class Visit>
  void operator()(std::span<const Request> requests, const Visit& visit) {
    each_pass(requests, [&](std::size_t begin, int count) {
      each_tile(count, [&](const Tile& row, const Tile& column, const Answers& answers) {
        const auto tile = shape(row, column, count);
        const float* values = evaluate_.on_host(answers, tile.answers().size());
        const std::size_t one = tile.answers().size() / static_cast<std::size_t>(count);
        for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) keep(row, column, work_[i], values + i * one);
      });
      for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) visit(begin + i, work_[i].estimate);
    });
  }

  /// @brief The estimates background + weight * anomaly of one window's requests, averaged where the device computes: mean and
  /// deviation, or where observed the value itself and 0. weights (F, H, W, V). Requests of one time, without states.
  void moments(std::span<const Request> requests, std::span<const float> weights, Moments& out) {
    require<OptionError>(!layout_.query && !requests.empty() && requests.front().state.empty(),
                         "SingleStep: moments are of requests without states, to a network that is not shown the query");
    const std::size_t size = samples_.fields().frame_size() * static_cast<std::size_t>(layout_.frames);
    require<ShapeError>(weights.size() == size, "SingleStep: ", weights.size(), " weights, expected ", size);
    const auto& grid = samples_.fields().grid;
    const auto alpha = static_cast<float>(schedule_.alpha(requests.front().time)),
               sigma = static_cast<float>(schedule_.sigma(requests.front().time));
    moments_.begin(weights);
    each_pass(requests, [&](std::size_t begin, int count) {
      each_tile(count, [&](const Tile& row, const Tile& column, const Answers& answers) {
        EnsemblePass pass{.shape = shape(row, column, count), .answers = answers};
        pass.core = {row.core_begin, column.core_begin, row.core_end - row.core_begin, column.core_end - column.core_begin};
        pass.y = row.core_begin - row.begin;
        pass.x = column.core_begin - column.begin;
        pass.grid_height = grid.height();
        pass.grid_width = grid.width();
        pass.before = static_cast<int>(begin);
        pass.last = begin + static_cast<std::size_t>(count) == requests.size();
        if constexpr (Matching::needs_noisy) {  // a conversion is linear in both
          pass.noisy = matching_.clean(alpha, sigma, 1.0f, 0.0f);
          pass.answer = matching_.clean(alpha, sigma, 0.0f, 1.0f);
        }
        moments_.add(pass);
      });
    });
    moments_.finish(out);
  }

  /// @brief Prepares this many requests and runs their passes without computing: afterwards buffers and primitives exist, and
  /// device.arena().high_water() is what a pass takes.
  void plan(int requests) {
    if (requests <= 0) return;
    const int chunk = std::min(members_per_pass(), requests);
    const std::vector<std::uint8_t> nothing(samples_.fields().frame_size() * static_cast<std::size_t>(layout_.frames));
    const Request request{.context = nothing, .query = nothing};
    if (work_.size() < static_cast<std::size_t>(chunk)) work_.resize(static_cast<std::size_t>(chunk));
    parallel_for(device_.threads(), chunk, [&](int i) { prepare(request, work_[static_cast<std::size_t>(i)]); });
    for (const auto& row : rows_)
      for (const auto& column : columns_)
        parallel_for(device_.threads(), chunk, [&](int i) { cut(row, column, work_[static_cast<std::size_t>(i)]); });
    for (const int count : {chunk, requests % chunk}) {
      if (count == 0) continue;
      for (const auto& row : rows_)
        for (const auto& column : columns_) evaluate_.plan(shape(row, column, count));
    }
  }

  const train::Samples& samples() const { return samples_; }
  const train::InputLayout& layout() const { return layout_; }
  const std::vector<float>& scale() const { return scale_; }  ///< (V) deviation of the anomaly

 private:
  struct Work {
    const Request* request = nullptr;
    Estimate estimate;
    train::SampleView view{};  ///< of a tile, with the arrays that follow
    std::vector<float> values, background, climate, place;
    std::vector<std::uint8_t> context, query;
    baseline::AnyBackground::Workspace workspace;
  };

  train::BatchShape shape(const Tile& row, const Tile& column, int count) const {
    return {layout_, count, row.size(), column.size()};
  }

  int members_per_pass() const {
    const auto largest = [](const std::vector<Tile>& tiles) {
      int size = 0;
      for (const auto& tile : tiles) size = std::max(size, tile.size());
      return size;
    };
    return std::clamp(settings_.cells_per_pass / (largest(rows_) * largest(columns_)), 1, 16);
  }

  /// Checks a request and makes its background, on the whole grid.
  void prepare(const Request& request, Work& w) const {
    const std::size_t size = samples_.fields().frame_size() * static_cast<std::size_t>(layout_.frames);
    check(request, size);
    w.request = &request;
    w.estimate.background.assign(size, 0.0f);
    w.estimate.anomaly.resize(size);
    if (!request.kept_background.empty())
      std::copy(request.kept_background.begin(), request.kept_background.end(), w.estimate.background.begin());
    else if (layout_.background)
      samples_.background().evaluate(samples_.background_request(request.window, request.context.data()),
                                     w.estimate.background.data(), w.workspace);
  }

  void check(const Request& request, std::size_t size) const {
    const auto windows = samples_.windows().size();
    require<OptionError>(request.window >= 0 && static_cast<std::size_t>(request.window) < windows, "SingleStep: window ",
                         request.window, ", expected 0 to ", windows - 1);
    require<OptionError>(request.time >= 0 && request.time <= 1, "SingleStep: time ", request.time, " is not in 0 .. 1");
    const auto fits = [&](std::size_t given) { return given == 0 || given == size; };
    require<ShapeError>(request.context.size() == size && fits(request.state.size()) && fits(request.kept_background.size()),
                        "SingleStep: a context of ", request.context.size(), ", a state of ", request.state.size(),
                        " and a background of ", request.kept_background.size(), " elements, expected ", size);
    if (!layout_.query) return;
    require<ShapeError>(request.query.size() == size, "SingleStep: a query of ", request.query.size(),
                        " elements for a network that is shown it, expected ", size);
    const auto& observed = samples_.windows()[static_cast<std::size_t>(request.window)].masks.observed;
    for (std::size_t i = 0; i < size && request.state.empty(); ++i)
      require<OptionError>(request.query[i] == 0 || observed[i] != 0, "SingleStep: element ", i,
                           " of the query was not observed; a network that is shown the query fills gaps by many steps");
  }

  /// What a tile shows of a request.
  const train::SampleView& cut(const Tile& row, const Tile& column, Work& w) const {
    const Request& request = *w.request;
    const int width = samples_.fields().grid.width();
    const data::Patch patch{row.begin, (column.begin % width + width) % width, row.size(), column.size()};
    const auto cut = [&](const auto& from, auto& to) { samples_.cut_window(std::span(from), patch, to); };
    cut(std::as_const(w.estimate.background), w.background);
    cut(request.context, w.context);
    if (layout_.query) cut(request.query, w.query);
    if (layout_.climate) samples_.cut(samples_.background().climatology_channel(), request.window, patch, w.climate);
    samples_.cut_place(patch, w.place);
    const bool noised = request.state.empty();
    if (noised) {
      samples_.cut(samples_.fields().values, request.window, patch, w.values);
    } else {  // handed on as the value that has it as its anomaly, without noise
      cut(request.state, w.values);
      for (std::size_t i = 0; i < w.values.size(); i += scale_.size())
        for (std::size_t v = 0; v < scale_.size(); ++v) w.values[i + v] = w.background[i + v] + scale_[v] * w.values[i + v];
    }
    // By name: nvcc 13.0 garbles such an argument in a template.
    const train::SampleView view{.patch = patch,
                                 .grid_width = width,
                                 .values = w.values.data(),
                                 .context = w.context.data(),
                                 .query = layout_.query ? w.query.data() : nullptr,
                                 .background = layout_.background ? w.background.data() : nullptr,
                                 .climate = layout_.climate ? w.climate.data() : nullptr,
                                 .place = w.place.data(),
                                 .season = samples_.season(request.window),
                                 .scale = scale_.data(),
                                 .time = static_cast<float>(request.time),
                                 .alpha = noised ? static_cast<float>(schedule_.alpha(request.time)) : 1.0f,
                                 .sigma = noised ? static_cast<float>(schedule_.sigma(request.time)) : 0.0f,
                                 .noise = philox_key(settings_.seed, Purpose::sampling),
                                 .query_noise = philox_key(settings_.seed, Purpose::query),
                                 .sample = request.member};
    return w.view = view;
  }

  /// Prepares requests, as many as run as one batch, and calls pass(first, number) for them.
  template <class Visit>
  void each_pass(std::span<const Request> requests, const Visit& pass) {
    const auto chunk = static_cast<std::size_t>(members_per_pass());
    for (std::size_t begin = 0; begin < requests.size(); begin += chunk) {
      const std::size_t count = std::min(chunk, requests.size() - begin);
      if (work_.size() < count) work_.resize(count);
      parallel_for(device_.threads(), static_cast<int>(count),
                   [&](int i) { prepare(requests[begin + static_cast<std::size_t>(i)], work_[static_cast<std::size_t>(i)]); });
      pass(begin, static_cast<int>(count));
    }
  }
  /// Evaluates the prepared requests tile by tile: read(row, column, answers).
  template <class Read>
  void each_tile(int count, const Read& read) {
    for (const auto& row : rows_)
      for (const auto& column : columns_)
        evaluate_(
            shape(row, column, count), [&](int i) { return cut(row, column, work_[static_cast<std::size_t>(i)]); },
            [&](const Answers& answers) { read(row, column, answers); });
  }

  /// Copies a tile's core from the network's layout to (F, H, W, V), its answers as x0 in normalised units.
  void keep(const Tile& row, const Tile& column, Work& w, const float* estimate) const {
    const auto& grid = samples_.fields().grid;
    const int fields = layout_.fields(), variables = layout_.variables;
    const auto alpha = static_cast<float>(schedule_.alpha(w.request->time)),
               sigma = static_cast<float>(schedule_.sigma(w.request->time));
    float* to = w.estimate.anomaly.data();
    for (int y = row.core_begin; y < row.core_end; ++y)
      for (int x = column.core_begin; x < column.core_end; ++x) {
        const int cell = (y - row.begin) * column.size() + x - column.begin;
        train::ShownCell shown(layout_, w.view, cell);
        for (int f = 0; f < fields; ++f) {
          const int frame = f / variables, v = f % variables;
          float anomaly = estimate[static_cast<std::ptrdiff_t>(cell) * fields + f];
          if constexpr (Matching::needs_noisy)
            if (shown.has(f)) anomaly = matching_.clean(alpha, sigma, shown.value(f), anomaly);
          to[((static_cast<std::ptrdiff_t>(frame) * grid.height() + y) * grid.width() + x) * variables + v] =
              anomaly * scale_[static_cast<std::size_t>(v)];
        }
      }
  }

  DeviceType& device_;
  const train::Samples& samples_;
  train::InputLayout layout_;
  Evaluator<Network, DeviceType> evaluate_;
  PassMoments<DeviceType> moments_;
  std::vector<float> scale_;
  SingleStepSettings settings_;
  Schedule schedule_;
  Matching matching_;
  std::vector<Tile> rows_, columns_;
  std::vector<Work> work_;
};

}  // namespace lacuna::sampler
