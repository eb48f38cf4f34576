#pragma once

#include <Eigen/Core>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "lacuna/mask/policy.hpp"
#include "lacuna/nn/unet.hpp"
#include "lacuna/sampler/single_step.hpp"
#include "lacuna/theory/fields.hpp"
#include "lacuna/train/trainer.hpp"

namespace lacuna::theory {

/// @brief Fields as the network takes them. Every cell counts as one that can be observed, few as the samples may be.
inline train::Samples samples_of(const data::Fields& gappy) {
  return {gappy, {.length = 1}, {}, std::vector<std::uint8_t>(gappy.frame_size(), 1)};
}

/// @brief The network and its training in an experiment on a Gaussian field.
struct ExperimentSettings {
  nn::UNet::Settings network = {.hidden = 32};  ///< inputs and outputs are set from the data
  int batch = 16;
  double latest_time = 1;  ///< of the trainer
  std::uint64_t seed = 1;
};

/// @brief A UNet trained on incomplete samples of a field, one frame each, with no background: an objective is a mask policy.
template <mask::MaskPolicy Objective>
class Experiment {
 public:
  /// gappy: NaN = not observed; its deviation is taken as 1.
  Experiment(cpu::Device& device, const data::Fields& gappy, const Objective& objective, const ExperimentSettings& settings)
      : device_(device),
        samples_(samples_of(gappy)),
        layout_(train::input_layout(samples_)),
        network_(sized(settings.network, layout_), parameters_, settings.seed),
        averaged_(parameters_),
        trainer_(device, samples_, network_, parameters_, objective, {1.0f},
                 {.batch = settings.batch, .seed = settings.seed, .latest_time = settings.latest_time, .optimizer = {}}) {}

  /// One step; returns the loss.
  double step(double learning_rate) { return trainer_.step(learning_rate); }
  std::int64_t steps_done() const { return trainer_.steps_done(); }

  /// @brief What the averaged weights make of contexts: one column (H W) a request, at the smallest time.
  Eigen::MatrixXd outputs(const train::Samples& samples, std::span<const sampler::Request> requests) {
    averaged_.values() = trainer_.state().average;
    sampler::SingleStep<nn::UNet> evaluate(device_, samples, layout_, network_, averaged_, {1.0f});
    Eigen::MatrixXd out(samples.fields().grid.cells(), static_cast<Eigen::Index>(requests.size()));
    evaluate(requests, [&](std::size_t i, const sampler::Estimate& e) {
      out.col(static_cast<Eigen::Index>(i)) =
          Eigen::Map<const Eigen::VectorXf>(e.anomaly.data(), out.rows()).template cast<double>();
    });
    return out;
  }

 private:
  static nn::UNet::Settings sized(nn::UNet::Settings s, const train::InputLayout& layout) {
    s.inputs = layout.channels();
    s.outputs = layout.fields();
    return s;
  }

  cpu::Device& device_;
  train::Samples samples_;
  train::InputLayout layout_;
  Parameters<float> parameters_;
  nn::UNet network_;
  Parameters<float> averaged_;
  train::Trainer<nn::UNet, Objective> trainer_;
};

/// @brief E[x0 | ctx] of a frame's values (H, W) for a law with mean 0: G times what the context has of them.
inline Eigen::VectorXd conditional_mean(const Eigen::MatrixXd& gain, Mask context, std::span<const float> values) {
  Eigen::VectorXd seen = Eigen::VectorXd::Zero(gain.cols());
  for (const auto i : members(context)) seen[i] = static_cast<double>(values[static_cast<std::size_t>(i)]);
  return gain * seen;
}

}  // namespace lacuna::theory
