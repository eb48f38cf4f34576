#pragma once

#include <ostream>
#include <vector>

#include "catch.hpp"
#include "lacuna/ops/canvas.hpp"
#include "lacuna/ops/convolution.hpp"
#include "support/plain_convolution.hpp"
#include "support/probe.hpp"
#include "support/tolerances.hpp"

namespace lacuna::test {

/// One convolution layer with random parameters, and its input.
struct ConvolutionCase {
  Shape input;
  int outputs = 1, kernel = 3, stride = 1, padding = 1;
  bool transposed = false;
  ops::Borders borders = {};

  ops::ConvolutionGeometry geometry() const {
    return {input,     ops::convolution_output(input, outputs, kernel, stride, padding, transposed), kernel, stride, padding,
            transposed};
  }
};

inline std::ostream& operator<<(std::ostream& out, const ConvolutionCase& c) {
  return out << c.input << " to " << c.outputs << ", kernel " << c.kernel << ", stride " << c.stride << ", padding " << c.padding
             << (c.transposed ? ", transposed" : "");
}

/// The layers of the networks, and sizes about a vector's length with odd channel counts.
inline std::vector<ConvolutionCase> convolution_cases() {
  std::vector<ConvolutionCase> cases;
  for (const int size : {1, 31, 33}) cases.push_back({{.height = size, .width = 3, .channels = 3}, 5, 3, 1, 1});
  for (const int channels : {1, 3, 16, 17, 32, 64, 128})
    cases.push_back({{.batch = 2, .height = 6, .width = 7, .channels = channels}, 32, 3, 1, 1});
  for (const int outputs : {1, 2, 7, 16, 64, 128})
    cases.push_back({{.batch = 2, .frames = 2, .height = 5, .width = 4, .channels = 32}, outputs, 3, 1, 1});
  cases.push_back({{.batch = 2, .height = 8, .width = 6, .channels = 2}, 32, 5, 1, 2});
  cases.push_back({{.batch = 2, .height = 8, .width = 6, .channels = 64}, 32, 1, 1, 0});
  for (const int channels : {3, 4, 32}) {
    cases.push_back({{.batch = 2, .height = 8, .width = 6, .channels = channels}, channels, 4, 2, 1});
    cases.push_back({{.batch = 2, .height = 4, .width = 3, .channels = channels}, channels, 4, 2, 1, true});
  }
  cases.push_back({{.batch = 9, .height = 4, .width = 3, .channels = 5}, 7, 4, 2, 1, true});
  cases.push_back({{.batch = 9, .height = 9, .width = 7, .channels = 5}, 7, 4, 2, 1});
  return cases;
}

template <class T>
struct ConvolutionLayer {
  explicit ConvolutionLayer(const ConvolutionCase& c) {
    layer = {parameters.add("weight", {c.outputs, c.kernel, c.kernel, c.input.channels}),
             parameters.add("bias", {c.outputs}),
             c.input.channels,
             c.outputs,
             c.kernel,
             c.stride,
             c.padding,
             c.transposed,
             c.borders};
    parameters.values() = normals<T>(parameters.size(), 21);
  }
  auto apply(ops::InputGradient input_gradient = ops::InputGradient::computed) const {
    return
        [l = layer, input_gradient](Graph<T>& graph, const auto& x) { return ops::convolution(graph, l, x[0], input_gradient); };
  }
  /// x[1] copied, plus the convolution of x[0] in place.
  auto apply_add() const {
    return [l = layer](Graph<T>& graph, const auto& x) {
      const auto sum = ops::canvas(graph, x[1], {0, 0, x[1].shape.height, x[1].shape.width});
      ops::convolution_add(graph, l, x[0], sum);
      return sum;
    };
  }
  std::vector<T> part(const std::vector<T>& all, Parameter p) const {
    return {all.begin() + static_cast<std::ptrdiff_t>(p.offset), all.begin() + static_cast<std::ptrdiff_t>(p.offset + p.size)};
  }

  Parameters<T> parameters;
  ops::ConvolutionParameters layer;
};

/// Checks result and gradients of one path against the definition.
template <class T>
void check_against_definition(cpu::Device& device, const ConvolutionCase& c, double tolerance) {
  ConvolutionLayer<T> l(c);
  const auto x = random_operand<T>(c.input, 1);
  const auto pass = train_pass<T>(device, l.parameters, {x}, l.apply());
  const PlainConvolution plain(c.geometry(), x.values, l.part(l.parameters.values(), l.layer.weight),
                               l.part(l.parameters.values(), l.layer.bias), normals<T>(pass.result.size(), 999));
  INFO(c);
  CHECK(relative_difference(pass.result, plain.y) < tolerance);
  CHECK(relative_difference(pass.operand_gradients[0], plain.grad_x) < tolerance);
  CHECK(relative_difference(l.part(pass.parameter_gradients, l.layer.weight), plain.grad_weight) < tolerance);
  CHECK(relative_difference(l.part(pass.parameter_gradients, l.layer.bias), plain.grad_bias) < tolerance);
  CHECK(pass.margins_intact);
}

}  // namespace lacuna::test
