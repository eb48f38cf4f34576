#pragma once

#include "kernels/frame_axis.cuh"
#include "lacuna/cuda/graph.hpp"
#include "lacuna/ops/frame_axis.hpp"

namespace lacuna::cuda {

template <class S>
void unpack_frames_forward(Graph& graph, const S* x, const Shape& shape, const ops::FrameChannels& c, S* y) {
  if (!graph.dry()) kernels::unpack_frames(stream_of(graph), x, shape, c, y);
}
template <class S>
void pack_frames_forward(Graph& graph, const S* x, const Shape& shape, const ops::FrameChannels& c, S* y) {
  if (!graph.dry()) kernels::pack_frames(stream_of(graph), x, shape, c, y);
}

}  // namespace lacuna::cuda
