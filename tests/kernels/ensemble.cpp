#include "ensemble.cuh"

#include "catch.hpp"
#include "cuda_emulation/buffer.hpp"
#include "kernels/orders.hpp"
#include "lacuna/sampler/ensemble.hpp"
#include "lacuna/schedule/matching.hpp"
#include "support/compare.hpp"
#include "support/fill.hpp"
#include "support/tolerances.hpp"

using namespace lacuna;
using cuda_emulation::Buffer;

namespace {

/// Members on a tile of a window. Values that were not observed are NaN.
struct Case {
  static constexpr int grid_height = 13, grid_width = 17;

  train::BatchShape shape;
  data::Patch tile, core;
  std::vector<float> values, answers, weights, scale;
  std::vector<std::vector<float>> backgrounds;
  std::vector<std::vector<std::uint8_t>> contexts;

  Case(const train::InputLayout& layout, int members, const data::Patch& tile_, const data::Patch& core_)
      : shape{layout, members, tile_.height, tile_.width},
        tile(tile_),
        core(core_),
        values(test::normals<float>(tile_size(), 1)),
        answers(test::normals<float>(tile_size() * static_cast<std::size_t>(members), 2)),
        weights(test::normals<float>(window_size(), 3)),
        scale(test::normals<float>(static_cast<std::size_t>(layout.variables), 4)) {
    const auto observed = test::coins(tile_size(), 0.5f, 5);
    for (std::size_t i = 0; i < values.size(); ++i)
      if (observed[i] == 0) values[i] = test::nan<float>;
    for (int m = 0; m < members; ++m) {
      const auto stream = static_cast<std::uint64_t>(10 + m);
      backgrounds.push_back(test::normals<float>(tile_size(), stream));
      for (float& b : backgrounds.back()) b += 30.0f;  // far from zero: where sums of squares would lose their digits
      contexts.push_back(test::coins(tile_size(), 0.5f, stream));
      for (std::size_t i = 0; i < observed.size(); ++i) contexts.back()[i] &= observed[i];
    }
  }

  std::size_t tile_size() const { return static_cast<std::size_t>(tile.cells() * shape.layout.fields()); }
  std::size_t window_size() const { return static_cast<std::size_t>(grid_height * grid_width * shape.layout.fields()); }
  train::SampleView view(int m) const {
    const auto own = static_cast<std::size_t>(m);
    return {.patch = tile,
            .grid_width = grid_width,
            .values = values.data(),
            .context = contexts[own].data(),
            .query = nullptr,
            .background = shape.layout.background ? backgrounds[own].data() : nullptr,
            .climate = nullptr,
            .place = nullptr,
            .season = nullptr,
            .scale = scale.data(),
            .alpha = 0.8f,
            .sigma = 0.6f,
            .noise = philox_key(1, Purpose::sampling),
            .sample = static_cast<std::uint64_t>(m)};
  }
  std::vector<train::SampleView> views() const {
    std::vector<train::SampleView> all;
    for (int m = 0; m < shape.batch; ++m) all.push_back(view(m));
    return all;
  }
  sampler::EnsemblePass pass(const train::SampleView* samples, const float* given) const {
    return {.shape = shape,
            .answers = {samples, given},
            .core = core,
            .y = core.y - tile.y,
            .x = (core.x - tile.x + grid_width) % grid_width,
            .grid_height = grid_height,
            .grid_width = grid_width,
            .last = true,
            .weights = weights.data()};
  }
  std::size_t in_window(int y, int x, int f) const {
    const int v = shape.layout.variables;
    return static_cast<std::size_t>(((f / v * grid_height + core.y + y) * grid_width + core.x + x) * v + f % v);
  }
  /// Calls visit(place in the window, place in the tile's arrays, cell of the tile, field) for the core.
  template <class Visit>
  void each(const Visit& visit) const {
    const auto p = pass(nullptr, nullptr);
    for (int y = 0; y < core.height; ++y)
      for (int x = 0; x < core.width; ++x)
        for (int f = 0; f < shape.layout.fields(); ++f) {
          const int cell = (p.y + y) * tile.width + p.x + x;
          visit(in_window(y, x, f), view(0).index(shape.layout, cell, f), cell, f);
        }
  }
};

/// Outside of the core what was there before.
struct Moments {
  std::vector<float> mean, deviation;
  bool operator==(const Moments&) const = default;
};

/// In passes of at most so many members. noisy, answer: how answers are converted.
Moments on_gpu(const Case& c, std::size_t offset, int most = 100, float noisy = 0, float answer = 1) {
  const auto samples = c.views();
  Buffer<float> answers(c.answers, offset), mean(std::vector<float>(c.window_size(), 7.0f), offset),
      deviation(std::vector<float>(c.window_size(), 7.0f), offset);
  for (int first = 0; first < c.shape.batch; first += most) {
    auto pass = c.pass(samples.data() + first, answers + static_cast<std::size_t>(first) * c.tile_size());
    pass.shape.batch = std::min(most, c.shape.batch - first);
    pass.before = first;
    pass.last = first + pass.shape.batch == c.shape.batch;
    pass.noisy = noisy;
    pass.answer = answer;
    pass.mean = mean;
    pass.deviation = deviation;
    kernels::ensemble({}, pass);
  }
  CHECK((mean.intact() && deviation.intact()));
  return {mean.content(), deviation.content()};
}

/// By the running moments of the host.
template <class Matching>
Moments on_cpu(const Case& c, const Matching& matching) {
  Moments out{std::vector<float>(c.window_size(), 7.0f), std::vector<float>(c.window_size(), 7.0f)};
  c.each([&](std::size_t at, std::size_t in_tile, int cell, int f) {
    const auto variable = static_cast<std::size_t>(f % c.shape.layout.variables);
    sampler::RunningMoments moments(1);
    for (int m = 0; m < c.shape.batch; ++m) {
      const auto view = c.view(m);
      const std::size_t row = static_cast<std::size_t>(m) * c.tile_size();
      float x = c.answers[row + static_cast<std::size_t>(cell * c.shape.layout.fields() + f)];
      train::ShownCell shown(c.shape.layout, view, cell);
      if (Matching::needs_noisy && shown.has(f)) x = matching.clean(view.alpha, view.sigma, shown.value(f), x);
      x *= c.scale[variable];
      const float background = view.background != nullptr ? view.background[in_tile] : 0.0f;
      moments.add({&background, &x, &c.weights[at]});
    }
    const bool observed = !std::isnan(c.values[in_tile]);
    out.mean[at] = observed ? c.values[in_tile] : moments.mean()[0];
    out.deviation[at] = observed ? 0.0f : moments.deviation(0);
  });
  return out;
}

void check_close(const Moments& given, const Moments& expected) {
  CHECK(test::relative_difference(given.mean, expected.mean) < test::tolerance::kernel);
  CHECK(test::relative_difference(given.deviation, expected.deviation) < test::tolerance::kernel);
}

const train::InputLayout single{.frames = 1, .variables = 1};
const train::InputLayout fours{.frames = 4, .variables = 2, .background = true};  // whose answers are read four at a time
const train::InputLayout several{.frames = 3, .variables = 2, .background = true};
const data::Patch whole{0, 0, Case::grid_height, Case::grid_width}, tile{2, Case::grid_width - 4, 9, 12}, core{4, 1, 5, 4};

}  // namespace

