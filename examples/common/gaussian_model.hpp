#pragma once

#include <Eigen/Core>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "lacuna/mask/policy.hpp"
#include "lacuna/model/model.hpp"
#include "lacuna/nn/unet.hpp"
#include "lacuna/theory/fields.hpp"

// Networks on Gaussian fields, whose exact answers are known: one frame a sample, no background.

namespace lacuna::common {

/// @brief Every cell counts as one that can be observed, few as the samples may be. gappy: NaN = not observed, deviation 1.
inline std::shared_ptr<const Dataset> gaussian_dataset(const data::Fields& gappy) {
  return std::make_shared<const Dataset>(gappy, data::WindowSettings{.length = 1}, baseline::AnyBackground{},
                                         std::vector<std::uint8_t>(gappy.frame_size(), 1));
}

/// @brief A UNet trained on incomplete samples of a field: an objective is a mask policy. network: inputs and outputs are set
/// from the data.
template <mask::MaskPolicy Objective>
Model<nn::UNet, Objective> gaussian_model(const data::Fields& gappy, const Objective& objective, nn::UNet::Settings network,
                                          ModelSettings settings) {
  settings.scale = {1.0f};
  settings.local = true;
  settings.allow_unexposed = true;  // competing objectives leave positions unexposed
  const auto factory = [&](const train::NetworkShape& shape, Parameters<float>& parameters, std::uint64_t seed) {
    network.inputs = shape.inputs();
    network.outputs = shape.outputs();
    return nn::UNet(network, parameters, seed);
  };
  return {gaussian_dataset(gappy), factory, objective, std::move(settings)};
}

/// @brief What the averaged weights make of contexts: one column (H W) a request, at the smallest time.
template <class ModelType>
Eigen::MatrixXd estimates(ModelType& model, const train::Samples& samples, std::span<const sampler::Request> requests) {
  auto evaluate = model.sampler(samples);
  Eigen::MatrixXd out(samples.fields().grid.cells(), static_cast<Eigen::Index>(requests.size()));
  evaluate(requests, [&](std::size_t i, const sampler::Estimate& e) {
    out.col(static_cast<Eigen::Index>(i)) =
        Eigen::Map<const Eigen::VectorXf>(e.anomaly.data(), out.rows()).template cast<double>();
  });
  return out;
}

}  // namespace lacuna::common
