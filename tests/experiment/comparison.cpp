#include "lacuna/experiment/comparison.hpp"

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
