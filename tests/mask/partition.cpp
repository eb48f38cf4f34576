#include "lacuna/mask/partition.hpp"

#include "catch.hpp"
#include "lacuna/mask/any_policy.hpp"
#include "lacuna/mask/blocks.hpp"
#include "lacuna/mask/empirical.hpp"
#include "lacuna/mask/lost_planes.hpp"
#include "lacuna/mask/objectives.hpp"
#include "lacuna/mask/pixels.hpp"
#include "mask/maker.hpp"

using namespace lacuna;
using namespace lacuna::mask;

namespace {

/// Every observed cell asked, the plain way.
template <MaskPolicy Policy>
void check_plainly(const Policy& policy, std::uint64_t sample, const Window& w, const Partition& whole) {
  const auto draw = policy.draw(test_key, sample, w);
  Partition plain;
  plain.context.assign(whole.context.size(), 0);
  plain.query.assign(whole.query.size(), 0);
  for (int t = 0; t < w.masks.frames; ++t)
    for_observed_of_frame(w, {0, 0, w.masks.height, w.masks.width}, t, [&](std::size_t i, const Cell& cell) {
      plain.context[i] = draw.in_context(cell);
      plain.query[i] = draw.in_query(cell);
    });
  CHECK(plain.context == whole.context);
  CHECK(plain.query == whole.query);
}

/// Context and query lie in M, and every patch sees what the whole window's draw says.
template <MaskPolicy Policy>
void check_policy(const Policy& policy, const Owned& o) {
  const Window w = window_of(o.view(), 0, o.frames);
  Partition whole, part;
  for (std::uint64_t sample = 0; sample < 5; ++sample) {
    partition(policy, test_key, sample, w, {0, 0, o.height, o.width}, whole);
    std::size_t context = 0, query = 0;
    for (std::size_t i = 0; i < o.bytes.size(); ++i) {
      REQUIRE(whole.context[i] <= o.bytes[i]);
      REQUIRE(whole.query[i] <= o.bytes[i]);
      context += whole.context[i];
      query += whole.query[i];
    }
    CHECK(context == whole.context_count);
    CHECK(query == whole.query_count);
    check_plainly(policy, sample, w, whole);
    const data::Patch patch{2, o.periodic ? o.width - 3 : 1, 4, 5};
    partition(policy, test_key, sample, w, patch, part);
    std::size_t i = 0;
    for (int t = 0; t < o.frames; ++t)
      for (int y = 0; y < 4; ++y)
        for (int x = 0; x < 5; ++x)
          for (int v = 0; v < o.variables; ++v, ++i) {
            const std::size_t at = w.masks.index(t, patch.y + y, (patch.x + x) % o.width, v);
            REQUIRE(part.context[i] == whole.context[at]);
            REQUIRE(part.query[i] == whole.query[at]);
          }
    CHECK(i == part.context.size());
    std::vector<std::uint8_t> drawn;
    CHECK(sampling_context(policy, test_key, sample, w, patch, drawn) == part.context_count);
    CHECK(drawn == part.context);
  }
}

}  // namespace

TEST_CASE("Partition: subsets of M and the same draw in every patch, for every policy") {
  for (const bool periodic : {false, true}) {
    Owned o = cloud_masks(3, 9, 11, 2, 2, 2.0, 8);
    o.periodic = periodic;
    const auto windows = windows_of(o.view(), std::vector<int>{0, 1, 2}, 1);
    Owned shared = pixel_masks(3, 9, 11, 2, 0.5, 3, 8);
    shared.periodic = periodic;
    check_policy(Pixels{}, shared);
    check_policy(Blocks{.drop_max = 3}, shared);
    check_policy(Observed{}, shared);
    check_policy(AmbientDiff<Pixels>{Pixels{}}, shared);
    check_policy(AnyPolicy{Pixels{}}, shared);
    check_policy(Empirical(windows), shared);
    check_policy(LostPlanes<Pixels>{.policy = {}, .probability = 0.9f, .all_variables = 0.3f}, shared);
    check_policy(Pixels{}, o);
    check_policy(Pixels::random_ratio(), o);
    check_policy(Pixels{.query = 1.0f, .random = true, .rest = false}, o);
    check_policy(Blocks{.drop_max = 3}, o);
    check_policy(Empirical(windows), o);
    check_policy(Observed{}, o);
    check_policy(LostPlanes<Pixels>{.policy = {}, .probability = 0.9f, .all_variables = 0.3f}, o);
    check_policy(LostPlanes<Empirical>{.policy = Empirical(windows), .probability = 0.9f}, o);
  }
}

