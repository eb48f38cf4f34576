#pragma once

#include "kernels/conditioned_linear.cuh"
#include "lacuna/cuda/ops/pointwise_linear.hpp"
#include "lacuna/ops/conditioned_linear.hpp"

namespace lacuna::cuda {

template <class T, class S>
kernels::Conditioning conditioning(const ops::ConditionedOperands<T, S>& o) {
  return {o.grid(), o.x.shape.batch, o.layer.outputs, o.axes, static_cast<std::size_t>(o.layer.inputs)};
}

template <class T, class S>
void conditioned_linear_forward(Graph& graph, const ops::ConditionedOperands<T, S>& o, S* y) {
  auto& p = graph.parameters();
  const int inputs = o.layer.inputs, outputs = o.layer.outputs, batch = o.x.shape.batch;
  const float* weight = p.value(o.layer.weight);
  {
    const WeightIn<S> of_x(graph, weight, o.layer.weight.size);
    multiply<S>(graph,
                {.rows = static_cast<int>(o.x.shape.cells()),
                 .columns = outputs,
                 .depth = o.x.shape.channels,
                 .transpose_b = true,
                 .row_b = inputs},
                o.x.data, of_x, y);
  }
  const bool timed = o.width() > 0;
  const Workspace<float> features(graph, timed ? static_cast<std::size_t>(batch) * static_cast<std::size_t>(outputs) : 0);
  if (timed)
    multiply<float>(
        graph, {.rows = batch, .columns = outputs, .depth = o.width(), .transpose_b = true, .row_b = inputs, .unaligned = true},
        o.features.data, weight + o.first_feature(), features);
  if (graph.dry()) return;
  const float* const offsets = features;
  kernels::condition<S>(stream_of(graph), conditioning(o), p.value(o.layer.bias), timed ? offsets : nullptr,
                        weight + o.first_axis(), y);
}

template <class T, class S>
void conditioned_linear_backward(Graph& graph, const ops::ConditionedOperands<T, S>& o, const S* grad_y,
                                 ops::InputGradient input_gradient) {
  auto& p = graph.parameters();
  const int inputs = o.layer.inputs, outputs = o.layer.outputs, batch = o.x.shape.batch;
  const float* weight = p.value(o.layer.weight);
  float* grad_weight = p.gradient(o.layer.weight);
  pointwise_parameter_gradients<T, S>(graph, o.x.shape.cells(), o.x.data, o.x.shape.channels, grad_y, outputs, grad_weight,
                                      inputs, nullptr);
  const auto sizes = conditioning(o);
  const Workspace<float> sums(graph, sizes.sums());  // (B, 1 + axes, out): of grad_y, and of it times the coordinates
  {
    const Workspace<float> partial(graph, sizes.template workspace<S>());
    if (!graph.dry())
      kernels::condition_backward<S>(stream_of(graph), sizes, grad_y, partial, sums, p.gradient(o.layer.bias),
                                     grad_weight + o.first_axis());
  }
  if (o.width() > 0) {
    const int apart = (o.axes + 1) * outputs;
    multiply<float>(graph,
                    {.rows = outputs,
                     .columns = o.width(),
                     .depth = batch,
                     .transpose_a = true,
                     .add = true,
                     .row_a = apart,
                     .row_c = inputs,
                     .unaligned = true},
                    sums, o.features.data, grad_weight + o.first_feature());
    float* grad_features = graph.take<float>(o.features.shape.size());
    multiply<float>(graph,
                    {.rows = batch, .columns = o.width(), .depth = outputs, .row_a = apart, .row_b = inputs, .unaligned = true},
                    sums, weight + o.first_feature(), grad_features);
    graph.contribute(o.features, grad_features);
  }
  if (input_gradient == ops::InputGradient::computed)
    pointwise_input_gradient<T, S>(graph, o.x, {weight, inputs}, grad_y, outputs);
}

}  // namespace lacuna::cuda