TEST_CASE(
    "Ensemble kernel: agrees with the CPU for any number of members, on the grid and on a tile over its seam, in every order") {
  for (const auto& layout : {single, several, fours})
    for (const int members : {1, 2, 10})
      for (const bool tiled : {false, true}) {
        const Case c(layout, members, tiled ? tile : whole, tiled ? core : whole);
        const Moments expected = on_cpu(c, schedule::DataMatching{});
        for (const std::size_t offset : {0u, 1u})
          test::in_every_order([&] {
            INFO(members << " members, tiled " << tiled << ", offset " << offset);
            check_close(on_gpu(c, offset), expected);
          });
      }
}

TEST_CASE("Ensemble kernel: several passes give what one gives, bit for bit") {
  const Case c(several, 7, tile, core);
  const Moments once = on_gpu(c, 0);
  for (const int most : {1, 3, 6}) CHECK(on_gpu(c, 0, most) == once);
}

TEST_CASE("Ensemble kernel: answers are converted where a value is shown with its noise") {
  const Case c(several, 4, tile, core);
  const auto convert = [&](const auto& matching) {
    check_close(on_gpu(c, 0, 3, matching.clean(0.8f, 0.6f, 1.0f, 0.0f), matching.clean(0.8f, 0.6f, 0.0f, 1.0f)),
                on_cpu(c, matching));
  };
  convert(schedule::NoiseMatching{});
  convert(schedule::VelocityMatching{});
}

TEST_CASE("Ensemble kernel: NaN where observed changes no bit, and observed values are kept bit for bit") {
  Case c(several, 4, whole, whole);
  const Moments clean = on_gpu(c, 0);
  c.each([&](std::size_t at, std::size_t in_tile, int cell, int f) {
    if (std::isnan(c.values[in_tile])) return;
    CHECK(clean.mean[at] == c.values[in_tile]);
    CHECK(clean.deviation[at] == 0);
    c.answers[c.tile_size() + static_cast<std::size_t>(cell * c.shape.layout.fields() + f)] = test::nan<float>;
  });
  CHECK(on_gpu(c, 0) == clean);
}
