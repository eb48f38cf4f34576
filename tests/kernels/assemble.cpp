#include "assemble.cuh"

#include "catch.hpp"
#include "cuda_emulation/buffer.hpp"
#include "kernels/orders.hpp"
#include "lacuna/mask/blocks.hpp"
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
  std::size_t query_count = 0;
  bool operator==(const Made&) const = default;
};

/// Two patches of a window with gaps, the second over the seam of a periodic grid, split by a policy. What is neither in context
/// nor in query is NaN.
struct Case {
  train::InputLayout layout;
  int height, width, grid_width;
  std::vector<mask::Partition> partitions;
  std::vector<std::vector<float>> values, background, climate, place;
  std::vector<float> season, scale;

  template <class Policy>
  Case(const train::InputLayout& layout_, const Policy& policy, int grid_height, int grid_width_, int height_, int width_)
      : layout(layout_), height(height_), width(width_), grid_width(grid_width_) {
    auto masks = mask::cloud_masks(layout.frames, grid_height, grid_width, layout.variables, 3, 3.0, 11);
    masks.periodic = true;
    const auto window = mask::window_of(masks.view(), 0, layout.frames);
    for (std::uint64_t b = 0; b < 2; ++b) {
      partitions.emplace_back();
      mask::partition(policy, philox_key(5, Purpose::context), b + 40, window, patch(b), partitions.back());
      add_sample(b);
    }
    season = test::normals<float>(static_cast<std::size_t>(layout.season), 6);
    scale = test::normals<float>(static_cast<std::size_t>(layout.variables), 7);
    for (float& s : scale) s = 1.0f + 0.1f * s;
  }

  data::Patch patch(std::uint64_t b) const {
    return b == 0 ? data::Patch{1, 2, height, width} : data::Patch{0, grid_width - 3, height, width};
  }
  train::BatchShape shape() const { return {layout, 2, height, width}; }
  std::size_t cells() const { return static_cast<std::size_t>(height * width); }
  std::size_t sample_size() const { return cells() * static_cast<std::size_t>(layout.fields()); }

  /// Only the first sample has noise if `plain`.
  train::SampleView view(std::uint64_t b, bool plain = false) const {
    return {.patch = patch(b),
            .grid_width = grid_width,
            .values = values[b].data(),
            .context = partitions[b].context.data(),
            .query = partitions[b].query.data(),
            .background = layout.background ? background[b].data() : nullptr,
            .climate = layout.climate ? climate[b].data() : nullptr,
            .place = place[b].data(),
            .season = season.data(),
            .scale = scale.data(),
            .alpha = b == 0 ? 0.6f : 0.8f,
            .sigma = b == 0  ? 0.8f
                     : plain ? 0.0f
                             : 0.6f,
            .noise = philox_key(5, Purpose::noise),
            .query_noise = philox_key(5, Purpose::query),
            .sample = b + 40};
  }

 private:
  void add_sample(std::uint64_t b) {
    values.push_back(test::normals<float>(sample_size(), 10 * b + 1));
    background.push_back(test::normals<float>(sample_size(), 10 * b + 2));
    climate.push_back(test::normals<float>(sample_size(), 10 * b + 3));
    place.push_back(test::normals<float>(cells() * static_cast<std::size_t>(layout.place), 10 * b + 4));
    for (std::size_t i = 0; i < sample_size(); ++i)
      if (partitions[b].context[i] == 0 && partitions[b].query[i] == 0) values[b][i] = test::nan<float>;
  }
};

template <class Matching>
Made on_cpu(const Case& c, const Matching& matching, bool plain = false) {
  const auto channels = static_cast<std::size_t>(c.layout.channels());
  Made made{std::vector<float>(2 * c.cells() * channels), std::vector<float>(2 * c.sample_size()),
            std::vector<std::uint8_t>(2 * c.sample_size())};
  for (std::size_t b = 0; b < 2; ++b) {
    const auto view = c.view(b, plain);
    train::assemble_input(c.layout, view, made.input.data() + b * c.cells() * channels);
    train::assemble_target(c.layout, view, made.target.data() + b * c.sample_size(), made.query.data() + b * c.sample_size(),
                           matching);
    made.query_count += c.partitions[b].query_count;
  }
  return made;
}

