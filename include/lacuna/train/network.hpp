#pragma once

#include "lacuna/autograd/graph.hpp"
#include "lacuna/core/error.hpp"
#include "lacuna/train/input.hpp"

namespace lacuna::train {

/// @brief What a network is made for: the channels that it is given, and the least rows and columns that it will see.
struct NetworkShape {
  InputLayout layout;
  int height = 0, width = 0;

  int inputs() const { return layout.channels(); }
  int outputs() const { return layout.fields(); }
};

/// @brief `network(graph, input, times)`, const: input (B,1,h,w, layout.channels()) and times (B) to (B,1,h,w, layout.fields()).
///
/// A network is a value that knows where its parameters lie in a Parameters object, not their numbers: one network serves the
/// weights in training and their average. Whatever it computes is made of ops, whose gradients the graph knows.
template <class N, class DeviceType>
concept Network = requires(const N& network, Graph<float, DeviceType>& graph, const Variable<float>& input, const float* times) {
  { network(graph, input, times) } -> std::convertible_to<Variable<float>>;
};

/// @brief Runs a network. Throws: ShapeError unless it answers with what a batch of this shape wants.
template <class N, class DeviceType>
Variable<float> apply(const N& network, Graph<float, DeviceType>& graph, const Variable<float>& input, const float* times,
                      const BatchShape& shape) {
  const Variable<float> answer = network(graph, input, times);
  require<ShapeError>(answer.shape == shape.answers(), "network: its answer to an input of ", shape.input(), " is of ",
                      answer.shape, ", expected ", shape.answers());
  return answer;
}

}  // namespace lacuna::train
