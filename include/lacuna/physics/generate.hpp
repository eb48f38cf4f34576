#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "lacuna/core/parallel.hpp"
#include "lacuna/physics/sample_file.hpp"

namespace lacuna::physics {

/// @brief How a file of samples is filled.
struct GenerateOptions {
  std::uint64_t seed = 0;
  int threads = 1;
  /// Called after each new sample, one call at a time: samples made by this call, and how many it has to make.
  std::function<void(std::size_t, std::size_t)> progress = [](std::size_t, std::size_t) {};
};

/// @brief Makes the samples that are not complete in the file yet, several at once, and writes each as soon as it is there; no
/// more than one sample a thread is in memory. Returns how many were made. Determinism: sample i depends on the seed, the
/// generator and i alone. Throws: what the generator and the file throw, once the samples in work are done.
template <Generator G>
std::size_t generate(const G& generator, SampleFile& file, const GenerateOptions& options) {
  std::vector<std::size_t> missing;
  for (std::size_t i = 0; i < file.samples(); ++i)
    if (!file.complete(i)) missing.push_back(i);
  std::mutex writing;
  std::atomic<bool> failed = false;
  std::size_t made = 0;
  parallel_for(options.threads, static_cast<int>(missing.size()), [&](int part) {
    if (failed) return;
    try {
      const std::size_t index = missing[static_cast<std::size_t>(part)];
      const Sample sample = generator.make(options.seed, index);
      const std::scoped_lock lock(writing);
      file.write(index, sample);
      options.progress(++made, missing.size());
    } catch (...) {
      failed = true;
      throw;
    }
  });
  return made;
}

}  // namespace lacuna::physics
