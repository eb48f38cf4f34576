#include "lacuna/mask/audit.hpp"

#include <cmath>

#include "catch.hpp"
#include "mask/maker.hpp"

using namespace lacuna;
using namespace lacuna::mask;

namespace {

struct Data {
  Owned masks;
  std::vector<Window> windows;
  Structure structure;

  explicit Data(Owned o, int frames = 3) : masks(std::move(o)) {
    std::vector<int> starts;
    for (int t = 0; t + frames <= masks.frames; t += frames) starts.push_back(t);
    windows = windows_of(masks.view(), starts, frames);
    structure = detect(masks.view(), windows);
    windows = windows_of(masks.view(), starts, frames, structure.live);
  }
  template <class Policy>
  Exposure audit_of(const Policy& policy) const {
    return audit(policy, structure, windows, {.cells = 4e5});
  }
  template <class Policy>
  Exposure sampled(const Policy& policy) const {
    return sampled_exposure(policy, structure, windows, {.cells = 1e6});
  }
};

Data pixel_data(double density) { return Data(pixel_masks(60, 18, 20, 1, density, 3, 7)); }
Data block_data(int missing) { return Data(block_masks(90, 18, 20, 1, 3, 3, missing, 3, 7)); }
Data cloud_data() { return Data(cloud_masks(60, 40, 40, 1, 3, 5, 7)); }

}  // namespace

TEST_CASE("Audit: pixels on pixels, closed form against sampling and by hand") {
  CHECK(pixel_exposure({.ratio = 0.5f, .query = 1.0f}, 0.5) == Approx(1.0 / 3));
  CHECK(pixel_exposure({.ratio = 1.0f}, 0.5) == 0);
  for (const double density : {0.2, 0.8}) {
    const Data d = pixel_data(density);
    REQUIRE(d.structure.kind == Structure::Kind::pixels);
    for (const Pixels& policy : {Pixels{}, Pixels{.ratio = 0.9f, .query = 0.5f}}) {
      const Exposure e = d.audit_of(policy);
      CHECK(e.verdict == Verdict::uniform);
      CHECK(e.mean == Approx(d.sampled(policy).mean).epsilon(0.03));
      CHECK_NOTHROW(require_exposure(e));
    }
  }
}

TEST_CASE("Audit: a random ratio's exposure is the average over its ratios") {
  double sum = 0;
  for (int i = 0; i < 1000; ++i)
    sum += pixel_exposure({.ratio = 0.5f + (static_cast<float>(i) + 0.5f) / 2000, .query = 1.0f}, 0.3) / 1000;
  CHECK(pixel_exposure(Pixels::random_ratio(0.5f), 0.3) == Approx(sum).epsilon(1e-4));
  auto half = Pixels{.query = 1.0f, .random = true, .rest = false};
  CHECK(pixel_exposure(half, 0.3) == pixel_exposure(Pixels::random_ratio(0.5f), 0.3));
  half.query = 0.5f;
  CHECK(pixel_exposure(half, 0.3) == Approx(sum / 2).epsilon(1e-4));
  CHECK(pixel_data(0.5).audit_of(half).mean == Approx(pixel_data(0.5).audit_of(Pixels::random_ratio()).mean / 2));
  const Exposure e = pixel_data(0.5).audit_of(Pixels::random_ratio());
  CHECK(e.verdict == Verdict::uniform);
}

TEST_CASE("Audit: context = query = M is refused on any gaps") {
  for (const Data& d : {pixel_data(0.5), block_data(2), cloud_data()}) {
    const Exposure e = d.audit_of(Observed{});
    CHECK(e.verdict == Verdict::refused);
    CHECK(e.minimum == 0);
  }
  CHECK(pixel_data(0.5).audit_of(Pixels{.ratio = 1.0f}).verdict == Verdict::refused);
}

