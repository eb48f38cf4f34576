#include "assemble.cuh"

#include "catch.hpp"
#include "cuda_emulation/buffer.hpp"
#include "kernels/orders.hpp"
#include "lacuna/mask/blocks.hpp"
#include "lacuna/mask/empirical.hpp"
#include "lacuna/mask/partition.hpp"
#include "lacuna/mask/pixels.hpp"
#include "mask/maker.hpp"
#include "support/fill.hpp"
#include "support/probe.hpp"

using namespace lacuna;
using cuda_emulation::Buffer;

namespace {

/// What is made of a batch: compared bit for bit.
struct Made {
  std::vector<float> input, target;
  std::vector<std::uint8_t> query;
  std::size_t query_count = 0, context_count = 0;
  bool operator==(const Made&) const = default;
};

/// A window of a grid with gaps and two patches of it, the second over the seam of a periodic grid.
struct Case {
  train::InputLayout layout;
  mask::Owned masks;
  int height, width;
  mask::Window window;
  std::vector<data::Patch> patches;
  std::vector<std::vector<float>> values, background, climate, place;
  std::vector<std::vector<std::uint8_t>> observed;
  std::vector<float> season, scale;

  Case(const train::InputLayout& layout_, int grid_height, int grid_width, int height_, int width_)
      : layout(layout_),
        masks(mask::cloud_masks(layout.frames, grid_height, grid_width, layout.variables, 3, 3.0, 11)),
        height(height_),
        width(width_) {
    masks.periodic = true;
    window = mask::window_of(masks.view(), 0, layout.frames);
    patches = {{1, 2, height, width}, {0, grid_width - 3, height, width}};
    for (std::uint64_t b = 0; b < patches.size(); ++b) add_sample(b);
    season = test::normals<float>(static_cast<std::size_t>(layout.season), 6);
    scale = test::normals<float>(static_cast<std::size_t>(layout.variables), 7);
    for (float& s : scale) s = 1.0f + 0.1f * s;
  }

  data::Patch patch(std::size_t b) const { return patches[b]; }
  std::size_t cells() const { return static_cast<std::size_t>(height * width); }
  std::size_t sample_size() const { return cells() * static_cast<std::size_t>(layout.fields()); }
  static constexpr float alpha(std::size_t b) { return b == 0 ? 0.6f : 0.8f; }
  static constexpr float sigma(std::size_t b) { return b == 0 ? 0.8f : 0.6f; }

