#include "lacuna/ops/frame_axis.hpp"

#include "catch.hpp"
#include "support/compare.hpp"
#include "support/fill.hpp"

using namespace lacuna;

namespace {

/// A number that tells where it stands.
float label(int batch, int cell, int kind, int frame, int variable) {
  return static_cast<float>((((batch * 100 + cell) * 10 + kind) * 10 + frame) * 10 + variable);
}

}  // namespace

TEST_CASE("Frames become an axis: each gets its own channels of every kind, and the shared ones") {
  constexpr ops::FrameChannels channels{.frames = 3, .variables = 2, .kinds = 2, .shared = 1};
  constexpr int batch = 2, cells = 6;
  cpu::Device device({.threads = 1});
  Parameters<float> parameters;
  Graph<float> graph(device, parameters, Mode::infer);
  const auto x = graph.make({batch, 1, 2, 3, channels.packed()});
  float* to = x.data;
  for (int b = 0; b < batch; ++b)
    for (int cell = 0; cell < cells; ++cell) {
      for (int kind = 0; kind < 2; ++kind)
        for (int frame = 0; frame < 3; ++frame)
          for (int v = 0; v < 2; ++v) *to++ = label(b, cell, kind, frame, v);
      *to++ = -label(b, cell, 0, 0, 0);
    }
  const auto y = ops::unpack_frames(graph, x, channels);
  REQUIRE(y.shape == Shape{batch, 3, 2, 3, channels.per_frame()});
  const float* at = y.data;
  for (int b = 0; b < batch; ++b)
    for (int frame = 0; frame < 3; ++frame)
      for (int cell = 0; cell < cells; ++cell) {
        for (int kind = 0; kind < 2; ++kind)
          for (int v = 0; v < 2; ++v) CHECK(*at++ == label(b, cell, kind, frame, v));
        CHECK(*at++ == -label(b, cell, 0, 0, 0));
      }
  const auto wrong = graph.make({batch, 1, 2, 3, 4});
  CHECK_THROWS_AS(ops::unpack_frames(graph, wrong, channels), ShapeError);
}

TEST_CASE("Frames become channels: frame by frame, and the gradient goes back the same way") {
  cpu::Device device({.threads = 1});
  Parameters<float> parameters;
  Graph<float> graph(device, parameters, Mode::train);
  const Shape shape{2, 3, 2, 2, 2};
  const auto x = graph.make(shape);
  for (std::size_t i = 0; i < shape.size(); ++i) x.data[i] = static_cast<float>(i);
  const auto y = ops::pack_frames(graph, x);
  REQUIRE(y.shape == Shape{2, 1, 2, 2, 6});
  const auto at = [](int b, int f, int cell, int v) { return ((b * 3 + f) * 4 + cell) * 2 + v; };
  for (int b = 0; b < 2; ++b)
    for (int cell = 0; cell < 4; ++cell)
      for (int f = 0; f < 3; ++f)
        for (int v = 0; v < 2; ++v) CHECK(y.data[((b * 4 + cell) * 3 + f) * 2 + v] == static_cast<float>(at(b, f, cell, v)));
  float* gradient = graph.take(y.shape.size());
  std::copy_n(y.data, y.shape.size(), gradient);
  const std::vector<float> expected(x.data, x.data + shape.size());
  graph.contribute(y, gradient);
  graph.backward();
  CHECK(std::vector<float>(x.node->gradient, x.node->gradient + shape.size()) == expected);
}
