#pragma once

#include "kernels/conditioned_linear.cuh"
#include "kernels/gated_add.cuh"
#include "kernels/spectral_mixing.cuh"
#include "lacuna/cuda/ops.hpp"
#include "lacuna/cuda/spectral.hpp"
#include "lacuna/ops/conditioned_linear.hpp"
#include "lacuna/ops/gated_add.hpp"
#include "lacuna/ops/pointwise_linear.hpp"
#include "lacuna/ops/spectral_convolution.hpp"

// What the ops of the Fourier neural operator compute on a GPU, by the rules of ops.hpp.

namespace lacuna::cuda {

template <class T, class S>
void pointwise_linear_forward(Graph& graph, const ops::LinearParameters& layer, const S* x, std::size_t cells, S* y,
                              ops::Into into) {
  auto& p = graph.parameters();
  const WeightIn<S> weight(graph, p.value(layer.weight), layer.weight.size);
  multiply<S>(graph,
              {.rows = static_cast<int>(cells),
               .columns = layer.outputs,
               .depth = layer.inputs,
               .transpose_b = true,
               .add = into == ops::Into::added},
              x, weight, y);
  if (layer.bias.size > 0) add_bias(graph, y, p.value(layer.bias), cells, layer.outputs);
}

/// grad_bias may be null.
template <class T, class S>
void pointwise_parameter_gradients(Graph& graph, std::size_t rows, const S* x, int inputs, const S* grad_y, int outputs,
                                   T* grad_weight, std::ptrdiff_t weight_row, T* grad_bias) {
  add_transposed_product(graph, grad_y, outputs, x, inputs, rows, grad_weight, static_cast<int>(weight_row));
  if (grad_bias != nullptr) add_column_sums(graph, grad_y, rows, outputs, grad_bias);
}

template <class T, class S>
void pointwise_input_gradient(Graph& graph, const Variable<S>& x, ops::Strided<const T> weight, const S* grad_y, int outputs) {
  const auto grad_x = ops::gradient_target(graph, x);
  const WeightIn<S> w(graph, weight.data, static_cast<std::size_t>(outputs) * static_cast<std::size_t>(weight.row));
  multiply<S>(graph,
              {.rows = static_cast<int>(x.shape.cells()),
               .columns = x.shape.channels,
               .depth = outputs,
               .add = grad_x.into == ops::Into::added,
               .row_b = static_cast<int>(weight.row)},
              grad_y, w, grad_x.data);
}

template <class T, class S>
void gated_add_forward(Graph& graph, Parameter gate, const Variable<S>& x, S* sum) {
  if (graph.dry()) return;
  auto operands = norm_operands(graph, gate, x);
  operands.result = sum;
  kernels::gated_add(stream_of(graph), operands);
}
template <class T, class S>
void gated_add_backward(Graph& graph, Parameter gate, const Variable<S>& x, const S* grad_sum, ops::GradientTarget<S> grad_x) {
  auto operands = norm_operands(graph, gate, x);
  const Workspace<float> sums(graph, norm_sums(operands));
  if (graph.dry()) return;
  operands.other = grad_sum;
  operands.result = grad_x.data;
  operands.sums = sums;
  kernels::gated_add_backward(stream_of(graph), operands, grad_x.into == ops::Into::added, graph.parameters().gradient(gate));
}

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

inline kernels::SpectralMixing mixing(const ops::SpectralParameters& layer, int blocks) {
  return {blocks, ops::kept_modes(layer.modes), layer.inputs, layer.outputs};
}
inline void mix_modes_forward(Graph& graph, const ops::SpectralParameters& layer, int blocks, const float* x, float* y) {
  if (graph.dry()) return;
  kernels::spectral_mixing_forward(stream_of(graph), mixing(layer, blocks), x, graph.parameters().value(layer.weight), y);
}
inline void mix_modes_backward(Graph& graph, const ops::SpectralParameters& layer, int blocks, const float* x,
                               const float* grad_y, float* grad_x) {
  if (graph.dry()) return;
  auto& p = graph.parameters();
  const auto sizes = mixing(layer, blocks);
  kernels::spectral_mixing_weight_gradient(stream_of(graph), sizes, x, grad_y, p.gradient(layer.weight));
  kernels::spectral_mixing_input_gradient(stream_of(graph), sizes, grad_y, p.value(layer.weight), grad_x);
}

}  // namespace lacuna::cuda
