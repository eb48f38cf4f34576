#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "kernels/adam.cuh"
#include "lacuna/cuda/attention.hpp"
#include "lacuna/cuda/fourier.hpp"
#include "lacuna/train/engine.hpp"

namespace lacuna::cuda {

/// @brief Adam's arrays on the device, and the coefficients of the next step, which a captured step reads from its memory.
class Optimizer {
 public:
  Optimizer(Device& device, Parameters<float>& parameters, const train::OptimizerSettings& settings,
            const lacuna::Parameters<float>& host)
      : stream_(device.stream()),
        parameters_(parameters),
        settings_(settings),
        first_(stream_, parameters.layout(), std::vector<float>(host.size(), 0.0f)),
        second_(stream_, parameters.layout(), std::vector<float>(host.size(), 0.0f)),
        average_(stream_, parameters.layout(), host.values()),
        coefficients_(1),
        staged_(1),
        sums_(kernels::blocks_for(parameters.layout().size())),
        norm_(1) {}

  /// Sends the coefficients of the step that comes next.
  void prepare(double learning_rate) {
    staged_[0] = train::adam_step<float>(settings_, step_ + 1, learning_rate);
    enqueue_copy(stream_, coefficients_.data(), static_cast<const train::AdamStep<float>*>(staged_.data()), 1,
                 cudaMemcpyHostToDevice);
  }
  /// Enqueues the update by the gradients, with the coefficients that were sent.
  void enqueue() {
    kernels::adam(
        stream_, {parameters_.values().data(), parameters_.gradients().data(), first_.data(), second_.data(), average_.data()},
        parameters_.layout().size(), coefficients_.data(), static_cast<float>(settings_.clip), sums_.data(), norm_.data());
  }
  const float* norm() const { return norm_.data(); }  ///< on the device, of the last step
  /// The step that was enqueued has changed the parameters.
  void accept() { ++step_; }

  std::int64_t steps_done() const { return step_; }
  void download(train::OptimizerState<float>& state) const {
    state = {first_.download(), second_.download(), average_.download(), step_};
  }
  void upload(const train::OptimizerState<float>& state) {
    first_.upload(state.first_moment);
    second_.upload(state.second_moment);
    average_.upload(state.average);
    step_ = state.step;
  }

 private:
  const Stream& stream_;
  Parameters<float>& parameters_;
  train::OptimizerSettings settings_;
  ParameterArray<float> first_, second_, average_;
  DeviceArray<train::AdamStep<float>> coefficients_;
  PinnedArray<train::AdamStep<float>> staged_;
  DeviceArray<float> sums_, norm_;
  std::int64_t step_ = 0;
};

/// @brief A batch on its way to the device: what the host writes to, pinned, and where it goes.
class Staging {
 public:
  Staging(std::size_t input, std::size_t answers, int batch)
      : input_(input), target_(answers), times_(static_cast<std::size_t>(batch)), query_(answers) {}

  train::BatchArrays arrays() const { return {input_.data(), target_.data(), query_.data(), times_.data()}; }

 private:
  friend class DeviceBatch;
  PinnedArray<float> input_, target_, times_;
  PinnedArray<std::uint8_t> query_;
};

/// @brief A batch in the device's memory.
class DeviceBatch {
 public:
  DeviceBatch(std::size_t input, std::size_t answers, int batch)
      : input_(input), target_(answers), times_(static_cast<std::size_t>(batch)), query_(answers) {}

  void enqueue_copy_of(const Staging& from, const Stream& stream) {
    const auto send = [&](const auto& to, const auto& source) {
      using T = std::remove_pointer_t<decltype(source.data())>;
      enqueue_copy(stream, to.data(), static_cast<const T*>(source.data()), source.size(), cudaMemcpyHostToDevice);
    };
    send(input_, from.input_);
    send(target_, from.target_);
    send(times_, from.times_);
    send(query_, from.query_);
  }

  float* input() const { return input_.data(); }
  const float* target() const { return target_.data(); }
  const float* times() const { return times_.data(); }
  const std::uint8_t* query() const { return query_.data(); }

 private:
  DeviceArray<float> input_, target_, times_;
  DeviceArray<std::uint8_t> query_;
};

}  // namespace lacuna::cuda

