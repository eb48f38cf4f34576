#include "lacuna/mask/pixels.hpp"

#include <cmath>

#include "catch.hpp"
#include "mask/maker.hpp"

using namespace lacuna;
using namespace lacuna::mask;

namespace {
/// Four standard deviations of a binomial frequency.
double bound(double p, double n) { return 4 * std::sqrt(p * (1 - p) / n); }
}  // namespace

TEST_CASE("Pixels: fixed ratios are met, context and query independent") {
  const Owned o{1, 100, 100, 1};
  const Window w = window_of(o.view(), 0, 1);
  const auto d = Pixels{.ratio = 0.7f, .query = 0.4f}.draw(test_key, 3, w);
  double context = 0, query = 0, both = 0;
  for (int y = 0; y < 100; ++y)
    for (int x = 0; x < 100; ++x) {
      const Cell c{0, y, x, 0, 0};
      context += d.in_context(c);
      query += d.in_query(c);
      both += d.in_context(c) && d.in_query(c);
    }
  CHECK(std::abs(context / 1e4 - 0.7) < bound(0.7, 1e4));
  CHECK(std::abs(query / 1e4 - 0.4) < bound(0.4, 1e4));
  CHECK(std::abs(both / 1e4 - 0.28) < bound(0.28, 1e4));
}

TEST_CASE("Pixels: a random ratio is uniform over samples, the query is the rest and never empty") {
  const Owned o{1, 20, 20, 1};
  const Window w = window_of(o.view(), 0, 1);
  double sum = 0, squares = 0;
  const int samples = 400;
  for (int s = 0; s < samples; ++s) {
    const auto d = Pixels::random_ratio(0.5f).draw(test_key, static_cast<std::uint64_t>(s), w);
    CHECK((d.ratio >= 0.5f && d.ratio < 1.0f));
    int context = 0, query = 0;
    for (int i = 0; i < 400; ++i) {
      const Cell c{0, i / 20, i % 20, 0, 0};
      CHECK(d.in_context(c) != d.in_query(c));
      context += d.in_context(c);
      query += d.in_query(c);
    }
    CHECK(query >= 1);
    CHECK(std::abs(context / 400.0 - static_cast<double>(d.ratio)) < 0.13);
    sum += d.ratio;
    squares += static_cast<double>(d.ratio) * static_cast<double>(d.ratio);
  }
  const double mean = sum / samples;
  CHECK(mean == Approx(0.75).margin(4 * 0.1443 / std::sqrt(samples)));
  CHECK(squares / samples - mean * mean == Approx(1.0 / 48).epsilon(0.2));
}

TEST_CASE("Pixels: a random ratio may ask for a share of all of M, with the same contexts") {
  const Owned o{1, 20, 20, 1};
  const Window w = window_of(o.view(), 0, 1);
  int shown = 0, queried = 0, both = 0;
  const int samples = 100;
  for (std::uint64_t s = 0; s < samples; ++s) {
    auto some = Pixels{.query = 1.0f, .random = true, .rest = false};
    const auto rest = Pixels::random_ratio(0.5f).draw(test_key, s, w), all = some.draw(test_key, s, w);
    some.query = 0.6f;
    const auto share = some.draw(test_key, s, w);
    for (int i = 0; i < 400; ++i) {
      const Cell c{0, i / 20, i % 20, 0, 0};
      CHECK(all.in_context(c) == rest.in_context(c));
      CHECK(all.in_query(c));
      shown += share.in_context(c);
      queried += share.in_query(c);
      both += share.in_context(c) && share.in_query(c);
    }
  }
  const double cells = 400.0 * samples;
  CHECK(queried / cells == Approx(0.6).margin(bound(0.6, cells)));
  CHECK(static_cast<double>(both) / shown == Approx(0.6).margin(bound(0.6, shown)));  // independent of the context
}

TEST_CASE("Pixels: one cell observed is queried; nothing observed gives nothing") {
  Owned o{2, 5, 5, 2};
  o.draw(0, 2, std::string(25, '.'));
  const Window empty = window_of(o.view(), 0, 2);
  CHECK(Pixels::random_ratio().draw(test_key, 0, empty).group == -1);
  o.at(1, 3, 4, 1) = 1;
  const Window w = window_of(o.view(), 0, 2);
  for (std::uint64_t s = 0; s < 20; ++s) {
    const auto d = Pixels::random_ratio().draw(test_key, s, w);
    CHECK(d.in_query({1, 3, 4, 1, w.group(1, 1)}));
    CHECK_FALSE(d.in_context({1, 3, 4, 1, w.group(1, 1)}));
  }
}

TEST_CASE("Pixels: a random observed cell is found with equal chance where few are observed") {
  Owned o{1, 40, 40, 1};
  o.draw(0, 1, std::string(1600, '.'));
  o.at(0, 1, 1, 0) = o.at(0, 39, 0, 0) = 1;
  const Window w = window_of(o.view(), 0, 1);
  int first = 0;
  for (std::uint64_t s = 0; s < 1000; ++s) {
    const Cell c = random_observed(test_key, s, w);
    CHECK(o.at(0, c.y, c.x, 0) == 1);
    first += c.y == 1;
  }
  CHECK(std::abs(first / 1000.0 - 0.5) < bound(0.5, 1000));
}

TEST_CASE("Pixels: groups and samples have draws of their own, and the draws are what they always were") {
  const Owned o{1, 4, 4, 1};
  const Window w = window_of(o.view(), 0, 1);
  const auto bits = [&](std::uint64_t sample, int group, bool query) {
    const auto d = Pixels{.ratio = 0.5f, .query = 0.5f}.draw(test_key, sample, w);
    unsigned set = 0;
    for (int i = 0; i < 16; ++i) {
      const Cell c{0, i / 4, i % 4, 0, group};
      set |= static_cast<unsigned>(query ? d.in_query(c) : d.in_context(c)) << i;
    }
    return set;
  };
  CHECK(bits(0, 0, false) == bits(0, 0, false));
  CHECK(bits(0, 0, false) != bits(1, 0, false));
  CHECK(bits(0, 0, false) != bits(0, 1, false));
  CHECK(bits(0, 0, false) == 0x2ca7u);
  CHECK(bits(7, 2, true) == 0x92c5u);
  CHECK(Pixels::random_ratio().draw(test_key, 5, w).ratio == 0x1.8ce3dp-1f);
}

TEST_CASE("Pixels: ratios outside their range are refused") {
  const Owned o{1, 2, 2, 1};
  const Window w = window_of(o.view(), 0, 1);
  CHECK_THROWS_AS((Pixels{.ratio = 0}.draw(test_key, 0, w)), OptionError);
  CHECK_THROWS_AS((Pixels{.ratio = 1.1f}.draw(test_key, 0, w)), OptionError);
  CHECK_THROWS_AS((Pixels{.query = 0}.draw(test_key, 0, w)), OptionError);
  CHECK_THROWS_AS(Pixels::random_ratio(1.0f).draw(test_key, 0, w), OptionError);
}