TEST_CASE("Audit: pixel contexts on block masks have no exposure in missing blocks") {
  const Data d = block_data(2);
  REQUIRE(d.structure.kind == Structure::Kind::blocks);
  for (const Pixels& policy : {Pixels{}, Pixels::random_ratio(), Pixels{.query = 1.0f, .random = true, .rest = false}}) {
    const Exposure e = d.audit_of(policy);
    CHECK(e.minimum < 1e-9);
    CHECK(e.verdict == Verdict::refused);
    CHECK(e.reason ==
          std::string("hiding pixels at ") + (policy.random ? "a random ratio" : "ratio 0.7") +
              " leaves positions to be filled (missing blocks) without exposure, the output there would be arbitrary; "
              "whole blocks are missing: hide blocks, 3 x 3");
    CHECK_THROWS_AS(require_exposure(e), OptionError);
    CHECK_NOTHROW(require_exposure(e, true));
    double whole = 0;
    for (const auto& bin : d.sampled(policy).bins)
      if (bin.to_fill > least_share_to_fill) whole += bin.exposure;
    CHECK(whole < 1e-3);
  }
}

TEST_CASE("Audit: block contexts on block masks, exact sum against enumeration of masks and drops, and against sampling") {
  // All masks with m = 1 or 2 of 4 blocks missing, all drops of 1 or 2 blocks: joint probabilities by counting.
  Structure s;
  s.kind = Structure::Kind::blocks;
  s.rows = s.cols = 2;
  s.live_blocks = 15;
  s.missing_blocks = {0, 0.6, 0.4, 0, 0};
  s.height = s.width = 4;
  s.variables = 1;
  s.live.assign(16, 1);
  const Blocks policy{.rows = 2, .cols = 2, .drop_max = 2};
  std::array<double, 16> context{}, queried{};  // by the set of absent blocks; queried: block = its lowest absent one
  for (unsigned missing = 1; missing < 15; ++missing) {
    const int m = std::popcount(missing);
    if (m > 2) continue;
    for (int n = 1; n <= 2; ++n) {
      const int drop = std::min(n, 3 - m);
      std::vector<unsigned> drops;
      for (unsigned set = 1; set < 16; ++set)
        if ((set & missing) == 0 && std::popcount(set) == drop) drops.push_back(set);
      for (const unsigned set : drops) {
        const double p = s.missing_blocks[static_cast<std::size_t>(m)] / (m == 1 ? 4 : 6) / 2 / static_cast<double>(drops.size());
        const unsigned absent = set | missing;
        context[absent] += p;
        if (set >> std::countr_zero(absent) & 1u) queried[absent] += p;
      }
    }
  }
  const Exposure e = audit(policy, s, {});
  for (unsigned absent = 1; absent < 16; ++absent) {
    if (context[absent] == 0) continue;
    const std::string where = ContextBins::where(10 + std::popcount(absent));
    const auto bin = std::find_if(e.bins.begin(), e.bins.end(), [&](const auto& b) { return b.where == where; });
    REQUIRE(bin != e.bins.end());
    CHECK(bin->exposure == Approx(queried[absent] / context[absent]));
  }
  CHECK(e.verdict == Verdict::uniform);

  for (const int missing : {1, 4}) {
    const Data d = block_data(missing);
    const Exposure exact = d.audit_of(Blocks{.drop_max = 3}), sampled = d.sampled(Blocks{.drop_max = 3});
    CHECK(exact.verdict == Verdict::uniform);
    CHECK(exact.mean == Approx(sampled.mean).epsilon(0.05));
    REQUIRE(exact.bins.size() == sampled.bins.size());
    for (std::size_t b = 0; b < exact.bins.size(); ++b)
      CHECK(exact.bins[b].exposure == Approx(sampled.bins[b].exposure).epsilon(0.05));
  }
}

TEST_CASE("Audit: masks that leave a single block cannot be split and are refused; a wrong partition too") {
  CHECK(block_data(8).audit_of(Blocks{}).verdict == Verdict::refused);
  CHECK(block_data(2).audit_of(Blocks{.rows = 2, .cols = 2}).verdict == Verdict::refused);
}

