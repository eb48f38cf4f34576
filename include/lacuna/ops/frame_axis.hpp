#pragma once

#include <algorithm>

#include "lacuna/autograd/graph.hpp"

namespace lacuna::ops {

/// @brief Channels that hold frames: `kinds` groups of frames x variables (contexts, values, ...), then `shared` ones, which
/// belong to all frames alike.
struct FrameChannels {
  int frames = 1, variables = 1, kinds = 1, shared = 0;

  int packed() const { return frames * variables * kinds + shared; }
  int per_frame() const { return variables * kinds + shared; }
};

/// @brief Calls visit(offset in the packed image, offset in the frame's image, count) for every run of channels of one frame.
template <class Visit>
void for_frame_runs(const FrameChannels& c, int frame, const Visit& visit) {
  for (int kind = 0; kind < c.kinds; ++kind) visit((kind * c.frames + frame) * c.variables, kind * c.variables, c.variables);
  visit(c.frames * c.variables * c.kinds, c.kinds * c.variables, c.shared);
}

/// @brief Makes frames an axis where they are channels; the shared channels are copied to every frame.
///
/// Shapes: x (B,1,H,W, kinds x frames x variables + shared) -> (B,frames,H,W, kinds x variables + shared).
/// Gradient: none, x is data. NaN: copied. Throws: ShapeError.
template <class T>
Variable<T> unpack_frames(Graph<T>& graph, const Variable<T>& x, const FrameChannels& c) {
  require<ShapeError>(x.shape.frames == 1 && x.shape.channels == c.packed(), "unpack_frames: input has shape ", x.shape,
                      ", expected one frame of ", c.packed(), " channels");
  Shape shape = x.shape;
  shape.frames = c.frames;
  shape.channels = c.per_frame();
  const auto scope = graph.op("unpack_frames", {.forward = x.shape.size() + shape.size()});
  const auto y = graph.make(shape);
  if (!graph.dry()) {
    const std::ptrdiff_t cells = static_cast<std::ptrdiff_t>(x.shape.height) * x.shape.width;
    parallel_for(graph.device().threads(), shape.images(), [&](int image) {
      for (std::ptrdiff_t cell = 0; cell < cells; ++cell) {
        const T* from = x.data + (image / c.frames * cells + cell) * c.packed();
        T* to = y.data + (image * cells + cell) * c.per_frame();
        for_frame_runs(c, image % c.frames, [&](int a, int b, int count) { std::copy_n(from + a, count, to + b); });
      }
    });
  }
  graph.record([&graph, y] { graph.finish(y); });
  return y;
}

/// @brief The inverse for an estimate: frames become channels.
///
/// Shapes: x (B,F,H,W,V) -> (B,1,H,W, F x V). Gradient: the same copy backwards. NaN: copied.
template <class T>
Variable<T> pack_frames(Graph<T>& graph, const Variable<T>& x) {
  const int frames = x.shape.frames, variables = x.shape.channels;
  Shape shape = x.shape;
  shape.frames = 1;
  shape.channels = frames * variables;
  const auto scope = graph.op("pack_frames", {.forward = 2 * x.shape.size(), .backward = 2 * x.shape.size()});
  const auto y = graph.make(shape);
  const auto copy = [&graph, shape, frames, variables](const T* from, T* to, bool packing) {
    const std::ptrdiff_t cells = static_cast<std::ptrdiff_t>(shape.height) * shape.width;
    parallel_for(graph.device().threads(), shape.batch, [&](int b) {
      for (std::ptrdiff_t f = 0; f < frames; ++f)
        for (std::ptrdiff_t cell = 0; cell < cells; ++cell) {
          const std::ptrdiff_t apart = ((b * frames + f) * cells + cell) * variables,
                               packed = ((b * cells + cell) * frames + f) * variables;
          std::copy_n(from + (packing ? apart : packed), variables, to + (packing ? packed : apart));
        }
    });
  };
  if (!graph.dry()) copy(x.data, y.data, true);
  graph.record([&graph, x, y, copy] {
    T* grad_x = graph.take(x.shape.size());
    if (!graph.dry()) copy(y.node->gradient, grad_x, false);
    graph.contribute(x, grad_x);
    graph.finish(y);
  });
  return y;
}

}  // namespace lacuna::ops
