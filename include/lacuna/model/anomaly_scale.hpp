#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "lacuna/core/parallel.hpp"
#include "lacuna/core/philox.hpp"
#include "lacuna/mask/partition.hpp"
#include "lacuna/train/trainer.hpp"
#include "lacuna/validation/error_sums.hpp"

namespace lacuna::model {

/// @brief Deviation of the anomaly x - b of each variable at query positions, over contexts drawn as in training: its unit.
template <mask::MaskPolicy Policy>
std::vector<float> anomaly_scale(const train::Samples& samples, const Policy& policy, std::uint64_t seed, int threads) {
  using validation::ErrorSums;
  constexpr int most = 24;
  const int windows = static_cast<int>(samples.windows().size()), draws = std::min(windows, most);
  const auto variables = static_cast<std::size_t>(samples.fields().variables());
  const auto patch = data::whole(samples.fields().grid);
  std::vector<std::vector<ErrorSums>> sums(static_cast<std::size_t>(draws), std::vector<ErrorSums>(variables));
  parallel_for(threads, draws, [&](int i) {
    const int window = static_cast<int>(static_cast<long>(windows) * i / draws);
    train::SampleBuffers buffers;
    mask::partition(policy, philox_key(seed, Purpose::shuffle), static_cast<std::uint64_t>(i),
                    samples.windows()[static_cast<std::size_t>(window)], patch, buffers.partition);
    const auto values = samples.window_values(window);
    buffers.background.resize(values.size());
    samples.background().evaluate(samples.background_request(window, buffers.partition.context.data()), buffers.background.data(),
                                  buffers.workspace);
    for (std::size_t j = 0; j < values.size(); ++j)
      if (buffers.partition.query[j] != 0)
        sums[static_cast<std::size_t>(i)][j % variables].add(
            static_cast<double>(values[j]) - static_cast<double>(buffers.background[j]), 0.0);
  });
  std::vector<float> scale(variables, 1.0f);
  for (std::size_t v = 0; v < variables; ++v) {
    double squares = 0, count = 0;
    for (const auto& draw : sums) {
      squares += draw[v].xx;
      count += draw[v].count;
    }
    if (count > 0 && squares > 0) scale[v] = static_cast<float>(std::sqrt(squares / count));
  }
  return scale;
}

}  // namespace lacuna::model
