#pragma once

#include "lacuna/cuda/epilogue.hpp"
#include "lacuna/cuda/ops/column_sums.hpp"
#include "lacuna/cuda/products.hpp"
#include "lacuna/ops/pointwise_linear.hpp"

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

}  // namespace lacuna::cuda
