#include "lacuna/data/picture_canvas.hpp"

#include "catch.hpp"

using namespace lacuna::data;

TEST_CASE("Colour maps begin and end at their anchors and grow lighter all the way") {
  for (const ColourMap& map : {viridis, magma}) {
    CHECK(colour_at(map, -3) == map.front());
    CHECK(colour_at(map, 0) == map.front());
    CHECK(colour_at(map, 7) == map.back());
    CHECK(colour_at(map, 0.5) == map[4]);
    double before = -1;
    for (int i = 0; i <= 64; ++i) {
      const Colour c = colour_at(map, i / 64.0);
      const double lightness = 0.2126 * c.red + 0.7152 * c.green + 0.0722 * c.blue;
      CHECK(lightness > before);
      before = lightness;
    }
  }
}

TEST_CASE("Every character has dots of its own, and drawing outside is dropped") {
  for (char a = '!'; a <= '~'; ++a) {
    CHECK(glyph(a) != glyph(' '));
    for (char b = '!'; b < a; ++b) CHECK(glyph(a) != glyph(b));
  }
  CHECK(glyph('\xC2') == glyph('?'));
  Canvas c(20, 20);
  c.write(-3, 15, "gap", {0, 0, 0});
  c.fill(15, 15, 100, 100, {1, 2, 3});
  CHECK(c.at(19, 19) == Colour{1, 2, 3});
}

TEST_CASE("Text is as wide as it says") {
  Canvas c(60, 20);
  c.write(0, 0, "MM", {0, 0, 0}, 2);
  CHECK(Canvas::text_width("MM", 2) == 24);
  CHECK(c.at(0, 0) == Colour{0, 0, 0});
  CHECK(c.at(21, 0) == Colour{0, 0, 0});
  for (int x = 22; x < 60; ++x) CHECK(c.at(x, 0) == Colour{255, 255, 255});
}
