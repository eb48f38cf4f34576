#include "lacuna/core/shape.hpp"

#include <sstream>

#include "catch.hpp"

using lacuna::Shape;

TEST_CASE("A shape counts its positions, images and scalars") {
  const Shape s{.batch = 2, .frames = 3, .height = 4, .width = 5, .channels = 7};
  CHECK(s.images() == 6);
  CHECK(s.pixels() == 20);
  CHECK(s.cells() == 120);
  CHECK(s.size() == 840);
  CHECK(Shape{}.size() == 1);
}

TEST_CASE("A shape larger than 32-bit indices is counted without overflow") {
  const Shape s{.batch = 1 << 10, .frames = 1 << 5, .height = 1 << 12, .width = 1 << 12, .channels = 64};
  CHECK(s.cells() == std::size_t{1} << 39);
  CHECK(s.size() == std::size_t{1} << 45);
}

TEST_CASE("An empty extent makes an empty shape") { CHECK(Shape{.batch = 0, .height = 4}.size() == 0); }

TEST_CASE("with_channels changes the channels alone") {
  const Shape s{.batch = 2, .frames = 3, .height = 4, .width = 5, .channels = 7};
  CHECK(s.with_channels(1) == Shape{.batch = 2, .frames = 3, .height = 4, .width = 5, .channels = 1});
  CHECK(s.with_channels(7) == s);
  CHECK(s.with_channels(8) != s);
}

TEST_CASE("A shape prints in the order of memory") {
  std::ostringstream out;
  out << Shape{.batch = 2, .frames = 3, .height = 4, .width = 5, .channels = 7};
  CHECK(out.str() == "(2, 3, 4, 5, 7)");
}

TEST_CASE("A wrong shape is an error that names the operation, the operand and both shapes") {
  const Shape given{.batch = 2}, expected{.batch = 3};
  CHECK_NOTHROW(lacuna::require_shape("add", "left", given, given));
  CHECK_THROWS_AS(lacuna::require_shape("add", "left", given, expected), lacuna::ShapeError);
  try {
    lacuna::require_shape("add", "left", given, expected);
  } catch (const lacuna::ShapeError& error) {
    CHECK(std::string(error.what()) == "add: left has shape (2, 1, 1, 1, 1), expected (3, 1, 1, 1, 1)");
  }
}