TEST_CASE("Audit: block contexts on pixel masks are refused") {
  const Exposure e = pixel_data(0.5).audit_of(Blocks{});
  CHECK(e.verdict == Verdict::refused);
  CHECK(e.reason.find("hide pixels") != std::string::npos);
}

TEST_CASE("Audit: transplanted masks suit pixels and clouds, and blocks only where they are not moved") {
  const Data clouds = cloud_data();
  REQUIRE(clouds.structure.kind == Structure::Kind::irregular);
  const Exposure e = clouds.audit_of(Empirical(clouds.windows));
  INFO(summary(e));
  CHECK(e.verdict != Verdict::refused);
  CHECK(e.minimum > 0.01);
  const Data pixels = pixel_data(0.5);
  CHECK(pixels.audit_of(Empirical(pixels.windows, {.shift = false})).mean == Approx(1.0 / 3).epsilon(0.05));
  const Data blocks = block_data(3);
  CHECK(blocks.audit_of(Empirical(blocks.windows)).verdict == Verdict::refused);
  const Empirical still(blocks.windows, {.shift = false, .flip_x = false});
  const Exposure exact = blocks.audit_of(still);
  CHECK(exact.verdict != Verdict::refused);
  CHECK(exact.mean == Approx(blocks.sampled(still).mean).epsilon(0.05));
}

TEST_CASE("Audit: pixel contexts on clouds leave the depth of large holes unexposed") {
  const Exposure e = cloud_data().audit_of(Pixels{});
  CHECK(e.verdict == Verdict::refused);
  CHECK(e.reason.find("(empirical)") != std::string::npos);
}

TEST_CASE("Audit: lost planes need LostPlanes") {
  Owned o = pixel_masks(60, 12, 12, 2, 0.6, 3, 7);
  for (const int t : {3, 17, 40})
    for (int i = 0; i < 144; ++i) o.at(t, i / 12, i % 12, 1) = 0;
  const Data d(o);
  CHECK(d.structure.lost_planes == 3);
  const Exposure plain = d.audit_of(Pixels{});
  CHECK(plain.verdict == Verdict::refused);
  CHECK(plain.lost_planes == 0);
  CHECK(plain.reason.find("3 lost planes") != std::string::npos);
  CHECK(plain.reason.find("LostPlanes") != std::string::npos);
  const Exposure good = d.audit_of(LostPlanes<Pixels>{.policy = {}, .probability = 0.3f});
  CHECK(good.verdict == Verdict::uniform);
  CHECK(good.lost_planes == Approx(0.3 / 6 / (0.3 / 6 + 3.0 / 120)));
  CHECK(d.audit_of(LostPlanes<Pixels>{.policy = {}, .probability = 0.3f, .all_variables = 1.0f}).verdict == Verdict::refused);
  CHECK(d.audit_of(LostPlanes<Pixels>{.policy = {}, .probability = 0.0f}).verdict == Verdict::refused);
  CHECK(d.audit_of(LostPlanes<Blocks>{.policy = {}, .probability = 0.3f}).verdict == Verdict::refused);
}

TEST_CASE("Audit: complete data and static cells have nothing to fill") {
  const Data complete(Owned{6, 8, 8, 1});
  CHECK(complete.audit_of(Pixels{}).verdict == Verdict::uniform);
  Owned o = block_masks(90, 18, 20, 1, 3, 3, 2, 3, 7);
  for (int t = 0; t < 90; ++t)
    for (int y = 0; y < 18; ++y)
      for (int x = 0; x < 8; ++x) o.at(t, y, x, 0) = 0;
  const Data land(o);
  const Exposure e = land.audit_of(Blocks{});
  INFO(summary(e, 9));
  CHECK(e.verdict != Verdict::refused);
  CHECK(std::isnan(e.map[0]));
  CHECK(e.map[19] > 0);
}
