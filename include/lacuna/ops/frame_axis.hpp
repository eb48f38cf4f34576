#pragma once

#include <algorithm>

#include "lacuna/autograd/graph.hpp"
#include "lacuna/ops/frame_channels.hpp"

namespace lacuna::ops {

/// @brief Calls copy(offset in the packed images, offset in the frames' images, count) for every run of channels of every frame;
/// `shape`: of the frames' images.
template <class T, class Copy>
void for_frame_runs(Graph<T>& graph, const Shape& shape, const FrameChannels& c, const Copy& copy) {
  const std::ptrdiff_t cells = shape.pixels();
  parallel_for(graph.device().threads(), shape.images(), [&](int image) {
    const int frame = image % c.frames, own = c.kinds * c.variables;
    for (std::ptrdiff_t cell = 0; cell < cells; ++cell) {
      const std::ptrdiff_t packed = (image / c.frames * cells + cell) * c.packed(),
                           apart = (image * cells + cell) * c.per_frame();
      for (int channel = 0; channel < own; channel += c.variables)
        copy(packed + packed_channel(c, frame, channel), apart + channel, c.variables);
      copy(packed + packed_channel(c, frame, own), apart + own, c.shared);
    }
  });
}

/// x: packed images -> y: the frames' images, of this shape.
template <class T, class S>
void unpack_frames_forward(Graph<T>& graph, const S* x, const Shape& shape, const FrameChannels& c, S* y) {
  if (graph.dry()) return;
  for_frame_runs(graph, shape, c,
                 [&](std::ptrdiff_t packed, std::ptrdiff_t apart, int count) { std::copy_n(x + packed, count, y + apart); });
}
/// x: the frames' images, of this shape -> y: packed images, without shared channels.
template <class T, class S>
void pack_frames_forward(Graph<T>& graph, const S* x, const Shape& shape, const FrameChannels& c, S* y) {
  if (graph.dry()) return;
  for_frame_runs(graph, shape, c,
                 [&](std::ptrdiff_t packed, std::ptrdiff_t apart, int count) { std::copy_n(x + apart, count, y + packed); });
}

/// @brief Makes frames an axis where they are channels; the shared channels are copied to every frame.
///
/// Shapes: x (B,1,H,W, kinds x frames x variables + shared) -> (B,frames,H,W, kinds x variables + shared).
/// Gradient: none, x is data. NaN: copied. Throws: ShapeError.
template <class T, class D, class S>
Variable<S> unpack_frames(Graph<T, D>& graph, const Variable<S>& x, const FrameChannels& c) {
  require<ShapeError>(x.shape.frames == 1 && x.shape.channels == c.packed(), "unpack_frames: input has shape ", x.shape,
                      ", expected one frame of ", c.packed(), " channels");
  Shape shape = x.shape;
  shape.frames = c.frames;
  shape.channels = c.per_frame();
  const auto scope = graph.template op<S>("unpack_frames", {.forward = x.shape.size() + shape.size()});
  const auto y = graph.template make<S>(shape);
  unpack_frames_forward(graph, x.data, shape, c, y.data);
  graph.record([&graph, y] { graph.finish(y); });
  return y;
}

/// @brief The inverse for an estimate: frames become channels.
///
/// Shapes: x (B,F,H,W,V) -> (B,1,H,W, F x V). Gradient: the same copy backwards. NaN: copied.
template <class T, class D, class S>
Variable<S> pack_frames(Graph<T, D>& graph, const Variable<S>& x) {
  const FrameChannels c{.frames = x.shape.frames, .variables = x.shape.channels};
  Shape shape = x.shape;
  shape.frames = 1;
  shape.channels = c.packed();
  const auto scope = graph.template op<S>("pack_frames", {.forward = 2 * x.shape.size(), .backward = 2 * x.shape.size()});
  const auto y = graph.template make<S>(shape);
  pack_frames_forward(graph, x.data, x.shape, c, y.data);
  graph.record([&graph, x, y, c] {
    S* grad_x = graph.template take<S>(x.shape.size());
    unpack_frames_forward(graph, static_cast<const S*>(y.node->gradient), x.shape, c, grad_x);
    graph.contribute(x, grad_x);
    graph.finish(y);
  });
  return y;
}

}  // namespace lacuna::ops
