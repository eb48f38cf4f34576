#pragma once

#include <cstddef>
#include <vector>

#include "lacuna/autograd/graph.hpp"
#include "lacuna/core/parallel.hpp"
#include "lacuna/sampler/ensemble_pass.hpp"
#include "lacuna/train/network.hpp"

namespace lacuna::sampler {

/// @brief Evaluates a network on batches of samples: a sampler without what is the device's.
///
/// (shape, sample, read): sample(b) gives sample b as a SampleView in the host's memory, which holds until read(estimate) has
/// seen the answers (B,1,h,w, F V); it is called by several threads. The device assembles the input. plan(shape): the same
/// without computing.
template <class Network, class DeviceType>
class Evaluator;

template <class Network>
class Evaluator<Network, cpu::Device> {
 public:
  /// The references must outlive the evaluator.
  Evaluator(cpu::Device& device, const Network& network, Parameters<float>& parameters)
      : device_(device), network_(network), parameters_(parameters) {}

  template <class Sample, class Read>
  void operator()(const train::BatchShape& shape, const Sample& sample, const Read& read) {
    device_.reset();
    Graph<float> graph(device_, parameters_, Mode::infer);
    const auto input = graph.make(shape.input());
    times_.resize(static_cast<std::size_t>(shape.batch));
    samples_.resize(times_.size());
    parallel_for(device_.threads(), shape.batch, [&](int b) {
      const train::SampleView& view = samples_[static_cast<std::size_t>(b)] = sample(b);
      times_[static_cast<std::size_t>(b)] = view.time;
      train::assemble_input(shape.layout, view,
                            input.data + static_cast<std::ptrdiff_t>(b) * view.patch.cells() * shape.layout.channels());
    });
    read(Answers{samples_.data(), train::apply(network_, graph, input, times_.data(), shape).data});
  }
  const float* on_host(const Answers& answers, std::size_t) { return answers.values; }

  void plan(const train::BatchShape& shape) {
    device_.reset();
    Graph<float> graph(device_, parameters_, Mode::infer, true);
    times_.resize(static_cast<std::size_t>(shape.batch));
    train::apply(network_, graph, graph.make(shape.input()), times_.data(), shape);
    device_.reset();
  }

 private:
  cpu::Device& device_;
  const Network& network_;
  Parameters<float>& parameters_;
  std::vector<float> times_;
  std::vector<train::SampleView> samples_;
};

}  // namespace lacuna::sampler
