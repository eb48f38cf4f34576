#include "canvas.cuh"

#include "catch.hpp"
#include "cuda_emulation/buffer.hpp"
#include "kernels/orders.hpp"
#include "kernels/scalars.hpp"
#include "lacuna/ops/canvas.hpp"
#include "support/probe.hpp"

using namespace lacuna;
using cuda_emulation::Buffer;
using ops::Border;

namespace {

constexpr Border all_borders[] = {Border::zero, Border::periodic, Border::replicated};

/// Images in a window, and what the CPU's op makes of them in float, from operands that S holds.
template <class S>
struct Case {
  Shape image, shown;
  ops::Window window;
  ops::Borders borders;
  std::vector<float> x, grad_y;
  test::Pass<float> expected;

  Case(const Shape& image_, const ops::Window& window_, const ops::Borders& borders_)
      : image(image_), shown(image_), window(window_), borders(borders_), x(test::normals_of<S>(image_.size(), 1)) {
    shown.height = window.height;
    shown.width = window.width;
    grad_y = test::normals_of<S>(shown.size(), 2);
    if (image.size() > 5) x[5] = test::nan<float>;
    cpu::Device device({.threads = 1});
    Parameters<float> none;
    expected = test::train_pass<float>(
        device, none, {{image, x}},
        [&](auto& graph, const auto& operands) { return canvas(graph, operands[0], window, borders); }, grad_y);
  }

  void check(std::size_t offset) const {
    INFO("image " << image << ", window " << window.top << ' ' << window.left << ' ' << window.height << ' ' << window.width
                  << ", borders " << static_cast<int>(borders.rows) << ' ' << static_cast<int>(borders.columns) << ", offset "
                  << offset << ", " << sizeof(S) << " bytes");
    Buffer<S> from(test::as<S>(x), offset), y(shown.size(), offset);
    kernels::canvas<S>({}, from, image, window, borders, y);
    CHECK(test::same_bits(y.content(), test::as<S>(expected.result)));
    CHECK(y.intact());
    Buffer<S> given(test::as<S>(grad_y), offset), grad_x(image.size(), offset);
    kernels::canvas_gradient<S>({}, given, image, window, borders, grad_x);
    CHECK(test::same_bits(grad_x.content(), test::as<S>(expected.operand_gradients[0])));
    CHECK(grad_x.intact());
  }
};

}  // namespace

TEMPLATE_TEST_CASE("Canvas kernels: show and hand back what the CPU does bit for bit, at every border, in every order", "", float,
                   Bfloat16) {
  for (const auto rows : all_borders)
    for (const auto columns : all_borders)
      for (const auto& window : {ops::Window{0, 0, 4, 8}, ops::Window{0, 0, 2, 4}, ops::Window{-1, -2, 6, 9},
                                 ops::Window{-4, 2, 9, 10}, ops::Window{1, 6, 2, 3}, ops::Window{-7, -9, 2, 3}}) {
        const Case<TestType> c({.batch = 2, .frames = 2, .height = 3, .width = 5, .channels = 3}, window, {rows, columns});
        test::in_every_order([&] { c.check(0); });
      }
}

TEMPLATE_TEST_CASE("Canvas kernels: any number of channels, aligned or not, images of one cell and more than a block holds", "",
                   float, Bfloat16) {
  for (const int channels : {1, 4, 7, 8, 24})
    for (const std::size_t offset : {0u, 1u, 4u}) {
      Case<TestType>({.batch = 2, .height = 11, .width = 13, .channels = channels}, {-1, -2, 14, 16},
                     {Border::replicated, Border::periodic})
          .check(offset);
      Case<TestType>({.channels = channels}, {-3, -1, 5, 4}, {Border::periodic, Border::replicated}).check(offset);
    }
}

TEST_CASE("Canvas kernels: elements that 32 bits cannot count are refused") {
  const Shape image{.batch = 64, .height = 4096, .width = 4096, .channels = 4};
  CHECK(test::message_of<ShapeError>([&] {
          kernels::canvas<float>({}, nullptr, image, {0, 0, 1, 1}, {}, nullptr);
        }) == "canvas: shape (64, 1, 4096, 4096, 4) has 4294967296 elements, expected fewer than 2^32");
}