template <class Matching>
Made on_gpu(const Case& c, const Matching& matching, std::size_t offset, bool plain = false) {
  const auto channels = static_cast<std::size_t>(c.layout.channels());
  const auto plan = kernels::AssemblePlan::of(c.shape());
  const train::SampleView samples[] = {c.view(0, plain), c.view(1, plain)};
  Buffer<float> input(2 * c.cells() * channels, offset), target(2 * c.sample_size(), offset);
  Buffer<std::uint8_t> query(2 * c.sample_size(), offset);
  Buffer<unsigned> counts(std::size_t{2} * plan.blocks);
  kernels::assemble({}, samples, {c.shape(), input, target, query, counts}, matching);
  CHECK((input.intact() && target.intact() && query.intact() && counts.intact()));
  Made made{input.content(), target.content(), query.content()};
  for (const unsigned count : counts.content()) made.query_count += count;
  return made;
}

template <class Matching>
void check_same(const Case& c, const Matching& matching) {
  const Made expected = on_cpu(c, matching);
  CHECK(expected.query_count > 0);
  for (const std::size_t offset : {0u, 1u})
    test::in_every_order([&] {
      INFO("offset " << offset);
      CHECK((on_gpu(c, matching, offset) == expected));
    });
}

const train::InputLayout small{.frames = 2, .variables = 1};
const train::InputLayout full{.frames = 3, .variables = 2, .background = true, .climate = true, .place = 3, .season = 2};

}  // namespace

TEST_CASE("Assembly kernel: noise, input and target are the CPU's bit for bit, for every partition and matching") {
  for (auto layout : {small, full}) {
    const auto check = [&](const auto& policy, const auto& matching) {
      check_same(Case(layout, policy, 20, 23, 17, 19), matching);
    };
    check(mask::Pixels{}, schedule::DataMatching{});
    check(mask::Pixels{}, schedule::NoiseMatching{});  // queried in the context and outside of it
    check(mask::Pixels::random_ratio(), schedule::VelocityMatching{});
    check(mask::Blocks{}, schedule::DataMatching{});
    check(mask::Observed{}, schedule::VelocityMatching{});
    layout.query = true;
    check(mask::Pixels{}, schedule::NoiseMatching{});
    check(mask::Blocks{}, schedule::VelocityMatching{});
  }
}

TEST_CASE("Assembly kernel: an input without noise, or with nothing to learn") {
  for (auto layout : {small, full}) {
    const Case c(layout, mask::Pixels{}, 20, 23, 17, 19);
    CHECK((on_gpu(c, schedule::DataMatching{}, 0, true) == on_cpu(c, schedule::DataMatching{}, true)));
    CHECK((on_gpu(c, schedule::NoiseMatching{}, 0, true) == on_cpu(c, schedule::NoiseMatching{}, true)));
    train::SampleView samples[] = {c.view(0), c.view(1)};
    for (auto& s : samples) s.query = nullptr;
    Buffer<float> input(2 * c.cells() * static_cast<std::size_t>(layout.channels()));
    test::in_every_order([&] {
      kernels::assemble({}, samples, {c.shape(), input});
      CHECK(input.intact());
      CHECK(input.content() == on_cpu(c, schedule::DataMatching{}).input);
    });
  }
}

TEST_CASE("Assembly kernel: patches of one cell, and more tiles than blocks") {
  const schedule::DataMatching matching;
  const Case one(full, mask::Observed{}, 20, 23, 1, 1);
  CHECK((on_gpu(one, matching, 0) == on_cpu(one, matching)));
  const Case many({.frames = 12, .variables = 4, .background = true}, mask::Pixels{}, 42, 60, 40, 57);  // 2280 cells, 32 a tile
  CHECK(kernels::AssemblePlan::of(many.shape()).blocks == 64);
  CHECK((on_gpu(many, matching, 0) == on_cpu(many, matching)));
}

TEST_CASE("Assembly kernel: too many channels are refused by name") {
  const train::InputLayout layout{.frames = 2000, .variables = 2};
  CHECK(test::message_of<ShapeError>([&] {
          kernels::AssemblePlan::of({layout, 1, 2, 5});
        }).find("8000 channels") != std::string::npos);
}
