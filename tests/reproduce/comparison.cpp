#include "reproduce/comparison.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"

using namespace lacuna;
using experiment::draw_comparison;

TEST_CASE("a comparison has a panel for truth, observed and each method, and one for each error") {
  const std::vector<float> truth{0, 1, 2, 3}, gappy{0, 1, 2, std::nanf("")};
  const auto width = [&](std::size_t methods) {
    std::vector<experiment::Panel> panels(methods, {"method", truth});
    return draw_comparison("title", 2, 2, truth, gappy, panels).width();
  };
  CHECK(width(3) - width(2) == width(2) - width(1));
  CHECK(width(2) > width(1));
  // The error of an exact fill is black, the largest error of a wrong one is the map's last colour.
  std::vector<float> wrong = truth;
  wrong[3] += 1;
  const auto canvas = draw_comparison("title", 2, 2, truth, gappy, {{"exact", truth}, {"wrong", wrong}});
  std::size_t black = 0, bright = 0;
  for (int y = canvas.height() / 2 + 10; y < canvas.height(); ++y)
    for (int x = 0; x < canvas.width(); ++x) {
      const auto c = canvas.at(x, y);
      black += c.red < 5 && c.green < 5 && c.blue < 10 ? 1 : 0;
      bright += c.red > 245 && c.green > 245 && c.blue > 150 && c.blue < 250 ? 1 : 0;
    }
  CHECK(black > 6 * 90 * 90);  // seven of eight cells
  CHECK(bright > 90 * 90 / 2);
  CHECK_THROWS_AS(draw_comparison("title", 2, 2, truth, gappy, {{"short", {1, 2}}}), ShapeError);
}

TEST_CASE("a label of a comparison keeps to its own column, in as many lines as it takes") {
  CHECK(experiment::wrapped("ours", 60) == std::vector<std::string>{"ours"});
  CHECK(experiment::wrapped("one two three", 6 * 7) == std::vector<std::string>{"one two", "three"});
  CHECK(experiment::wrapped("a unbreakable b", 6 * 5) == std::vector<std::string>{"a", "unbreakable", "b"});
  const std::vector<float> truth(16, 1.0f);
  const std::string words = "ours, random ratio, kriging background, in twenty steps of log-SNR";
  const auto drawn = [&](const std::string& label, const std::string& next) {
    return draw_comparison("title", 4, 4, truth, truth, {{label, truth}, {next, truth}});
  };
  // Whether the second method's label is drawn changes nothing left of it, the first one's nothing right of it.
  const auto both = drawn(words, words), one = drawn(words, ""), other = drawn("", words);
  REQUIRE(both.height() == one.height());
  int first = both.width(), last = 0;
  for (int y = 0; y < both.height(); ++y)
    for (int x = 0; x < both.width(); ++x) {
      if (both.at(x, y).red != one.at(x, y).red) first = std::min(first, x);
      if (both.at(x, y).red != other.at(x, y).red) last = std::max(last, x);
    }
  CHECK(last > 0);
  CHECK(last < first);
  CHECK(both.height() > drawn("ours", "ours").height());
}

TEST_CASE("a comparison of many methods makes bands") {
  const std::vector<float> truth(16, 1.0f);
  const auto size = [&](std::size_t methods) {
    const auto canvas = draw_comparison("title", 4, 4, truth, truth, std::vector<experiment::Panel>(methods, {"method", truth}));
    return std::pair(canvas.width(), canvas.height());
  };
  CHECK(size(7).first == size(6).first);
  CHECK(size(6).second == size(1).second);
  CHECK(size(12).second == size(7).second);
  CHECK(size(13).second - size(7).second == size(7).second - size(6).second);
}
