#include "lacuna/validation/validation_data.hpp"

#include <algorithm>

#include "catch.hpp"
#include "support/waves.hpp"

using namespace lacuna;
using validation::windows_to_score;

namespace {

struct Kept {
  data::Fields available = waves::make(90, 2, waves::Gaps::pixels);
  std::vector<float> truth = available.values;
  std::vector<std::uint8_t> withheld = std::vector<std::uint8_t>(available.values.size(), 0);

  /// Sets a value aside.
  void keep(int t, int y, int x, int v) {
    withheld[available.index(t, y, x, v)] = 1;
    available.at(t, y, x, v) = data::not_observed;
  }
  validation::ValidationData evidence(const data::WindowSettings& windows = {}) const {
    return {available, truth, withheld, windows};
  }
};

std::vector<int> numbers(const std::vector<validation::ScoredWindow>& windows) {
  std::vector<int> found;
  for (const auto& w : windows) found.push_back(w.window);
  return found;
}

}  // namespace

TEST_CASE("the windows that are scored are evenly spread over those that hold withheld values") {
  Kept kept;
  for (int t = 0; t < 90; t += 6) kept.keep(t, 5, 5, 0);  // every second window
  CHECK(numbers(windows_to_score(kept.evidence(), 3)) == std::vector<int>{4, 14, 24});
  CHECK(windows_to_score(kept.evidence()).size() == 15);
  CHECK(windows_to_score(Kept{}.evidence()).empty());
  CHECK(validation::scored_values(kept.evidence(), windows_to_score(kept.evidence(), 3)) == 3);
}

TEST_CASE("the windows that are scored show every variable's gaps and lost planes") {
  Kept kept;
  for (int t = 0; t < 90; ++t) kept.keep(t, 5, 5, 0);
  for (int i = 0; i < 144; ++i) kept.keep(40, i / 12, i % 12, 1);  // frame 40, in window 13
  const auto windows = windows_to_score(kept.evidence(), 4);
  CHECK(windows.size() == 5);
  const auto found = numbers(windows);
  CHECK(std::find(found.begin(), found.end(), 13) != found.end());
}

TEST_CASE("windows that overlap score each frame once") {
  Kept kept;
  for (int t = 0; t < 90; ++t) kept.keep(t, 5, 5, 0);
  for (const int stride : {1, 2, 3}) {
    int end = 0;
    for (const auto& w : windows_to_score(kept.evidence({.length = 3, .stride = stride}), 20)) {
      CHECK(w.frames.begin >= end);
      CHECK(w.frames.begin >= w.window * stride);
      CHECK(w.frames.end == w.window * stride + 3);
      end = w.frames.end;
    }
  }
  // All windows: every value once.
  const auto sliding = kept.evidence({.length = 3, .stride = 1});
  CHECK(validation::scored_values(sliding, windows_to_score(sliding, 1000)) == 90);
}
