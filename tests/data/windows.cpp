#include "lacuna/data/windows.hpp"

#include "catch.hpp"
#include "support/probe.hpp"

using lacuna::OptionError;
using lacuna::data::window_starts;
using Starts = std::vector<int>;

TEST_CASE("Windows: side by side, and a last overlapping one for the remainder") {
  CHECK(window_starts(9, {.length = 3}) == Starts{0, 3, 6});
  CHECK(window_starts(10, {.length = 3}) == Starts{0, 3, 6, 7});
  CHECK(window_starts(11, {.length = 3}) == Starts{0, 3, 6, 8});
  CHECK(window_starts(3, {.length = 3}) == Starts{0});
  CHECK(window_starts(4, {.length = 3}) == Starts{0, 1});
  CHECK(window_starts(3, {.length = 1}) == Starts{0, 1, 2});
}

TEST_CASE("Windows: a stride") {
  CHECK(window_starts(6, {.length = 3, .stride = 1}) == Starts{0, 1, 2, 3});
  CHECK(window_starts(8, {.length = 4, .stride = 3}) == Starts{0, 3, 4});
}

TEST_CASE("Windows: every frame is in a window, and no window ends beyond the data") {
  for (int frames = 1; frames <= 20; ++frames)
    for (int length = 1; length <= frames; ++length)
      for (int stride = 1; stride <= length; ++stride) {
        std::vector<int> seen(static_cast<std::size_t>(frames), 0);
        int before = -1;
        for (const int start : window_starts(frames, {.length = length, .stride = stride})) {
          REQUIRE(start > before);
          REQUIRE(start + length <= frames);
          for (int t = start; t < start + length; ++t) ++seen[static_cast<std::size_t>(t)];
          before = start;
        }
        for (const int n : seen) REQUIRE(n > 0);
      }
}

TEST_CASE("Windows: nonsense is refused in one line") {
  const auto message = [](int frames, const lacuna::data::WindowSettings& settings) {
    return lacuna::test::message_of<OptionError>([&] { window_starts(frames, settings); });
  };
  CHECK(message(2, {.length = 3}) == "windows: the data has 2 frames, fewer than a window of 3; expected window.length up to 2");
  CHECK(message(9, {.length = 3, .stride = 4}) ==
        "windows: length 3 and stride 4, expected 1 <= stride <= length (a longer stride would leave frames out)");
  CHECK_THROWS_AS(window_starts(9, {.length = 0}), OptionError);
  CHECK_THROWS_AS(window_starts(9, {.length = 3, .stride = -1}), OptionError);
}
