#pragma once

#include "kernels/rms_norm_parameters.cuh"
#include "kernels/rms_norm_silu.cuh"
#include "lacuna/cuda/norm_operands.hpp"
#include "lacuna/ops/rms_norm_silu.hpp"

namespace lacuna::cuda {

template <class T, class S>
void rms_norm_silu_forward(Graph& graph, const ops::NormOperands<T, S>& o, S* y) {
  if (graph.dry()) return;
  auto norm = norm_operands(graph, o.gain, o.x);
  norm.scale_shift = o.scale_shift.data;
  norm.other = o.residual.data;
  norm.result = y;
  kernels::norm_forward<S>(stream_of(graph), norm);
}
template <class T, class S>
void rms_norm_silu_backward(Graph& graph, const ops::NormOperands<T, S>& o, const S* grad_y, S* grad_x, T* grad_scale_shift) {
  auto norm = norm_operands(graph, o.gain, o.x);
  const Workspace<float> sums(graph, norm_sums(norm, 2));
  if (graph.dry()) return;
  norm.scale_shift = o.scale_shift.data;
  norm.other = grad_y;
  norm.result = grad_x;
  norm.sums = sums;
  kernels::norm_backward<S>(stream_of(graph), norm);
  // By name: nvcc 13.0 garbles such an argument in a template.
  const kernels::NormParameters parameters{.sums = sums,
                                           .gain = norm.gain,
                                           .scale_shift = norm.scale_shift,
                                           .grad_gain = graph.parameters().gradient(o.gain),
                                           .grad_scale_shift = grad_scale_shift,
                                           .batch = norm.batch,
                                           .channels = norm.channels,
                                           .runs = kernels::norm_runs<S>(norm.pixels, norm.channels)};
  kernels::norm_parameters(stream_of(graph), parameters);
}

}  // namespace lacuna::cuda
