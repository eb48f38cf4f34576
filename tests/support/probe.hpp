#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "lacuna/autograd/graph.hpp"
#include "support/compare.hpp"
#include "support/fill.hpp"

namespace lacuna::test {

/// An operand of an op under test.
template <class T>
struct Operand {
  Shape shape;
  std::vector<T> values;
};

template <class T>
Operand<T> random_operand(const Shape& shape, std::uint64_t stream) {
  return {shape, normals<T>(shape.size(), stream)};
}

/// What one pass through an op gave.
template <class T>
struct Pass {
  Shape shape;
  std::vector<T> result;
  std::vector<std::vector<T>> operand_gradients;  // empty where none was handed over
  std::vector<T> parameter_gradients;
  bool margins_intact = true;  // what lies between a buffer's end and the next 64-byte block was not written

  bool operator==(const Pass&) const = default;
};

/// Memory that was never written reads as NaN.
inline void poison(Arena& arena, std::size_t bytes = std::size_t{8} << 20) {
  std::memset(arena.take(bytes), 0xff, bytes);
  arena.reset();
}

/// Whether what lies between the end of a block's content and the next block still is poison().
template <class T>
bool margin_intact([[maybe_unused]] const T* data, [[maybe_unused]] std::size_t size) {
#ifdef LACUNA_ADDRESS_SANITIZER
  return true;  // blocks lie further apart there, and the sanitizer itself watches the space between them
#else
  const auto* bytes = reinterpret_cast<const unsigned char*>(data);
  const std::size_t begin = size * sizeof(T), end = (begin + Arena::alignment - 1) / Arena::alignment * Arena::alignment;
  return std::all_of(bytes + begin, bytes + end, [](unsigned char b) { return b == 0xff; });
#endif
}

template <class T>
std::vector<Variable<T>> place(Graph<T>& graph, const std::vector<Operand<T>>& operands) {
  std::vector<Variable<T>> placed;
  for (const auto& operand : operands) {
    placed.push_back(graph.make(operand.shape));
    std::copy(operand.values.begin(), operand.values.end(), placed.back().data);
  }
  return placed;
}

/// result = build(graph, operands), then backward from grad_result (fixed random numbers if none are given); parameter gradients
/// start at zero.
template <class T, class Build>
Pass<T> train_pass(cpu::Device& device, Parameters<T>& parameters, const std::vector<Operand<T>>& operands, const Build& build,
                   const std::vector<T>& grad_result = {}) {
  device.reset();
  poison(device.arena());
  parameters.zero_gradients();
  Graph<T> graph(device, parameters, Mode::train);
  const auto placed = place(graph, operands);
  const Variable<T> y = build(graph, placed);
  const std::size_t size = y.shape.size();
  Pass<T> pass;
  pass.shape = y.shape;
  pass.result.assign(y.data, y.data + size);
  pass.margins_intact = margin_intact(y.data, size);
  T* gradient = graph.take(size);
  const auto values = grad_result.empty() ? normals<T>(size, 999) : grad_result;
  std::copy(values.begin(), values.end(), gradient);
  graph.contribute(y, gradient);
  graph.backward();
  for (const auto& x : placed) {
    const T* g = x.node->gradient;
    pass.operand_gradients.emplace_back();
    pass.margins_intact = pass.margins_intact && margin_intact(x.data, x.shape.size());
    if (g == nullptr) continue;
    pass.operand_gradients.back().assign(g, g + x.shape.size());
    pass.margins_intact = pass.margins_intact && margin_intact(g, x.shape.size());
  }
  pass.parameter_gradients = parameters.gradients();
  return pass;
}

template <class T, class Build>
std::vector<T> infer_pass(cpu::Device& device, Parameters<T>& parameters, const std::vector<Operand<T>>& operands,
                          const Build& build) {
  device.reset();
  Graph<T> graph(device, parameters, Mode::infer);
  const Variable<T> y = build(graph, place(graph, operands));
  return {y.data, y.data + y.shape.size()};
}

/// Steps of central differences: through norms of few channels functions bend more.
inline constexpr double op_step = 1e-3, network_step = 1e-4;

/// Fourth-order central difference of f at x.
template <class F>
double central_difference(double& x, const F& f, double h = op_step) {
  const double at = x;
  const auto value = [&](double offset) {
    x = at + offset;
    return f();
  };
  const double slope = (8 * (value(h) - value(-h)) - (value(2 * h) - value(-2 * h))) / (12 * h);
  x = at;
  return slope;
}

/// Largest difference between the tape's gradients and central differences, relative to the largest magnitude of each tensor.
/// Operands listed in `constants` have no gradient, nor do the parameters named in `untrained`.
template <class Build>
double gradient_error(cpu::Device& device, Parameters<double>& parameters, std::vector<Operand<double>> operands,
                      const Build& build, const std::vector<std::size_t>& constants = {}, double step = op_step,
                      const std::vector<std::string>& untrained = {}) {
  const auto pass = train_pass(device, parameters, operands, build);
  const auto weights = normals<double>(pass.result.size(), 999);
  const auto objective = [&] {
    const auto y = infer_pass(device, parameters, operands, build);
    double sum = 0;
    for (std::size_t i = 0; i < y.size(); ++i) sum += weights[i] * y[i];
    return sum;
  };
  const auto slopes = [&](double* x, std::size_t size) {
    std::vector<double> s(size);
    for (std::size_t i = 0; i < size; ++i) s[i] = central_difference(x[i], objective, step);
    return s;
  };
  double worst = 0;
  for (std::size_t k = 0; k < operands.size(); ++k) {
    if (std::find(constants.begin(), constants.end(), k) != constants.end()) continue;
    worst = std::max(
        worst, relative_difference(pass.operand_gradients[k], slopes(operands[k].values.data(), operands[k].values.size())));
  }
  for (const auto& entry : parameters.entries()) {
    if (std::find(untrained.begin(), untrained.end(), entry.name) != untrained.end()) continue;
    const auto begin = pass.parameter_gradients.begin() + static_cast<std::ptrdiff_t>(entry.at.offset);
    const std::vector<double> given(begin, begin + static_cast<std::ptrdiff_t>(entry.at.size));
    worst = std::max(worst, relative_difference(given, slopes(parameters.value(entry.at), entry.at.size)));
  }
  return worst;
}

/// The message of the exception that `work` throws, or "" if it throws none.
template <class E, class Work>
std::string message_of(const Work& work) {
  try {
    work();
  } catch (const E& error) {
    return error.what();
  }
  return "";
}

}  // namespace lacuna::test
