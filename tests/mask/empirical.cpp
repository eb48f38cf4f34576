#include "lacuna/mask/empirical.hpp"

#include <set>

#include "catch.hpp"
#include "lacuna/mask/partition.hpp"
#include "mask/maker.hpp"

using namespace lacuna;
using namespace lacuna::mask;

TEST_CASE("Empirical: without shift and flip a donor's gaps are laid over the sample as they are") {
  Owned o{2, 2, 3, 1};
  o.draw(0, 1, "#.####").draw(1, 1, "###.##");
  const auto windows = windows_of(o.view(), std::vector<int>{0, 1}, 1);
  const Empirical policy(windows, {.shift = false, .flip_x = false});
  for (std::uint64_t s = 0; s < 10; ++s) {
    const auto d = policy.draw(test_key, s, windows[0]);  // its own mask would leave the query empty
    CHECK(d.in_query({0, 1, 0, 0, 0}));
    CHECK(d.in_context({0, 0, 0, 0, 0}));
    CHECK(d.in_context({0, 0, 1, 0, 0}));
  }
}

TEST_CASE("Empirical: shifts wrap on periodic grids, and let observed cells in on others") {
  for (const bool periodic : {true, false}) {
    Owned o{2, 1, 5, 1, periodic};
    o.draw(0, 1, "####.");
    const auto windows = windows_of(o.view(), std::vector<int>{0, 1}, 1);
    const Empirical policy(windows, {.flip_x = false});
    CHECK(policy.donors() == 1);
    std::set<int> gaps;
    for (std::uint64_t s = 0; s < 100; ++s) {
      const auto d = policy.draw(test_key, s, windows[1]);
      int gap = -1, count = 0;
      for (int x = 0; x < 5; ++x)
        if (d.in_query({0, 0, x, 0, 0})) gap = x, ++count;
      CHECK(count == 1);  // redrawn when the gap has left the grid
      gaps.insert(gap);
    }
    CHECK(gaps == (periodic ? std::set<int>{0, 1, 2, 3, 4} : std::set<int>{2, 3, 4}));
  }
}

TEST_CASE("Empirical: flips mirror the donor") {
  Owned o{2, 2, 3, 1};
  o.draw(0, 1, ".#####");
  const auto windows = windows_of(o.view(), std::vector<int>{0, 1}, 1);
  const Empirical policy(windows, {.shift = false, .flip_x = true, .flip_y = true});
  std::set<int> gaps;
  for (std::uint64_t s = 0; s < 100; ++s) {
    const auto d = policy.draw(test_key, s, windows[1]);
    for (int i = 0; i < 6; ++i)
      if (d.in_query({0, i / 3, i % 3, 0, 0})) gaps.insert(i);
  }
  CHECK(gaps == std::set<int>{0, 2, 3, 5});
}

TEST_CASE("Empirical: groups of a sample keep the donor's joint structure; land is never transplanted") {
  Owned o{4, 1, 4, 1};
  o.draw(0, 1, ".##.").draw(1, 1, "#.#.").draw(2, 1, "##..").draw(3, 1, "###.");  // the last column is land
  const auto windows = windows_of(o.view(), std::vector<int>{0, 2}, 2);
  REQUIRE(windows[0].groups.count == 2);
  const Empirical policy({windows.data(), 1}, {.shift = false, .flip_x = false});
  const auto d = policy.draw(test_key, 0, windows[1]);
  CHECK(d.in_query({0, 0, 0, 0, 0}));
  CHECK(d.in_query({1, 0, 1, 0, 1}));
  CHECK(d.in_context({1, 0, 0, 0, 1}));
  CHECK(d.in_context({0, 0, 3, 0, 0}));
}

TEST_CASE("Empirical: equal masks, no masks and other grids are refused") {
  Owned o{4, 2, 2, 1};
  const std::vector<int> starts{0, 2};
  CHECK_THROWS_AS(Empirical(windows_of(o.view(), starts, 2)), OptionError);
  o.draw(0, 4, "#.##");  // never observed: static, not a gap
  CHECK_THROWS_AS(Empirical(windows_of(o.view(), starts, 2)), OptionError);
  CHECK_THROWS_AS(Empirical(std::vector<Window>{}), OptionError);
  o.draw(0, 1, "##.#");
  const Empirical policy(windows_of(o.view(), starts, 2));
  const Owned other{2, 3, 2, 1};
  CHECK_THROWS_AS(policy.draw(test_key, 0, window_of(other.view(), 0, 2)), ShapeError);
}

TEST_CASE("Empirical: nothing observed gives an empty split, and copies share the donors") {
  Owned o = cloud_masks(4, 8, 8, 1, 1, 2, 3);
  o.draw(3, 1, std::string(64, '.'));
  const auto windows = windows_of(o.view(), std::vector<int>{0, 1, 2, 3}, 1);
  const Empirical policy(windows);
  const Empirical copy = policy;
  Partition p, q;
  partition(policy, test_key, 0, windows[3], {0, 0, 8, 8}, p);
  CHECK(p.context_count + p.query_count == 0);
  partition(policy, test_key, 5, windows[0], {0, 0, 8, 8}, p);
  partition(copy, test_key, 5, windows[0], {0, 0, 8, 8}, q);
  CHECK(p.context == q.context);
  CHECK((p.context_count > 0 && p.query_count > 0));
}
