#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "kernels/ensemble.cuh"
#include "lacuna/cuda/ops.hpp"
#include "lacuna/cuda/samples.hpp"
#include "lacuna/sampler/evaluator.hpp"

namespace lacuna::sampler {

/// @brief Evaluations of a network on a GPU, with the values that its parameters have when this is made.
///
/// The passes of an ensemble have few shapes. Of each shape the second pass is captured, and from then on one is a launch: what
/// it reads and writes lies at the same addresses of the arena every time.
template <class Network>
class Evaluator<Network, cuda::Device> {
 public:
  Evaluator(cuda::Device& device, const Network& network, const Parameters<float>& parameters)
      : device_(device), network_(network), parameters_(device, parameters, Mode::infer) {}

  template <class Sample, class Read>
  void operator()(const train::BatchShape& shape, const Sample& sample, const Read& read) {
    device_.reset();
    Graph<float, cuda::Device> graph(device_, parameters_, Mode::infer);
    const cuda::SampleBlock block(shape, shape.layout.query);
    std::byte* const samples = graph.template take<std::byte>(block.bytes());
    reserve(samples_, block.bytes());
    parallel_for(device_.threads(), shape.batch, [&](int b) { block.write(samples_->data(), samples, b, sample(b)); });
    const auto& stream = device_.stream();
    cuda::enqueue_copy(stream, samples, static_cast<const std::byte*>(samples_->data()), block.bytes(), cudaMemcpyHostToDevice);
    read(Answers{block.records(samples), pass(graph, shape, block, samples).data});
    stream.synchronize();  // the next pass writes where this one reads
  }
  const float* on_host(const Answers& answers, std::size_t size) {
    reserve(answers_, size);
    cuda::copy_now(device_.stream(), answers_->data(), answers.values, size, cudaMemcpyDeviceToHost);
    return answers_->data();
  }

  void plan(const train::BatchShape& shape) {
    device_.reset();
    Graph<float, cuda::Device> graph(device_, parameters_, Mode::infer, true);
    const cuda::SampleBlock block(shape, shape.layout.query);
    enqueue(graph, shape, block, graph.template take<std::byte>(block.bytes()));
    device_.reset();
  }

 private:
  static constexpr std::size_t most_passes = 32;  // a captured pass costs memory of the host's and the GPU's

  struct Pass {
    train::BatchShape shape;
    Variable<float> estimate;
    cuda::CapturedGraph captured;
  };

  /// The answers to the samples of a block on the device.
  Variable<float> enqueue(Graph<float, cuda::Device>& graph, const train::BatchShape& shape, const cuda::SampleBlock& block,
                          std::byte* samples) {
    const auto input = graph.make(shape.input());
    const kernels::AssembleBatch batch{.shape = shape, .input = input.data};
    cuda::assemble(graph, block.records(samples), batch);
    return train::apply(network_, graph, input, block.times(samples), shape);
  }

  Variable<float> pass(Graph<float, cuda::Device>& graph, const train::BatchShape& shape, const cuda::SampleBlock& block,
                       std::byte* samples) {
    const auto whole = [&] { return enqueue(graph, shape, block, samples); };
    if (!capture_) return whole();
    const auto known = std::find_if(passes_.begin(), passes_.end(), [&](const Pass& p) { return p.shape == shape; });
    if (known == passes_.end()) {  // libraries make their plans in the first pass
      const auto estimate = whole();
      if (passes_.size() < most_passes) passes_.push_back({shape, estimate, {}});
      return estimate;
    }
    if (!known->captured.ready()) capture_ = known->captured.capture(device_.stream(), [&] { known->estimate = whole(); });
    if (!capture_) return whole();
    known->captured.launch(device_.stream());
    return known->estimate;
  }

  template <class T>
  static void reserve(std::optional<cuda::PinnedArray<T>>& array, std::size_t size) {
    if (!array || array->size() < size) array.emplace(size);
  }

  cuda::Device& device_;
  const Network& network_;
  cuda::Parameters<float> parameters_;
  std::optional<cuda::PinnedArray<std::byte>> samples_;
  std::optional<cuda::PinnedArray<float>> answers_;
  std::vector<Pass> passes_;
  bool capture_ = device_.settings().capture;
};

/// @brief Moments of an ensemble in the GPU's memory, of which only they are copied back.
template <>
class PassMoments<cuda::Device> {
 public:
  explicit PassMoments(cuda::Device& device) : device_(device) {}

  void begin(std::span<const float> weights) {
    device_.use();
    if (weights_.size() != weights.size())
      for (auto* array : {&weights_, &mean_, &deviation_}) *array = cuda::DeviceArray<float>(weights.size());
    cuda::copy_now(device_.stream(), weights_.data(), weights.data(), weights.size(), cudaMemcpyHostToDevice);
  }
  void add(EnsemblePass pass) {
    pass.weights = weights_.data();
    pass.mean = mean_.data();
    pass.deviation = deviation_.data();
    kernels::ensemble(device_.stream(), pass);
  }
  void finish(Moments& out) {
    const auto fetch = [&](const cuda::DeviceArray<float>& from, std::vector<float>& to) {
      to.resize(from.size());
      cuda::copy_now(device_.stream(), to.data(), static_cast<const float*>(from.data()), to.size(), cudaMemcpyDeviceToHost);
    };
    fetch(mean_, out.mean);
    fetch(deviation_, out.deviation);
  }

 private:
  cuda::Device& device_;
  cuda::DeviceArray<float> weights_, mean_, deviation_;
};

}  // namespace lacuna::sampler
