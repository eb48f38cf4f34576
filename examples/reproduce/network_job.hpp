#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "lacuna/model/dataset.hpp"
#include "reproduce/job.hpp"
#include "reproduce/settings.hpp"

namespace lacuna::experiment {

/// @brief What is asked for a number of a table that a network makes. The references must outlive it.
struct NetworkJob {
  const std::shared_ptr<const Dataset>& learned;  ///< from
  const train::Samples& found;                    ///< to be filled
  const Job& job;
  const SetSettings& settings;
  std::uint64_t seed = 1;
  std::filesystem::path folder;  ///< of the network's checkpoint
};

/// @brief The answer.
struct NetworkFill {
  std::vector<float> values;  ///< of the samples that were to be filled, normalised (T, H, W, V)
  double training = 0;        ///< seconds of it, now or before
  double seconds = 0;         ///< of filling
  std::string device;         ///< that did it
};

/// @brief Does such a job on some device.
using DoesNetworkJobs = std::function<NetworkFill(const NetworkJob&)>;

}  // namespace lacuna::experiment
