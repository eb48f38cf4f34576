#include "lacuna/ops/convolution_geometry.hpp"

#include "catch.hpp"
#include "support/probe.hpp"

using namespace lacuna;
using ops::convolution_output;

TEST_CASE("Convolution geometry: output extents") {
  const Shape x{.batch = 2, .frames = 3, .height = 9, .width = 10, .channels = 4};
  const auto extents = [](const Shape& s) { return std::pair(s.height, s.width); };
  CHECK(convolution_output(x, 7, 3, 1, 1, false) == Shape{.batch = 2, .frames = 3, .height = 9, .width = 10, .channels = 7});
  CHECK(extents(convolution_output(x, 7, 1, 1, 0, false)) == std::pair(9, 10));
  CHECK(extents(convolution_output(x, 7, 4, 2, 1, false)) == std::pair(4, 5));
  CHECK(extents(convolution_output(x, 7, 5, 1, 0, false)) == std::pair(5, 6));
  CHECK(extents(convolution_output(x, 7, 4, 2, 1, true)) == std::pair(18, 20));
}

TEST_CASE("Convolution geometry: a kernel larger than the padded image is refused") {
  CHECK(test::message_of<ShapeError>([] { convolution_output({.height = 2, .width = 9}, 1, 5, 1, 1, false); }) ==
        "convolution: input (1, 1, 2, 9, 1) is smaller than the 5 x 5 kernel");
  CHECK(convolution_output({.height = 3, .width = 3}, 1, 5, 1, 1, false).height == 1);
}

TEST_CASE("Convolution geometry: keys tell apart whatever selects another plan, and only that") {
  const Shape x{.batch = 2, .frames = 3, .height = 8, .width = 8, .channels = 4};
  const ops::ConvolutionGeometry g{x, convolution_output(x, 5, 3, 1, 1, false)};
  auto images = g;
  images.input.batch = 6, images.input.frames = 1;
  images.output.batch = 6, images.output.frames = 1;
  CHECK(images.key() == g.key());
  for (auto change :
       {+[](ops::ConvolutionGeometry& c) { c.input.channels = 1; }, +[](ops::ConvolutionGeometry& c) { c.output.channels = 1; },
        +[](ops::ConvolutionGeometry& c) { c.input.batch = 1; }, +[](ops::ConvolutionGeometry& c) { c.input.width = 1; },
        +[](ops::ConvolutionGeometry& c) { c.kernel = 5; }, +[](ops::ConvolutionGeometry& c) { c.stride = 2; },
        +[](ops::ConvolutionGeometry& c) { c.padding = 0; }, +[](ops::ConvolutionGeometry& c) { c.transposed = true; },
        +[](ops::ConvolutionGeometry& c) { c.accumulate = true; }}) {
    auto changed = g;
    change(changed);
    CHECK(changed.key() != g.key());
  }
}