namespace lacuna::train {

/// @brief Training steps on a GPU: while it works on a batch the host makes the next one.
///
/// The first step runs as it is enqueued; the second is captured, and from then on a step is one launch. After a step
/// that failed the next one begins anew.
template <class Network>
class Engine<Network, cuda::Device> {
 public:
  Engine(cuda::Device& device, const Network& network, Parameters<float>& parameters, const OptimizerSettings& settings,
         const Shape& input, int fields)
      : device_(device),
        network_(network),
        host_(parameters),
        parameters_(device, parameters),
        optimizer_(device, parameters_, settings, parameters),
        input_(input),
        staging_{{input.size(), input.with_channels(fields).size(), input.batch},
                 {input.size(), input.with_channels(fields).size(), input.batch}},
        batch_(input.size(), input.with_channels(fields).size(), input.batch),
        result_(3) {}

  template <class Fill>
  StepResult step(double learning_rate, const Fill& fill) {
    device_.use();
    const std::int64_t number = steps_done();
    if (made_ != number) fill(number, staging_[turn_].arrays());
    made_.reset();
    try {
      batch_.enqueue_copy_of(staging_[turn_], device_.stream());
      optimizer_.prepare(learning_rate);
      run();
      turn_ = 1 - turn_;
      try {
        fill(number + 1, staging_[turn_].arrays());
        made_ = number + 1;
      } catch (...) {  // the step that needs that batch makes it itself, and tells
      }
      device_.stream().synchronize();
    } catch (...) {
      device_.stream().wait();  // until nothing reads what the next step writes
      captured_.reset();
      warm_ = false;
      throw;
    }
    const StepResult result{result_[0], result_[2]};
    if (std::isfinite(result.norm)) optimizer_.accept();
    return result;
  }

  template <class Fill>
  void plan(const Fill& fill) {
    device_.reset();
    fill(steps_done(), staging_[turn_].arrays());
    made_ = steps_done();
    Graph<float, cuda::Device> graph(device_, parameters_, Mode::train, true);
    enqueue(graph);
    device_.reset();
  }

  void watch(Profile* profile) {
    profile_ = profile;
    captured_.reset();
  }
  std::int64_t steps_done() const { return optimizer_.steps_done(); }

  const OptimizerState<float>& state() {
    host_.values() = parameters_.values().download();
    optimizer_.download(state_);
    return state_;
  }
  void restore(OptimizerState<float> state) {
    parameters_.values().upload(host_.values());
    optimizer_.upload(state);
    made_.reset();
  }

 private:
  void run() {
    const auto whole = [this] {
      device_.reset();
      parameters_.zero_gradients();
      Graph<float, cuda::Device> graph(device_, parameters_, Mode::train, false, profile_);
      enqueue(graph);
    };
    if (!capture_ || profile_ != nullptr || !warm_) {
      whole();
      warm_ = true;
      return;
    }
    if (!captured_.ready()) capture_ = captured_.capture(device_.stream(), whole);
    if (!capture_) return whole();
    captured_.launch(device_.stream());
  }

  void enqueue(Graph<float, cuda::Device>& graph) {
    const auto input = graph.view(input_, batch_.input());
    const auto loss = forward_backward(graph, network_, input, batch_.times(), batch_.target(), batch_.query());
    if (graph.dry()) return;
    optimizer_.enqueue();
    const auto& stream = device_.stream();
    cuda::enqueue_copy(stream, result_.data(), loss.result, 2, cudaMemcpyDeviceToHost);
    cuda::enqueue_copy(stream, result_.data() + 2, optimizer_.norm(), 1, cudaMemcpyDeviceToHost);
  }

  cuda::Device& device_;
  const Network& network_;
  Parameters<float>& host_;
  cuda::Parameters<float> parameters_;
  cuda::Optimizer optimizer_;
  Shape input_;
  cuda::Staging staging_[2];
  cuda::DeviceBatch batch_;
  cuda::PinnedArray<float> result_;  // loss, queried elements, norm
  cuda::CapturedGraph captured_;
  OptimizerState<float> state_;
  std::optional<std::int64_t> made_;  // the step whose batch is staged
  int turn_ = 0;
  bool warm_ = false, capture_ = device_.settings().capture;
  Profile* profile_ = nullptr;
};

}  // namespace lacuna::train
