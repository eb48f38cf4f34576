#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "lacuna/autograd/graph.hpp"
#include "lacuna/ops/masked_loss.hpp"
#include "lacuna/train/input.hpp"
#include "lacuna/train/network.hpp"
#include "lacuna/train/optimizer.hpp"

namespace lacuna::train {

/// @brief What a step tells.
struct StepResult {
  double loss = 0;
  double norm = 0;  ///< of the gradient, before clipping; if it is not finite, nothing was changed
};

/// @brief A network's estimate of a batch, its loss, and every gradient: the middle of a training step, on any device.
template <class Network, class D, class Query>
auto forward_backward(Graph<float, D>& graph, const Network& network, const Variable<float>& input, const float* times,
                      const float* target, const Query& query, const BatchShape& shape) {
  const auto estimate = apply(network, graph, input, times, shape);
  const auto loss = ops::masked_loss(graph, estimate, target, query);
  graph.backward();
  return loss;
}

/// @brief Runs training steps of a network on a device: what is left of a trainer when the choice of samples is taken away.
///
/// step(rate, sample): one step; sample(step number, b) gives sample b of a step's batch as a SampleView in the host's memory,
/// which holds until b is asked for again. It is called by several threads, and maybe ahead of time; the device assembles input
/// and target. plan(sample): the same without computing. state() and restore(): what a run goes on from, on the host.
template <class Network, class DeviceType, schedule::Matching Matching = schedule::DataMatching>
class Engine;

template <class Network, schedule::Matching Matching>
class Engine<Network, cpu::Device, Matching> {
 public:
  /// The references must outlive the engine.
  Engine(cpu::Device& device, const Network& network, Parameters<float>& parameters, const OptimizerSettings& settings,
         const BatchShape& shape, const Matching& matching = {})
      : device_(device),
        network_(network),
        parameters_(parameters),
        optimizer_(parameters, settings),
        shape_(shape),
        matching_(matching),
        times_(static_cast<std::size_t>(shape.batch)),
        target_(shape.answers().size()),
        query_(target_.size()) {}

  template <class Sample>
  StepResult step(double learning_rate, const Sample& sample) {
    device_.reset();
    parameters_.zero_gradients();
    Graph<float> graph(device_, parameters_, Mode::train, false, profile_);
    const auto input = graph.make(shape_.input());
    {
      const auto scope = Profile::part(profile_, "samples");
      parallel_for(device_.threads(), shape_.batch, [&](int b) { assemble(sample(steps_done(), b), b, input.data); });
    }
    const double loss = forward_backward(graph, network_, input, times_.data(), target_.data(), query_.data(), shape_);
    const auto scope = Profile::part(profile_, "optimizer");
    return {loss, optimizer_.step(parameters_, learning_rate, device_.threads())};
  }

  template <class Sample>
  void plan(const Sample& sample) {
    device_.reset();
    Graph<float> graph(device_, parameters_, Mode::train, true);
    const auto input = graph.make(shape_.input());
    parallel_for(device_.threads(), shape_.batch, [&](int b) { sample(steps_done(), b); });
    forward_backward(graph, network_, input, times_.data(), target_.data(), query_.data(), shape_);
    device_.reset();
  }

  void watch(Profile* profile) { profile_ = profile; }
  std::int64_t steps_done() const { return optimizer_.state().step; }

  /// The parameters given to the constructor hold what this belongs to.
  const OptimizerState<float>& state() { return optimizer_.state(); }
  void restore(OptimizerState<float> state) { optimizer_.state() = std::move(state); }

 private:
  void assemble(const SampleView& sample, int b, float* input) {
    const std::ptrdiff_t cell = static_cast<std::ptrdiff_t>(b) * sample.patch.cells(), at = cell * shape_.layout.fields();
    times_[static_cast<std::size_t>(b)] = sample.time;
    assemble_input(shape_.layout, sample, input + cell * shape_.layout.channels());
    assemble_target(shape_.layout, sample, target_.data() + at, query_.data() + at, matching_);
  }

  cpu::Device& device_;
  const Network& network_;
  Parameters<float>& parameters_;
  Optimizer<float> optimizer_;
  BatchShape shape_;
  Matching matching_;
  std::vector<float> times_, target_;
  std::vector<std::uint8_t> query_;
  Profile* profile_ = nullptr;
};

}  // namespace lacuna::train
