#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "kernels/adam.cuh"
#include "lacuna/cuda/ops.hpp"
#include "lacuna/cuda/samples.hpp"
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

}  // namespace lacuna::cuda

namespace lacuna::train {

/// @brief Training steps on a GPU: it assembles a batch of the samples that it was sent, and while it works on it the host makes
/// the next ones.
///
/// The first step runs as it is enqueued; the second is captured, and from then on a step is one launch. After a step
/// that failed the next one begins anew. Matching::target must be LACUNA_HOST_DEVICE.
template <class Network, schedule::Matching Matching>
class Engine<Network, cuda::Device, Matching> {
 public:
  Engine(cuda::Device& device, const Network& network, Parameters<float>& parameters, const OptimizerSettings& settings,
         const BatchShape& shape, const Matching& matching = {})
      : device_(device),
        network_(network),
        host_(parameters),
        parameters_(device, parameters),
        optimizer_(device, parameters_, settings, parameters),
        shape_(shape),
        matching_(matching),
        block_(shape, true),
        staged_{cuda::PinnedArray<std::byte>(block_.bytes()), cuda::PinnedArray<std::byte>(block_.bytes())},
        samples_(block_.bytes()),
        result_(3) {}

  template <class Sample>
  StepResult step(double learning_rate, const Sample& sample) {
    device_.use();
    const std::int64_t number = steps_done();
    if (made_ != number) make(number, sample);
    try {
      cuda::enqueue_copy(device_.stream(), samples_.data(), static_cast<const std::byte*>(staged_[turn_].data()), block_.bytes(),
                         cudaMemcpyHostToDevice);
      optimizer_.prepare(learning_rate);
      run();
      turn_ = 1 - turn_;
      try {
        make(number + 1, sample);
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

  template <class Sample>
  void plan(const Sample& sample) {
    device_.reset();
    make(steps_done(), sample);
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

  /// The samples of a step, into the pinned memory whose turn it is.
  template <class Sample>
  void make(std::int64_t number, const Sample& sample) {
    made_.reset();
    std::byte* const to = staged_[turn_].data();
    parallel_for(device_.threads(), shape_.batch, [&](int b) { block_.write(to, samples_.data(), b, sample(number, b)); });
    made_ = number;
  }

  void enqueue(Graph<float, cuda::Device>& graph) {
    const auto input = graph.make(shape_.input());
    const std::size_t answers = shape_.answers().size();
    const unsigned counts = kernels::AssemblePlan::of(shape_).blocks * static_cast<unsigned>(shape_.batch);
    const kernels::AssembleBatch batch{.shape = shape_,
                                       .input = input.data,
                                       .target = graph.template take<float>(answers),
                                       .query = graph.template take<std::uint8_t>(answers),
                                       .query_counts = graph.template take<unsigned>(counts)};
    cuda::assemble(graph, block_.records(samples_.data()), batch, matching_);
    const cuda::CountedQuery query{batch.query, batch.query_counts, counts};
    const auto loss = forward_backward(graph, network_, input, block_.times(samples_.data()), batch.target, query, shape_);
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
  BatchShape shape_;
  Matching matching_;
  cuda::SampleBlock block_;
  cuda::PinnedArray<std::byte> staged_[2];  // taking turns
  cuda::DeviceArray<std::byte> samples_;
  cuda::PinnedArray<float> result_;  // loss, queried elements, norm
  cuda::CapturedGraph captured_;
  OptimizerState<float> state_;
  std::optional<std::int64_t> made_;  // the step whose batch is staged
  int turn_ = 0;
  bool warm_ = false, capture_ = device_.settings().capture;
  Profile* profile_ = nullptr;
};

}  // namespace lacuna::train
