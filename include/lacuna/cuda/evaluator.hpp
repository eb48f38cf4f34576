#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "lacuna/cuda/attention.hpp"
#include "lacuna/cuda/fourier.hpp"
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
      : device_(device), network_(network), parameters_(device, parameters) {}

  template <class Fill, class Read>
  void operator()(const Shape& shape, const std::vector<float>& times, const Fill& fill, const Read& read) {
    device_.reset();
    reserve(input_, shape.size());
    reserve(times_, times.size());
    fill(input_->data());
    std::copy(times.begin(), times.end(), times_->data());
    Graph<float, cuda::Device> graph(device_, parameters_, Mode::infer);
    const auto input = graph.make(shape);
    float* on_device = graph.template take<float>(times.size());
    const auto& stream = device_.stream();
    cuda::enqueue_copy(stream, input.data, static_cast<const float*>(input_->data()), shape.size(), cudaMemcpyHostToDevice);
    cuda::enqueue_copy(stream, on_device, static_cast<const float*>(times_->data()), times.size(), cudaMemcpyHostToDevice);
    const auto estimate = pass(graph, input, on_device);
    reserve(estimate_, estimate.shape.size());
    cuda::copy_now(stream, estimate_->data(), static_cast<const float*>(estimate.data), estimate.shape.size(),
                   cudaMemcpyDeviceToHost);
    read(static_cast<const float*>(estimate_->data()));
  }

  void plan(const Shape& shape) {
    device_.reset();
    Graph<float, cuda::Device> graph(device_, parameters_, Mode::infer, true);
    const auto input = graph.make(shape);
    network_(graph, input, static_cast<const float*>(graph.template take<float>(static_cast<std::size_t>(shape.batch))));
    device_.reset();
  }

 private:
  static constexpr std::size_t most_passes = 32;  // a captured pass costs memory of the host's and the GPU's

  using Pinned = std::optional<cuda::PinnedArray<float>>;
  struct Pass {
    Shape input;
    Variable<float> estimate;
    cuda::CapturedGraph captured;
  };

  Variable<float> pass(Graph<float, cuda::Device>& graph, const Variable<float>& input, const float* times) {
    const auto whole = [&] { return network_(graph, input, times); };
    if (!capture_) return whole();
    const auto known = std::find_if(passes_.begin(), passes_.end(), [&](const Pass& p) { return p.input == input.shape; });
    if (known == passes_.end()) {  // libraries make their plans in the first pass
      const auto estimate = whole();
      if (passes_.size() < most_passes) passes_.push_back({input.shape, estimate, {}});
      return estimate;
    }
    if (!known->captured.ready()) capture_ = known->captured.capture(device_.stream(), [&] { known->estimate = whole(); });
    if (!capture_) return whole();
    known->captured.launch(device_.stream());
    return known->estimate;
  }

  static void reserve(Pinned& array, std::size_t size) {
    if (!array || array->size() < size) array.emplace(size);
  }

  cuda::Device& device_;
  const Network& network_;
  cuda::Parameters<float> parameters_;
  Pinned input_, times_, estimate_;
  std::vector<Pass> passes_;
  bool capture_ = device_.settings().capture;
};

}  // namespace lacuna::sampler