 private:
  void add_sample(std::uint64_t b) {
    values.push_back(test::normals<float>(sample_size(), 10 * b + 1));
    background.push_back(test::normals<float>(sample_size(), 10 * b + 2));
    climate.push_back(test::normals<float>(sample_size(), 10 * b + 3));
    place.push_back(test::normals<float>(cells() * static_cast<std::size_t>(layout.place), 10 * b + 4));
    observed.emplace_back(sample_size(), std::uint8_t{0});
    mask::for_observed(window, patches[b], [&](std::size_t i, const mask::Cell&) { observed.back()[i] = 1; });
    for (std::size_t i = 0; i < sample_size(); ++i)
      if (observed.back()[i] == 0) values.back()[i] = test::nan<float>;
  }
};

const PhiloxKey context_key = philox_key(5, Purpose::context), noise_key = philox_key(5, Purpose::noise);

template <class Policy>
Made on_cpu(const Case& c, const Policy& policy) {
  const auto channels = static_cast<std::size_t>(c.layout.channels());
  Made made{std::vector<float>(2 * c.cells() * channels), std::vector<float>(2 * c.sample_size()),
            std::vector<std::uint8_t>(2 * c.sample_size())};
  for (std::size_t b = 0; b < 2; ++b) {
    mask::Partition partition;
    mask::partition(policy, context_key, b + 40, c.window, c.patch(b), partition);
    const train::SampleView view{.patch = c.patch(b),
                                 .grid_width = c.masks.width,
                                 .values = c.values[b].data(),
                                 .context = partition.context.data(),
                                 .query = partition.query.data(),
                                 .background = c.layout.background ? c.background[b].data() : nullptr,
                                 .climate = c.layout.climate ? c.climate[b].data() : nullptr,
                                 .place = c.place[b].data(),
                                 .season = c.season.data(),
                                 .scale = c.scale.data(),
                                 .alpha = Case::alpha(b),
                                 .sigma = Case::sigma(b),
                                 .noise = noise_key,
                                 .sample = b + 40};
    train::assemble_input(c.layout, view, made.input.data() + b * c.cells() * channels);
    train::assemble_target(c.layout, view, made.target.data() + b * c.sample_size(), made.query.data() + b * c.sample_size());
    made.query_count += partition.query_count;
    made.context_count += partition.context_count;
  }
  return made;
}

template <class Policy>
Made on_gpu(Case& c, const Policy& policy, std::size_t offset) {
  using Draw = mask::DrawOf<Policy>;
  const auto channels = static_cast<std::size_t>(c.layout.channels());
  const auto plan = kernels::AssemblePlan::of(c.layout, c.cells());
  std::vector<kernels::AssembleSample<Draw>> samples;
  for (std::size_t b = 0; b < 2; ++b)
    samples.push_back({.draw = policy.draw(context_key, b + 40, c.window),
                       .y = c.patch(b).y,
                       .x = c.patch(b).x,
                       .values = c.values[b].data(),
                       .observed = c.observed[b].data(),
                       .groups = c.window.groups.of.data(),
                       .background = c.layout.background ? c.background[b].data() : nullptr,
                       .climate = c.layout.climate ? c.climate[b].data() : nullptr,
                       .place = c.place[b].data(),
                       .season = c.season.data(),
                       .alpha = Case::alpha(b),
                       .sigma = Case::sigma(b),
                       .sample = b + 40});
  Buffer<float> input(2 * c.cells() * channels, offset), target(2 * c.sample_size(), offset);
  Buffer<std::uint8_t> query(2 * c.sample_size(), offset);
  Buffer<unsigned> query_counts(std::size_t{2} * plan.blocks), context_counts(std::size_t{2} * plan.blocks);
  kernels::assemble({}, samples.data(), 2,
                    {.layout = c.layout,
                     .height = c.height,
                     .width = c.width,
                     .grid_width = c.masks.width,
                     .scale = c.scale.data(),
                     .noise = noise_key,
                     .input = input,
                     .target = target,
                     .query = query,
                     .query_counts = query_counts,
                     .context_counts = context_counts});
  CHECK((input.intact() && target.intact() && query.intact() && query_counts.intact() && context_counts.intact()));
  Made made{input.content(), target.content(), query.content()};
  for (std::size_t i = 0; i < query_counts.size(); ++i) {
    made.query_count += query_counts[i];
    made.context_count += context_counts[i];
  }
  return made;
}

template <class Policy>
void check_same(Case& c, const Policy& policy) {
  const Made expected = on_cpu(c, policy);
  CHECK(expected.context_count > 0);
  CHECK(expected.query_count > 0);
  for (const std::size_t offset : {0u, 1u})
    test::in_every_order([&] {
      INFO("offset " << offset);
      CHECK((on_gpu(c, policy, offset) == expected));
    });
}

const train::InputLayout small{.frames = 2, .variables = 1};
const train::InputLayout full{.frames = 3, .variables = 2, .background = true, .climate = true, .place = 3, .season = 2};

}  // namespace

TEST_CASE("Assembly kernel: masks, noise, input and target are the CPU's bit for bit, for every policy") {
  for (const auto& layout : {small, full}) {
    Case c(layout, 20, 23, 17, 19);
    check_same(c, mask::Pixels{});
    check_same(c, mask::Pixels::random_ratio());
    check_same(c, mask::Blocks{});
    check_same(c, mask::Observed{});
    const auto other = mask::cloud_masks(2 * layout.frames, 20, 23, layout.variables, 4, 4.0, 12);
    const std::vector donors{mask::window_of(other.view(), 0, layout.frames),
                             mask::window_of(other.view(), layout.frames, layout.frames)};
    check_same(c, mask::Empirical(donors));
  }
}

TEST_CASE("Assembly kernel: patches of one cell, and more tiles than blocks") {
  Case one(full, 20, 23, 1, 1);
  CHECK((on_gpu(one, mask::Observed{}, 0) == on_cpu(one, mask::Observed{})));
  Case many({.frames = 12, .variables = 4, .background = true}, 42, 60, 40, 57);  // 2280 cells in tiles of 32
  CHECK(kernels::AssemblePlan::of(many.layout, many.cells()).blocks == 64);
  CHECK((on_gpu(many, mask::Pixels{}, 0) == on_cpu(many, mask::Pixels{})));
}

TEST_CASE("Assembly kernel: too many channels, and a query to show, are refused by name") {
  CHECK_THROWS_AS(kernels::AssemblePlan::of({.frames = 2, .variables = 1, .query = true}, 10), OptionError);
  const train::InputLayout layout{.frames = 2000, .variables = 2};
  CHECK(test::message_of<ShapeError>([&] { kernels::AssemblePlan::of(layout, 10); }).find("8000 channels") != std::string::npos);
}
