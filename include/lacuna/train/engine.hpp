#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "lacuna/autograd/graph.hpp"
#include "lacuna/ops/masked_loss.hpp"
#include "lacuna/train/input.hpp"
#include "lacuna/train/optimizer.hpp"

namespace lacuna::train {

/// @brief Where the samples of a batch are written to, in the host's memory: sample b's part follows that of b - 1.
struct BatchArrays {
  float* input;         ///< (B,1,h,w, channels); null in a dry run
  float* target;        ///< (B,1,h,w, F V)
  std::uint8_t* query;  ///< (B,1,h,w, F V)
  float* times;         ///< (B)
};

/// @brief What a step tells.
struct StepResult {
  double loss = 0;
  double norm = 0;  ///< of the gradient, before clipping; if it is not finite, nothing was changed
};

/// @brief A network's estimate of a batch, its loss, and every gradient: the middle of a training step, on any device.
template <class Network, class D>
auto forward_backward(Graph<float, D>& graph, const Network& network, const Variable<float>& input, const float* times,
                      const float* target, const std::uint8_t* query) {
  const auto estimate = network(graph, input, times);
  const auto loss = ops::masked_loss(graph, estimate, target, query);
  graph.backward();
  return loss;
}

/// @brief Runs training steps of a network on a device: what is left of a trainer when the making of samples is taken away.
///
/// step(rate, fill): one step; fill(step number, arrays) makes the batch of a step, which may be asked for ahead of time.
/// plan(fill): the same without computing. state() and restore(): what a run goes on from, on the host.
template <class Network, class DeviceType>
class Engine;

template <class Network>
class Engine<Network, cpu::Device> {
 public:
  /// The references must outlive the engine. input: shape of a batch's input; fields: channels of the answer.
  Engine(cpu::Device& device, const Network& network, Parameters<float>& parameters, const OptimizerSettings& settings,
         const Shape& input, int fields)
      : device_(device),
        network_(network),
        parameters_(parameters),
        optimizer_(parameters, settings),
        input_(input),
        times_(static_cast<std::size_t>(input.batch)),
        target_(input.with_channels(fields).size()),
        query_(target_.size()) {}

  template <class Fill>
  StepResult step(double learning_rate, const Fill& fill) {
    device_.reset();
    parameters_.zero_gradients();
    Graph<float> graph(device_, parameters_, Mode::train, false, profile_);
    const auto input = graph.make(input_);
    {
      const auto scope = Profile::part(profile_, "samples");
      fill(steps_done(), arrays(input.data));
    }
    const double loss = forward_backward(graph, network_, input, times_.data(), target_.data(), query_.data());
    const auto scope = Profile::part(profile_, "optimizer");
    return {loss, optimizer_.step(parameters_, learning_rate, device_.threads())};
  }

  template <class Fill>
  void plan(const Fill& fill) {
    device_.reset();
    Graph<float> graph(device_, parameters_, Mode::train, true);
    const auto input = graph.make(input_);
    fill(steps_done(), arrays(nullptr));
    forward_backward(graph, network_, input, times_.data(), target_.data(), query_.data());
    device_.reset();
  }

  void watch(Profile* profile) { profile_ = profile; }
  std::int64_t steps_done() const { return optimizer_.state().step; }

  /// The parameters given to the constructor hold what this belongs to.
  const OptimizerState<float>& state() { return optimizer_.state(); }
  void restore(OptimizerState<float> state) { optimizer_.state() = std::move(state); }

 private:
  BatchArrays arrays(float* input) { return {input, target_.data(), query_.data(), times_.data()}; }

  cpu::Device& device_;
  const Network& network_;
  Parameters<float>& parameters_;
  Optimizer<float> optimizer_;
  Shape input_;
  std::vector<float> times_, target_;
  std::vector<std::uint8_t> query_;
  Profile* profile_ = nullptr;
};

}  // namespace lacuna::train
