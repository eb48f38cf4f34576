#pragma once

#include <algorithm>
#include <vector>

#include "lacuna/autograd/graph.hpp"

namespace lacuna::sampler {

/// @brief Evaluates a network on batches that lie in the host's memory: a sampler without what is the device's.
///
/// (shape, times, fill, read): fill(input) writes a batch's input (B,1,h,w, channels), read(estimate) sees the answer
/// (B,1,h,w, F V). plan(shape): the same without computing.
template <class Network, class DeviceType>
class Evaluator;

template <class Network>
class Evaluator<Network, cpu::Device> {
 public:
  /// The references must outlive the evaluator.
  Evaluator(cpu::Device& device, const Network& network, Parameters<float>& parameters)
      : device_(device), network_(network), parameters_(parameters) {}

  /// times (B).
  template <class Fill, class Read>
  void operator()(const Shape& shape, const std::vector<float>& times, const Fill& fill, const Read& read) {
    device_.reset();
    Graph<float> graph(device_, parameters_, Mode::infer);
    const auto input = graph.make(shape);
    fill(input.data);
    read(static_cast<const float*>(network_(graph, input, times.data()).data));
  }

  void plan(const Shape& shape) {
    device_.reset();
    Graph<float> graph(device_, parameters_, Mode::infer, true);
    const std::vector<float> times(static_cast<std::size_t>(shape.batch));
    network_(graph, graph.make(shape), times.data());
    device_.reset();
  }

 private:
  cpu::Device& device_;
  const Network& network_;
  Parameters<float>& parameters_;
};

}  // namespace lacuna::sampler