TEST_CASE("Partition: frames of one group that are observed at other static cells have contexts of their own") {
  // The second variable is observed at the first one's static cell (4, 4), in the first frame alone.
  Owned o = pixel_masks(2, 9, 11, 2, 0.5, 2, 8);
  std::vector<std::uint8_t> live(9 * 11 * 2, 1);
  live[o.view().index(0, 4, 4, 0)] = 0;
  for (int t = 0; t < 2; ++t) {
    o.bytes[o.view().index(t, 4, 4, 0)] = 0;
    o.bytes[o.view().index(t, 4, 4, 1)] = t == 0 ? 1 : 0;
  }
  const auto windows = windows_of(o.view(), std::vector<int>{0}, 2, live);
  REQUIRE(windows[0].group(0, 1) == windows[0].group(1, 1));
  const auto check = [&](const auto& policy) {
    Partition part;
    std::vector<std::uint8_t> drawn;
    for (std::uint64_t sample = 0; sample < 5; ++sample) {
      partition(policy, test_key, sample, windows[0], {0, 0, 9, 11}, part);
      check_plainly(policy, sample, windows[0], part);
      CHECK(sampling_context(policy, test_key, sample, windows[0], {0, 0, 9, 11}, drawn) == part.context_count);
      CHECK(drawn == part.context);
    }
  };
  check(Pixels{});
  check(Observed{});
  check(Blocks{.drop_max = 3});
  check(AnyPolicy{Pixels{}});
}

TEST_CASE("Partition: a mask shared by frames has one context, masks per frame have their own") {
  Partition p;
  const Owned shared = pixel_masks(3, 8, 8, 2, 0.5, 3, 6);
  partition(Pixels{}, test_key, 1, window_of(shared.view(), 0, 3), {0, 0, 8, 8}, p);
  const std::size_t frame = shared.view().frame_size();
  for (std::size_t i = 0; i < frame; ++i) {
    CHECK(p.context[i] == p.context[i + frame]);
    CHECK(p.context[i] == p.context[i + 2 * frame]);
    CHECK(p.context[i - i % 2] == p.context[i - i % 2 + 1]);
  }
  const Owned apart = pixel_masks(3, 8, 8, 1, 0.9, 1, 6);
  partition(Pixels{.ratio = 0.5f}, test_key, 1, window_of(apart.view(), 0, 3), {0, 0, 8, 8}, p);
  int common = 0, differ = 0;
  for (std::size_t i = 0; i < 64; ++i)
    if (apart.bytes[i] && apart.bytes[i + 64]) ++common, differ += p.context[i] != p.context[i + 64];
  CHECK(differ > common / 4);
}

TEST_CASE("Partition: everything, one cell and nothing observed") {
  Owned o{2, 3, 3, 1};
  Partition p;
  partition(Observed{}, test_key, 0, window_of(o.view(), 0, 2), {0, 0, 3, 3}, p);
  CHECK(p.context_count == 18);
  CHECK(p.query == p.context);
  o.draw(0, 2, ".........");
  partition(Pixels::random_ratio(), test_key, 0, window_of(o.view(), 0, 2), {0, 0, 3, 3}, p);
  CHECK((p.context_count == 0 && p.query_count == 0 && p.context.size() == 18));
  o.at(1, 2, 2, 0) = 1;
  partition(Pixels::random_ratio(), test_key, 0, window_of(o.view(), 0, 2), {0, 0, 3, 3}, p);
  CHECK((p.context_count == 0 && p.query_count == 1 && p.query[17] == 1));
}

TEST_CASE("Partition: contexts for sampling are M itself, a ratio, or the policy's own") {
  const Owned o = pixel_masks(1, 30, 30, 1, 0.6, 1, 2);
  const Window w = window_of(o.view(), 0, 1);
  const data::Patch all{0, 0, 30, 30};
  std::vector<std::uint8_t> context;
  const std::size_t observed = sampling_context(Observed{}, test_key, 0, w, all, context);
  CHECK(context == o.bytes);
  const std::size_t half = sampling_context(Pixels{.ratio = 0.5f}, test_key, 0, w, all, context);
  CHECK(std::abs(static_cast<double>(half) / static_cast<double>(observed) - 0.5) < 0.09);
  const auto first = context;
  sampling_context(Pixels{.ratio = 0.5f}, test_key, 1, w, all, context);
  CHECK(first != context);
}

TEST_CASE("Partition: patches outside the grid are refused") {
  Owned o{1, 4, 4, 1};
  Partition p;
  const auto split = [&](data::Patch patch) { partition(Observed{}, test_key, 0, window_of(o.view(), 0, 1), patch, p); };
  CHECK_THROWS_AS(split({0, 2, 4, 3}), ShapeError);
  CHECK_THROWS_AS(split({1, 0, 4, 4}), ShapeError);
  CHECK_THROWS_AS(split({0, 0, 0, 4}), ShapeError);
  o.periodic = true;
  CHECK_NOTHROW(split({0, 2, 4, 3}));
  CHECK_THROWS_AS(split({0, 0, 4, 5}), ShapeError);
}
